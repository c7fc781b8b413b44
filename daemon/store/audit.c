/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "daemon/store/internal.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

enum audit_column {
	COLUMN_ID,
	COLUMN_TIME,
	COLUMN_UID,
	COLUMN_ACTION,
	COLUMN_OBJECT,
	COLUMN_DETAIL,
};

static int bind_entry(sqlite3_stmt *statement, uid_t uid, enum audit_action action,
		      const char *object, const char *detail)
{
	const int codes[] = {
		store_bind_unsigned(statement, 1, time_real()),
		sqlite3_bind_int64(statement, 2, uid),
		store_bind_text(statement, 3, audit_action_to_string(action)),
		store_bind_text(statement, 4, object),
		store_bind_text(statement, 5, detail),
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] != SQLITE_OK)
			return codes[i];
	return SQLITE_OK;
}

int store_add_audit(struct store *store, uid_t uid, enum audit_action action, const char *object,
		    const char *detail)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[INSERT_AUDIT];
	int code = bind_entry(statement, uid, action, object, detail);

	return code == SQLITE_OK ? store_step(store, statement) : store_error(store, code);
}

static int read_columns(sqlite3_stmt *statement, struct audit_entry *entry)
{
	const char *action = store_text(statement, COLUMN_ACTION);
	int64_t uid = sqlite3_column_int64(statement, COLUMN_UID);
	int r;

	if (uid < 0 || uid > UINT32_MAX || !action ||
	    audit_action_from_string(action, &entry->action) < 0)
		return -EUCLEAN;
	entry->id = sqlite3_column_int64(statement, COLUMN_ID);
	entry->uid = (uid_t)uid;
	r = store_column_unsigned(statement, COLUMN_TIME, &entry->time);
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_OBJECT, &entry->object);
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_DETAIL, &entry->detail);
	return r;
}

static int read_entry(struct store *store, sqlite3_stmt *statement, struct audit_entry *ret)
{
	_cleanup_(audit_entry_clear) struct audit_entry entry = { 0 };
	int r = read_columns(statement, &entry);

	if (r == -EUCLEAN)
		return store_damaged(store, "entry %lld of the audit cannot be read",
				     (long long)sqlite3_column_int64(statement, COLUMN_ID));
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(entry);
	return 0;
}

/* The conditions differ from call to call, so this one statement is not kept. */
static int prepare_list(struct store *store, const struct audit_filter *filter, sqlite3_stmt **ret)
{
	sqlite3_str *sql = sqlite3_str_new(store->db);
	char *text;
	int r;

	sqlite3_str_appendall(sql, "SELECT " AUDIT_COLUMNS " FROM audit"
				   " WHERE id < ?1 AND time >= ?2 AND time <= ?3");
	if (filter->has_action)
		sqlite3_str_appendall(sql, " AND action = ?5");
	if (filter->object)
		sqlite3_str_appendall(sql, " AND object = ?6");
	if (filter->has_uid)
		sqlite3_str_appendall(sql, " AND uid = ?7");
	sqlite3_str_appendall(sql, " ORDER BY id DESC LIMIT ?4");
	text = sqlite3_str_finish(sql);
	if (!text)
		return -ENOMEM;
	r = store_error(store, sqlite3_prepare_v2(store->db, text, -1, ret, NULL));
	sqlite3_free(text);
	return r;
}

static int bind_filter(sqlite3_stmt *statement, const struct audit_filter *filter)
{
	int code = sqlite3_bind_int64(statement, 1, filter->before ? filter->before : INT64_MAX);

	if (code == SQLITE_OK)
		code = store_bind_unsigned(statement, 2, filter->since);
	if (code == SQLITE_OK)
		code = store_bind_unsigned(statement, 3, filter->until ? filter->until : INT64_MAX);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 4,
					  filter->limit ? (int64_t)filter->limit : -1);
	if (code == SQLITE_OK && filter->has_action)
		code = store_bind_text(statement, 5, audit_action_to_string(filter->action));
	if (code == SQLITE_OK && filter->object)
		code = store_bind_text(statement, 6, filter->object);
	if (code == SQLITE_OK && filter->has_uid)
		code = sqlite3_bind_int64(statement, 7, filter->uid);
	return code;
}

static int read_entries(struct store *store, sqlite3_stmt *statement, struct audit_entry **ret,
			size_t *ret_n)
{
	struct audit_entry *entries = NULL;
	size_t n = 0, room = 0;
	int r;

	while ((r = store_step(store, statement)) > 0) {
		r = store_reserve((void **)&entries, n, &room, sizeof(*entries));
		if (r >= 0)
			r = read_entry(store, statement, &entries[n]);
		if (r < 0)
			break;
		n++;
	}
	if (r < 0) {
		for (size_t i = 0; i < n; i++)
			audit_entry_clear(&entries[i]);
		free(entries);
		return r;
	}
	*ret = entries;
	*ret_n = n;
	return 0;
}

int store_list_audit(struct store *store, const struct audit_filter *filter,
		     struct audit_entry **ret, size_t *ret_n)
{
	sqlite3_stmt *statement;
	int r = prepare_list(store, filter, &statement);

	if (r < 0)
		return r;
	r = store_error(store, bind_filter(statement, filter));
	if (r >= 0)
		r = read_entries(store, statement, ret, ret_n);
	(void)sqlite3_finalize(statement);
	return r;
}
