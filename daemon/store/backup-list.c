/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of backups: a filter becomes SQL, a condition for each thing that is asked. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"
#include "protocol/base/digest.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

enum parameter {
	PARAMETER_LIMIT = 1,
	PARAMETER_SINCE,
	PARAMETER_UNTIL,
	PARAMETER_CHIP,
	PARAMETER_MEID,
	PARAMETER_FIRMWARE,
	PARAMETER_DIGEST,
	PARAMETER_DIGEST_END,
	PARAMETER_HEALTH_MIN,
	PARAMETER_HEALTH_MAX,
	PARAMETER_BEFORE,
	PARAMETER_BEFORE_TIME,
	PARAMETER_NOT_VERIFIED_SINCE,
	PARAMETER_LABELS, /* two each, then one for each word */
};

/* A word in any of the columns that people know a backup by. */
#define LIKE(column) column " LIKE ?%d ESCAPE '\\'"
#define HAS_WORD                                                                              \
	" AND (" LIKE("id") " OR " LIKE("chip") " OR " LIKE("meid") " OR " LIKE(              \
		"firmware") " OR EXISTS (SELECT 1 FROM label WHERE label.backup = backup.id " \
			    "AND " LIKE("value") "))"

/*
 * With a label the list is read along that label's entries, which are in the order of ids, and an id
 * begins with the time: so a page of it needs no other rows, however many have the label.
 */
static bool goes_along_label(const struct backup_filter *filter)
{
	return filter->n_labels > 0 && !filter->not_verified_since;
}

static void add_lists(sqlite3_str *sql, const struct backup_filter *filter)
{
	int next = PARAMETER_LABELS;

	for (size_t i = 0; i < filter->n_labels; i++, next += 2)
		sqlite3_str_appendf(sql,
				    i == 0 && goes_along_label(filter)
					    ? " AND tag.key = ?%d AND tag.value = ?%d"
					    : " AND EXISTS (SELECT 1 FROM label WHERE key = ?%d"
					      " AND value = ?%d AND label.backup = backup.id)",
				    next, next + 1);
	for (size_t i = 0; i < filter->n_words; i++, next++)
		sqlite3_str_appendf(sql, HAS_WORD, next, next, next, next, next);
}

static void add_order(sqlite3_str *sql, const struct backup_filter *filter)
{
	const char *way = filter->oldest_first ? "" : " DESC";

	if (filter->not_verified_since)
		sqlite3_str_appendall(sql, " ORDER BY verified, id LIMIT ?1");
	else if (goes_along_label(filter))
		sqlite3_str_appendf(sql, " ORDER BY tag.backup%s LIMIT ?1", way);
	else
		sqlite3_str_appendf(sql, " ORDER BY created%s, id%s LIMIT ?1", way, way);
}

/* Each column's index ends with (created, id), so a list comes out of it in order. */
int store_backup_query(const struct backup_filter *filter, char **ret)
{
	const struct {
		bool given;
		int parameter;
		const char *condition;
	} conditions[] = {
		{ filter->since, PARAMETER_SINCE, "created >= ?%d" },
		{ filter->until, PARAMETER_UNTIL, "created <= ?%d" },
		{ filter->chip, PARAMETER_CHIP, "chip = ?%d" },
		{ filter->meid, PARAMETER_MEID, "meid = ?%d" },
		{ filter->firmware, PARAMETER_FIRMWARE, "firmware = ?%d" },
		{ filter->sha256, PARAMETER_DIGEST, "sha256 >= ?%d" },
		{ filter->sha256, PARAMETER_DIGEST_END, "sha256 < ?%d" },
		{ filter->has_health, PARAMETER_HEALTH_MIN, "health >= ?%d" },
		{ filter->has_health, PARAMETER_HEALTH_MAX, "health <= ?%d" },
		{ filter->not_verified_since, PARAMETER_NOT_VERIFIED_SINCE, "verified < ?%d" },
	};
	sqlite3_str *sql = sqlite3_str_new(NULL);

	sqlite3_str_appendall(sql, "SELECT " BACKUP_COLUMNS " FROM ");
	sqlite3_str_appendall(
		sql, goes_along_label(filter)
			     ? "label AS tag CROSS JOIN backup ON id = tag.backup WHERE true"
			     : "backup WHERE true");
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		if (conditions[i].given) {
			sqlite3_str_appendall(sql, " AND ");
			sqlite3_str_appendf(sql, conditions[i].condition, conditions[i].parameter);
		}
	if (filter->before && goes_along_label(filter))
		sqlite3_str_appendf(sql, " AND tag.backup < ?%d", PARAMETER_BEFORE);
	else if (filter->before)
		sqlite3_str_appendf(sql, " AND (created, id) < (?%d, ?%d)", PARAMETER_BEFORE_TIME,
				    PARAMETER_BEFORE);
	if (filter->damaged)
		sqlite3_str_appendall(sql, " AND damaged = 1");
	if (filter->has_newer)
		sqlite3_str_appendall(sql, " AND EXISTS (SELECT 1 FROM backup AS newer WHERE "
					   "newer.meid = backup.meid AND "
					   "newer.created > backup.created)");
	add_lists(sql, filter);
	add_order(sql, filter);
	*ret = sqlite3_str_finish(sql);
	return *ret ? 0 : -ENOMEM;
}

/* The first that does not begin with these digits: '9' < 'a' < 'g'. */
static int bind_digest(sqlite3_stmt *statement, const char *digits)
{
	char begin[DIGEST_HEX_SIZE], end[DIGEST_HEX_SIZE + 1];
	size_t n = strlen(digits);
	int code;

	if (n >= sizeof(begin))
		return SQLITE_RANGE;
	for (size_t i = 0; i <= n; i++)
		begin[i] = digits[i] >= 'A' && digits[i] <= 'F' ? (char)(digits[i] + 'a' - 'A')
								: digits[i];
	(void)snprintf(end, sizeof(end), "%sg", begin);
	code = sqlite3_bind_text(statement, PARAMETER_DIGEST, begin, -1, SQLITE_TRANSIENT);
	return code == SQLITE_OK ? sqlite3_bind_text(statement, PARAMETER_DIGEST_END, end, -1,
						     SQLITE_TRANSIENT)
				 : code;
}

/* "%word%", where what LIKE takes for more than itself stands for itself. */
static int bind_word(sqlite3_stmt *statement, int parameter, const char *word)
{
	char *pattern = malloc(2 * strlen(word) + 3), *out = pattern;

	if (!pattern)
		return SQLITE_NOMEM;
	*out++ = '%';
	for (; *word; word++) {
		if (strchr("%_\\", *word))
			*out++ = '\\';
		*out++ = *word;
	}
	*out++ = '%';
	*out = '\0';
	return sqlite3_bind_text(statement, parameter, pattern, -1, free);
}

static int bind_lists(sqlite3_stmt *statement, const struct backup_filter *filter)
{
	int next = PARAMETER_LABELS, code = SQLITE_OK;

	for (size_t i = 0; i < filter->n_labels && code == SQLITE_OK; i++) {
		code = store_bind_text(statement, next++, filter->labels[i].key);
		if (code == SQLITE_OK)
			code = store_bind_text(statement, next++, filter->labels[i].value);
	}
	for (size_t i = 0; i < filter->n_words && code == SQLITE_OK; i++)
		code = bind_word(statement, next++, filter->words[i]);
	return code;
}

static int bind_filter(sqlite3_stmt *statement, const struct backup_filter *filter,
		       uint64_t before_time)
{
	const struct {
		int parameter;
		uint64_t value;
	} numbers[] = {
		{ PARAMETER_SINCE, filter->since },
		{ PARAMETER_UNTIL, filter->until },
		{ PARAMETER_HEALTH_MIN, (uint64_t)filter->health_min },
		{ PARAMETER_HEALTH_MAX, (uint64_t)filter->health_max },
		{ PARAMETER_BEFORE_TIME, before_time },
		{ PARAMETER_NOT_VERIFIED_SINCE, filter->not_verified_since },
	};
	const struct {
		int parameter;
		const char *value;
	} texts[] = {
		{ PARAMETER_CHIP, filter->chip },
		{ PARAMETER_MEID, filter->meid },
		{ PARAMETER_FIRMWARE, filter->firmware },
		{ PARAMETER_BEFORE, filter->before },
	};
	int n = sqlite3_bind_parameter_count(statement);
	int code = sqlite3_bind_int64(statement, PARAMETER_LIMIT,
				      filter->limit ? (int64_t)filter->limit : -1);

	/* Numbers above the highest that this statement has are of conditions that it has not. */
	for (size_t i = 0; i < ARRAY_SIZE(numbers) && code == SQLITE_OK; i++)
		if (numbers[i].parameter <= n)
			code = store_bind_unsigned(statement, numbers[i].parameter,
						   numbers[i].value);
	for (size_t i = 0; i < ARRAY_SIZE(texts) && code == SQLITE_OK; i++)
		if (texts[i].parameter <= n)
			code = store_bind_text(statement, texts[i].parameter, texts[i].value);
	if (code == SQLITE_OK && filter->sha256)
		code = bind_digest(statement, filter->sha256);
	return code == SQLITE_OK ? bind_lists(statement, filter) : code;
}

/* When it was made is what an id begins with: "20261123T143110Z-…". */
static int time_of_id(const char *id, uint64_t *ret)
{
	char text[TIME_TEXT_SIZE];

	if (strlen(id) < 16)
		return -EINVAL;
	(void)snprintf(text, sizeof(text),
		       "%.4s-%.2s-%.2s"
		       "T%.2s:%.2s:%.2sZ",
		       id, id + 4, id + 6, id + 9, id + 11, id + 13);
	return time_parse(text, ret);
}

/* Where the list goes on behind a backup that may be gone by now. */
static int find_before(struct store *store, const char *id, uint64_t *ret)
{
	_cleanup_(backup_clear) struct backup backup = { 0 };
	int r = store_get_backup(store, id, &backup);

	if (r == -ENOENT)
		return time_of_id(id, ret);
	if (r >= 0)
		*ret = backup.created;
	return r;
}

static int read_rows(struct store *store, sqlite3_stmt *statement, struct backup **ret,
		     size_t *ret_n)
{
	struct backup *backups = NULL;
	size_t n = 0, room = 0;
	int r;

	while ((r = store_step(store, statement)) > 0) {
		r = store_reserve((void **)&backups, n, &room, sizeof(*backups));
		if (r >= 0)
			r = store_read_backup(store, statement, &backups[n]);
		if (r < 0)
			break;
		n++;
	}
	if (r < 0) {
		while (n > 0)
			backup_clear(&backups[--n]);
		free(backups);
		return r;
	}
	*ret = backups;
	*ret_n = n;
	return 0;
}

/* The conditions differ from call to call, so this one statement is not kept. */
static int prepare(struct store *store, const struct backup_filter *filter, sqlite3_stmt **ret)
{
	char *sql;
	int r = store_backup_query(filter, &sql);

	if (r < 0)
		return r;
	r = store_error(store, sqlite3_prepare_v2(store->db, sql, -1, ret, NULL));
	sqlite3_free(sql);
	return r;
}

int store_list_backups(struct store *store, const struct backup_filter *filter, struct backup **ret,
		       size_t *ret_n)
{
	uint64_t before_time = 0;
	sqlite3_stmt *statement;
	int r = filter->before ? find_before(store, filter->before, &before_time) : 0;

	if (r >= 0)
		r = prepare(store, filter, &statement);
	if (r < 0)
		return r;
	r = store_error(store, bind_filter(statement, filter, before_time));
	if (r >= 0)
		r = read_rows(store, statement, ret, ret_n);
	(void)sqlite3_finalize(statement);
	return r;
}
