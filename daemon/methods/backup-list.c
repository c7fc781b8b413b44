/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ListBackups: what is looked for, and the rows that it finds. */

#include <errno.h>
#include <stddef.h>

#include "daemon/manager/manager.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/paged-list.h"
#include "protocol/base/digest.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

struct query {
	struct backup_filter filter; /* borrows from what follows */
	char *chip, *meid, *firmware, *sha256, *before;
	struct label *labels;
	size_t n_labels;
	char *words[LIMIT_WORDS];
	size_t n_words;
	uint64_t since, until, not_verified_since;
	int64_t min_health, max_health, limit;
	bool damaged;
};

static void query_free(void *userdata)
{
	struct query *query = userdata;

	if (!query)
		return;
	free(query->chip);
	free(query->meid);
	free(query->firmware);
	free(query->sha256);
	free(query->before);
	labels_free(query->labels, query->n_labels);
	for (size_t i = 0; i < query->n_words; i++)
		free(query->words[i]);
	free(query);
}

static int read_labels(struct json_object *value, void *target, struct problem *problem)
{
	struct query *query = target;

	return labels_from_json(value, &query->labels, &query->n_labels, problem);
}

static int read_words(struct json_object *value, void *target, struct problem *problem)
{
	struct query *query = target;

	if (!message_is_array(value) || message_length(value) > LIMIT_WORDS)
		return problem_set(problem, "", "must be an array of at most %u", LIMIT_WORDS);
	for (size_t i = 0; i < message_length(value); i++) {
		const char *word = message_string(message_at(value, i));

		if (!word || !*word || strlen(word) > LIMIT_NAME_BYTES)
			return problem_set(problem, "", "must hold words of 1 to %u bytes",
					   LIMIT_NAME_BYTES);
		query->words[query->n_words] = strdup(word);
		if (!query->words[query->n_words])
			return -ENOMEM;
		query->n_words++;
	}
	return 0;
}

static int read_sha256(struct json_object *value, void *target, struct problem *problem)
{
	const char *digits = message_string(value);
	size_t n = digits ? strlen(digits) : 0;
	struct query *query = target;

	if (n < STORE_DIGEST_DIGITS_MIN || n >= DIGEST_HEX_SIZE ||
	    strspn(digits, "0123456789abcdefABCDEF") != n)
		return problem_set(
			problem, "",
			"must be a SHA-256 in hexadecimal, or its first %u digits or more",
			STORE_DIGEST_DIGITS_MIN);
	return str_replace(&query->sha256, digits);
}

#define OFFSET(member) offsetof(struct query, member)

static const struct field fields[] = {
	{ .name = "chip", .type = FIELD_STRING, .max = LIMIT_NAME_BYTES, .offset = OFFSET(chip) },
	{ .name = "meid", .type = FIELD_STRING, .max = LIMIT_NAME_BYTES, .offset = OFFSET(meid) },
	{ .name = "firmware",
	  .type = FIELD_STRING,
	  .max = LIMIT_FIRMWARE_BYTES,
	  .offset = OFFSET(firmware) },
	{ .name = "sha256", .type = FIELD_CUSTOM, .read = read_sha256 },
	{ .name = "labels", .type = FIELD_CUSTOM, .read = read_labels },
	{ .name = "words", .type = FIELD_CUSTOM, .read = read_words },
	{ .name = "since", .type = FIELD_TIME, .offset = OFFSET(since) },
	{ .name = "until", .type = FIELD_TIME, .offset = OFFSET(until) },
	{ .name = "min_health",
	  .type = FIELD_INT,
	  .min = 0,
	  .max = 100,
	  .offset = OFFSET(min_health) },
	{ .name = "max_health",
	  .type = FIELD_INT,
	  .min = 0,
	  .max = 100,
	  .offset = OFFSET(max_health) },
	{ .name = "damaged", .type = FIELD_BOOL, .offset = OFFSET(damaged) },
	{ .name = "not_verified_since", .type = FIELD_TIME, .offset = OFFSET(not_verified_since) },
	{ .name = "before",
	  .type = FIELD_STRING,
	  .min = 1,
	  .max = LIMIT_BACKUP_ID_BYTES,
	  .offset = OFFSET(before) },
	{ .name = "limit",
	  .type = FIELD_INT,
	  .min = 1,
	  .max = LIMIT_LIST,
	  .offset = OFFSET(limit) },
};

static int query_read(struct json_object *parameters, struct query *query, struct problem *problem)
{
	int r;

	query->min_health = query->max_health = -1;
	query->limit = LIMIT_LIST;
	r = message_read(parameters, fields, ARRAY_SIZE(fields), query, problem);
	if (r < 0)
		return r;
	if (query->before && query->not_verified_since)
		return problem_set(problem, "before", "does not go with not_verified_since");
	query->filter = (struct backup_filter){
		.chip = query->chip,
		.meid = query->meid,
		.firmware = query->firmware,
		.sha256 = query->sha256,
		.labels = query->labels,
		.n_labels = query->n_labels,
		.words = (const char *const *)query->words,
		.n_words = query->n_words,
		.since = query->since,
		.until = query->until,
		.has_health = query->min_health >= 0 || query->max_health >= 0,
		.health_min = MAX_OF(query->min_health, 0),
		.health_max = query->max_health >= 0 ? query->max_health : 100,
		.damaged = query->damaged,
		.before = query->before,
		.not_verified_since = query->not_verified_since,
	};
	return 0;
}

static int page_of_backups(struct manager *manager, void *userdata, size_t limit,
			   struct paged_list *list)
{
	struct query *query = userdata;
	struct json_object *object;
	struct backup *backups = NULL;
	size_t n = 0;
	int r;

	query->filter.limit = limit;
	r = store_list_backups(manager_store(manager), &query->filter, &backups, &n);
	if (n > 0)
		r = str_replace(&query->before, backups[n - 1].id);
	query->filter.before = query->before;
	for (size_t i = 0; i < n; i++) {
		if (r >= 0)
			r = backup_to_json(&backups[i], &object);
		if (r >= 0)
			r = paged_list_add(list, object);
		backup_clear(&backups[i]);
	}
	free(backups);
	return r < 0 ? r : (int)n;
}

static const struct paged_list_type list_of_backups = {
	.member = "backups",
	.page = page_of_backups,
	.free = query_free,
};

/* In their order no row is a place to go on from: the only page has them all. */
static const struct paged_list_type list_of_due_backups = {
	.member = "backups",
	.page_rows = LIMIT_LIST,
	.page = page_of_backups,
	.free = query_free,
};

int method_list_backups(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	struct query *query = calloc(1, sizeof(*query));
	struct problem problem = { 0 };
	int r = query ? query_read(parameters, query, &problem) : -ENOMEM;

	if (r < 0) {
		query_free(query);
	} else {
		r = paged_list_answer(call, control->manager,
				      query->not_verified_since ? &list_of_due_backups
								: &list_of_backups,
				      query, (size_t)query->limit);
	}
	if (r == -EINVAL)
		r = problem_set(&problem, "before", "is no backup and has not the form of an id");
	return r == -EBADMSG ? call_invalid(call, &problem) : r;
}
