/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "daemon/store/internal.h"

/*
 * Parameters, by number: 1 and 2 are before and limit, 3 to 8 the states (in LIST_JOBS_IN too), then
 * since, then key and value of each label.
 */
enum {
	BEFORE = 1,
	LIMIT,
	STATES,
	SINCE = STATES + _JOB_STATE_MAX,
	LABELS,
};

static void append_label(sqlite3_str *sql, const char *table, size_t i)
{
	int key = LABELS + 2 * (int)i;

	sqlite3_str_appendf(sql, " AND %s.key = ?%d AND %s.value = ?%d", table, key, table,
			    key + 1);
}

/*
 * The jobs with the first label come from its index, newest first, so that a limit ends the search.
 * CROSS JOIN keeps them the outer loop.
 */
static void append_labelled(sqlite3_str *sql, const struct job_filter *filter)
{
	sqlite3_str_appendall(sql, " FROM job_label AS first CROSS JOIN job ON job.id = first.job"
				   " WHERE first.job < ?1");
	append_label(sql, "first", 0);
	for (size_t i = 1; i < filter->n_labels; i++) {
		sqlite3_str_appendall(sql, " AND EXISTS (SELECT 1 FROM job_label AS other"
					   " WHERE other.job = job.id");
		append_label(sql, "other", i);
		sqlite3_str_appendall(sql, ")");
	}
	if (filter->since)
		sqlite3_str_appendf(sql, " AND (created >= ?%d OR finished >= ?%d)", SINCE, SINCE);
}

static void append_states(sqlite3_str *sql, const struct job_filter *filter)
{
	if (filter->states)
		sqlite3_str_appendall(sql, " AND +state IN (?3, ?4, ?5, ?6, ?7, ?8)");
}

/*
 * The jobs created since then are the last ones by id, so they are read backwards from the end, and
 * the limit ends it; their index says no more than where the first of them is, because a clock that
 * was set back leaves older ones among them. The few older ones that ended since then come from the
 * other index. The plus signs keep SQLite from other ways, which look at all jobs.
 */
static void append_since(sqlite3_str *sql, const struct job_filter *filter)
{
	sqlite3_str_appendf(sql,
			    " FROM job WHERE id IN (SELECT * FROM (SELECT id FROM job"
			    " WHERE id < ?1 AND +created >= ?%d"
			    " AND id >= (SELECT min(+id) FROM job WHERE created >= ?%d)",
			    SINCE, SINCE);
	append_states(sql, filter);
	sqlite3_str_appendf(sql,
			    " ORDER BY id DESC LIMIT ?2) UNION ALL"
			    " SELECT id FROM job WHERE finished >= ?%d AND created < ?%d"
			    " AND +id < ?1)",
			    SINCE, SINCE);
}

/* The conditions differ from call to call, so this one statement is not kept. */
static int prepare_list(struct store *store, const struct job_filter *filter, sqlite3_stmt **ret)
{
	sqlite3_str *sql = sqlite3_str_new(store->db);
	char *text;
	int r;

	sqlite3_str_appendall(sql, "SELECT " JOB_COLUMNS);
	if (filter->n_labels > 0)
		append_labelled(sql, filter);
	else
		append_since(sql, filter);
	append_states(sql, filter);
	sqlite3_str_appendf(sql, " ORDER BY %s DESC LIMIT ?2",
			    filter->n_labels > 0 ? "first.job" : "id");
	text = sqlite3_str_finish(sql);
	if (!text)
		return -ENOMEM;
	r = store_error(store, sqlite3_prepare_v2(store->db, text, -1, ret, NULL));
	sqlite3_free(text);
	return r;
}

/* The words of the wanted states; the parameters of the others stay NULL and select nothing. */
static int bind_states(sqlite3_stmt *statement, unsigned int states)
{
	int code = SQLITE_OK;

	for (int i = 0; i < _JOB_STATE_MAX && code == SQLITE_OK; i++)
		if (states & 1U << i)
			code = store_bind_text(statement, STATES + i,
					       job_state_to_string((enum job_state)i));
	return code;
}

static int bind_labels(sqlite3_stmt *statement, const struct job_filter *filter)
{
	int code = SQLITE_OK;

	for (size_t i = 0; i < filter->n_labels && code == SQLITE_OK; i++) {
		int key = LABELS + 2 * (int)i;

		code = store_bind_text(statement, key, filter->labels[i].key);
		if (code == SQLITE_OK)
			code = store_bind_text(statement, key + 1, filter->labels[i].value);
	}
	return code;
}

static int bind_filter(sqlite3_stmt *statement, const struct job_filter *filter)
{
	int code =
		sqlite3_bind_int64(statement, BEFORE, filter->before ? filter->before : INT64_MAX);

	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, LIMIT,
					  filter->limit ? (int64_t)filter->limit : -1);
	if (code == SQLITE_OK && filter->states)
		code = bind_states(statement, filter->states);
	if (code == SQLITE_OK && filter->since)
		code = store_bind_unsigned(statement, SINCE, filter->since);
	return code == SQLITE_OK ? bind_labels(statement, filter) : code;
}

static int list_with(struct store *store, sqlite3_stmt *statement, const struct job_filter *filter,
		     struct job **ret, size_t *ret_n)
{
	int r = store_error(store, bind_filter(statement, filter));

	return r < 0 ? r : store_read_jobs(store, statement, ret, ret_n);
}

int store_list_jobs(struct store *store, const struct job_filter *filter, struct job **ret,
		    size_t *ret_n)
{
	sqlite3_stmt *statement;
	int r;

	if (filter->n_labels == 0 && !filter->since) {
		_cleanup_reset_ sqlite3_stmt *kept =
			store->statements[filter->states ? LIST_JOBS_IN : LIST_JOBS];

		return list_with(store, kept, filter, ret, ret_n);
	}
	r = prepare_list(store, filter, &statement);
	if (r < 0)
		return r;
	r = list_with(store, statement, filter, ret, ret_n);
	(void)sqlite3_finalize(statement);
	return r;
}
