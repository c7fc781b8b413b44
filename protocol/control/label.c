/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/label.h"

#include <errno.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

void labels_free(struct label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(labels[i].key);
		free(labels[i].value);
	}
	free(labels);
}

static bool value_is_valid(const char *value)
{
	size_t n = strlen(value);

	return n <= LIMIT_LABEL_BYTES && is_utf8(value, n) && text_is_clean(value);
}

static int append_copy(struct label **labels, size_t *n, const char *key, const char *value)
{
	_cleanup_free_ char *key_copy = strdup(key), *value_copy = strdup(value);
	struct label *grown;

	if (!key_copy || !value_copy)
		return -ENOMEM;
	grown = reallocarray(*labels, *n + 1, sizeof(**labels));
	if (!grown)
		return -ENOMEM;
	grown[*n] = (struct label){ TAKE_PTR(key_copy), TAKE_PTR(value_copy) };
	*labels = grown;
	(*n)++;
	return 0;
}

const char *labels_get(const struct label *labels, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (streq(labels[i].key, key))
			return labels[i].value;
	return NULL;
}

int labels_add(struct label **labels, size_t *n, const char *key, const char *value)
{
	if (!is_plain_name(key, LIMIT_NAME_BYTES) || !value_is_valid(value))
		return -EINVAL;
	if (*n >= LIMIT_LABELS)
		return -E2BIG;
	if (labels_get(*labels, *n, key))
		return -EEXIST;
	return append_copy(labels, n, key, value);
}

int labels_set(struct label **labels, size_t *n, const char *key, const char *value)
{
	struct label *changed = NULL;
	size_t n_changed = 0;
	int r = 0;

	/* Beside the old ones, which stay when the new one is refused. */
	for (size_t i = 0; i < *n && r >= 0; i++)
		if (!streq((*labels)[i].key, key))
			r = append_copy(&changed, &n_changed, (*labels)[i].key, (*labels)[i].value);
	if (r >= 0 && *value)
		r = labels_add(&changed, &n_changed, key, value);
	if (r < 0) {
		labels_free(changed, n_changed);
		return r;
	}
	labels_free(*labels, *n);
	*labels = changed;
	*n = n_changed;
	return 0;
}

int labels_copy(const struct label *from, size_t n, struct label **ret, size_t *ret_n)
{
	struct label *labels = NULL;
	size_t copied = 0;

	for (size_t i = 0; i < n; i++) {
		int r = append_copy(&labels, &copied, from[i].key, from[i].value);

		if (r < 0) {
			labels_free(labels, copied);
			return r;
		}
	}
	*ret = labels;
	*ret_n = copied;
	return 0;
}

int labels_to_json(const struct label *labels, size_t n, struct json_object **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = message_build(&object, NULL, 0);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = message_add(object, M_STRING(labels[i].key, labels[i].value));
	if (r == 0)
		*ret = TAKE_PTR(object);
	return r;
}

struct reading {
	struct label *labels;
	size_t n;
	struct problem *problem;
};

static int read_label(const char *key, struct json_object *value, void *userdata)
{
	struct reading *reading = userdata;
	const char *text = message_string(value);
	int r;

	if (!text)
		return problem_set(reading->problem, key, "must be a string");
	r = labels_add(&reading->labels, &reading->n, key, text);
	if (r == -EINVAL)
		return problem_set(
			reading->problem, key,
			"needs a plain name of at most %u bytes and a text of at most %u",
			LIMIT_NAME_BYTES, LIMIT_LABEL_BYTES);
	if (r == -E2BIG)
		return problem_set(reading->problem, "", "are more than %u", LIMIT_LABELS);
	return r;
}

int labels_from_json(struct json_object *object, struct label **ret, size_t *ret_n,
		     struct problem *problem)
{
	struct reading reading = { .problem = problem };
	int r;

	if (!message_is_object(object))
		return problem_set(problem, "", "must be an object");
	r = message_each(object, read_label, &reading);
	if (r < 0) {
		labels_free(reading.labels, reading.n);
		return r;
	}
	*ret = reading.labels;
	*ret_n = reading.n;
	return 0;
}

int labels_to_text(const struct label *labels, size_t n, char **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = labels_to_json(labels, n, &object);
	return r < 0 ? r : message_to_text(object, ret);
}

int labels_from_text(const char *text, struct label **ret, size_t *ret_n)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = message_parse(text, strlen(text), &object);
	return r < 0 ? r : labels_from_json(object, ret, ret_n, NULL);
}
