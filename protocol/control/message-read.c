/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/message.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

/* The bounds that a field has within those of its type. */
static int64_t lower_bound(const struct field *field, int64_t lowest)
{
	return field->min == 0 && field->max == 0 ? lowest : MAX_OF(field->min, lowest);
}

static int64_t upper_bound(const struct field *field, int64_t highest)
{
	bool bounded = field->max >= field->min && (field->min != 0 || field->max != 0);

	return bounded ? MIN_OF(field->max, highest) : highest;
}

bool text_is_clean(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		if (*p < ' ' || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return false;
	return true;
}

static int read_string(const struct field *field, struct json_object *value, void *target,
		       struct problem *problem)
{
	const char *s = message_string(value);
	int64_t n;

	if (!s)
		return problem_set(problem, "", "must be a string");
	n = json_object_get_string_len(value);
	if (n < lower_bound(field, 0))
		return problem_set(problem, "", n == 0 ? "must not be empty" : "is too short");
	if (n > upper_bound(field, INT64_MAX))
		return problem_set(problem, "", "is longer than %" PRId64 " bytes", field->max);
	if ((field->flags & FIELD_CLEAN) && !text_is_clean(s))
		return problem_set(problem, "", "must not hold control characters");
	if ((field->flags & FIELD_NAME) && !is_plain_name(s, (size_t)n))
		return problem_set(problem, "", "must be a plain name: letters, digits, . _ : + -");
	return str_replace(target, s);
}

static int read_bool(struct json_object *value, bool *target, struct problem *problem)
{
	if (!json_object_is_type(value, json_type_boolean))
		return problem_set(problem, "", "must be true or false");
	*target = json_object_get_boolean(value);
	return 0;
}

static int read_whole(const struct field *field, struct json_object *value, int64_t lowest,
		      int64_t highest, int64_t *ret, struct problem *problem)
{
	int64_t min = lower_bound(field, lowest), max = upper_bound(field, highest);
	int64_t number = 0;

	if (message_int(value, &number) < 0)
		return problem_set(problem, "", "must be a whole number");
	if (number < min || number > max)
		return problem_set(problem, "", "must be from %" PRId64 " to %" PRId64, min, max);
	*ret = number;
	return 0;
}

static int read_uint(const struct field *field, struct json_object *value, void *target,
		     struct problem *problem)
{
	int64_t highest = field->type == FIELD_UINT32 ? UINT32_MAX : INT64_MAX, number = 0;
	int r;

	r = read_whole(field, value, 0, highest, &number, problem);
	if (r < 0)
		return r;
	if (field->type == FIELD_UINT32)
		*(uint32_t *)target = (uint32_t)number;
	else
		*(uint64_t *)target = (uint64_t)number;
	return 0;
}

static int read_real(const struct field *field, struct json_object *value, double *target,
		     struct problem *problem)
{
	int64_t min = lower_bound(field, INT64_MIN), max = upper_bound(field, INT64_MAX);
	double number;

	if (!json_object_is_type(value, json_type_double) &&
	    !json_object_is_type(value, json_type_int))
		return problem_set(problem, "", "must be a number");
	number = json_object_get_double(value);
	if (min > INT64_MIN && !(number >= (double)min))
		return problem_set(problem, "", "must be at least %" PRId64, min);
	if (max < INT64_MAX && !(number <= (double)max))
		return problem_set(problem, "", "must be at most %" PRId64, max);
	*target = number;
	return 0;
}

int word_find(const char *const *words, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (words[i] && streq(words[i], s))
			return (int)i;
	return -EINVAL;
}

/* "must be one of brom, da": the words as far as they fit. */
static int refuse_word(const struct field *field, struct problem *problem)
{
	char list[sizeof(problem->reason)] = "";
	size_t used = 0;

	for (size_t i = 0; i < field->n_words; i++) {
		const char *word = field->words[i];

		if (!word || used + strlen(word) + 3 > sizeof(list))
			continue;
		if (used > 0)
			used = (size_t)(stpcpy(list + used, ", ") - list);
		used = (size_t)(stpcpy(list + used, word) - list);
	}
	return problem_set(problem, "", "must be one of %s", list);
}

static int read_word(const struct field *field, struct json_object *value, void *target,
		     struct problem *problem)
{
	const char *s = message_string(value);
	int index;

	if (!s)
		return problem_set(problem, "", "must be a string");
	index = word_find(field->words, field->n_words, s);
	if (index < 0)
		return refuse_word(field, problem);
	*(unsigned int *)target = (unsigned int)index;
	return 0;
}

static int read_time(struct json_object *value, uint64_t *target, struct problem *problem)
{
	const char *s = message_string(value);

	if (!s || time_parse(s, target) < 0)
		return problem_set(problem, "", "must be a time like 2026-01-31T12:00:00Z");
	return 0;
}

static int read_container(const struct field *field, struct json_object *value, void *target,
			  struct problem *problem)
{
	bool array = field->type == FIELD_ARRAY;
	struct json_object **slot = target;
	int64_t min = lower_bound(field, 0), max = upper_bound(field, INT64_MAX), n;

	if (!(array ? message_is_array(value) : message_is_object(value)))
		return problem_set(problem, "", array ? "must be an array" : "must be an object");
	n = array ? (int64_t)message_length(value) : json_object_object_length(value);
	if (n < min || n > max)
		return problem_set(problem, "", "must have from %" PRId64 " to %" PRId64 " %s", min,
				   max, array ? "elements" : "members");
	message_unref(*slot);
	*slot = message_ref(value);
	return 0;
}

static int read_value(const struct field *field, struct json_object *value, void *target,
		      struct problem *problem)
{
	switch (field->type) {
	case FIELD_STRING:
		return read_string(field, value, target, problem);
	case FIELD_BOOL:
		return read_bool(value, target, problem);
	case FIELD_INT:
		return read_whole(field, value, INT64_MIN, INT64_MAX, target, problem);
	case FIELD_UINT:
	case FIELD_UINT32:
		return read_uint(field, value, target, problem);
	case FIELD_REAL:
		return read_real(field, value, target, problem);
	case FIELD_WORD:
		return read_word(field, value, target, problem);
	case FIELD_TIME:
		return read_time(value, target, problem);
	case FIELD_OBJECT:
	case FIELD_ARRAY:
		return read_container(field, value, target, problem);
	case FIELD_CUSTOM:
		return field->read(value, target, problem);
	}
	return -EINVAL;
}

static const struct field *find_field(const struct field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static int check_known(struct json_object *object, const struct field *fields, size_t n,
		       struct problem *problem)
{
	json_object_object_foreach(object, name, value)
	{
		(void)value;
		if (!find_field(fields, n, name))
			return problem_set(problem, name, "is not known here");
	}
	return 0;
}

int message_read_known(struct json_object *object, const struct field *fields, size_t n,
		       void *target, struct problem *problem)
{
	if (!message_is_object(object))
		return problem_set(problem, "", "must be an object");
	for (size_t i = 0; i < n; i++) {
		struct json_object *value = message_member(object, fields[i].name);
		int r;

		if (!value && (fields[i].flags & FIELD_REQUIRED))
			return problem_set(problem, fields[i].name, "is missing");
		if (!value)
			continue;
		r = read_value(&fields[i], value, (char *)target + fields[i].offset, problem);
		if (r == -EBADMSG)
			problem_within(problem, fields[i].name);
		if (r < 0)
			return r;
	}
	return 0;
}

int message_read(struct json_object *object, const struct field *fields, size_t n, void *target,
		 struct problem *problem)
{
	int r;

	if (!message_is_object(object))
		return problem_set(problem, "", "must be an object");
	r = check_known(object, fields, n, problem);
	return r < 0 ? r : message_read_known(object, fields, n, target, problem);
}
