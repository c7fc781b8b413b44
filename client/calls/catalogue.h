/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls about backups: one of them, or a list that may take several calls. All return exit statuses;
 * what is not STATUS_DONE has been printed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/time.h"
#include "protocol/control/backup.h"

struct client;
struct json_object;

/* Calls method for one backup. The caller owns *ret. */
_must_check_ int catalogue_call(struct client *client, const char *method, const char *id,
				struct json_object **ret);

/* One backup by its id; the caller clears it. */
_must_check_ int catalogue_get(struct client *client, const char *id, struct backup *ret);

/*
 * The id of the oldest backup that is the same as this one; the caller frees it. NULL when there is
 * none, or when that cannot be found out: nothing is printed.
 */
char *catalogue_twin(struct client *client, const char *id);

/* What ListBackups is to look for; NULL, empty and 0: no bound. All but the objects is borrowed. */
struct catalogue_query {
	const char *chip, *meid, *firmware, *sha256;
	struct json_object *labels; /* {key: value} */
	struct json_object *words;  /* [word] */
	char since[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE];
	bool has_min_health, has_max_health;
	int64_t min_health, max_health;
	bool damaged;
	char not_verified_since[TIME_TEXT_SIZE];
	const char *before;
	int64_t limit;
};

void catalogue_query_clear(struct catalogue_query *query);

/* -EINVAL for what cannot be sent, -ENOMEM. */
_must_check_ int catalogue_query_add_word(struct catalogue_query *query, const char *word);

/* One answer: *ret is the array of backups, which the caller owns; *ret_more: there may be others. */
_must_check_ int catalogue_list(struct client *client, const struct catalogue_query *query,
				struct json_object **ret, bool *ret_more);

/* The same as one array, however many there are and however many calls it takes. */
_must_check_ int catalogue_list_all(struct client *client, const struct catalogue_query *query,
				    struct json_object **ret);
