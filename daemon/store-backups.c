/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store-internal.h"
#include "protocol/base/strings.h"

enum backup_column {
	COLUMN_ID,
	COLUMN_PATH,
	COLUMN_CREATED,
	COLUMN_CHIP,
	COLUMN_MEID,
	COLUMN_SIZE,
	COLUMN_SHA256,
	COLUMN_HEALTH,
	COLUMN_JOB,
};

static int bind_backup(sqlite3_stmt *statement, const struct backup *backup)
{
	const int codes[] = {
		store_bind_text(statement, COLUMN_ID + 1, backup->id),
		store_bind_text(statement, COLUMN_PATH + 1, backup->path),
		store_bind_unsigned(statement, COLUMN_CREATED + 1, backup->created),
		store_bind_text(statement, COLUMN_CHIP + 1, backup->chip),
		store_bind_text(statement, COLUMN_MEID + 1, backup->meid),
		store_bind_unsigned(statement, COLUMN_SIZE + 1, backup->size),
		store_bind_text(statement, COLUMN_SHA256 + 1, backup->sha256),
		sqlite3_bind_int64(statement, COLUMN_HEALTH + 1, backup->health),
		sqlite3_bind_int64(statement, COLUMN_JOB + 1, backup->job),
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] != SQLITE_OK)
			return codes[i];
	return SQLITE_OK;
}

static int insert_row(struct store *store, const struct backup *backup)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[INSERT_BACKUP];
	int code = bind_backup(statement, backup);

	return code == SQLITE_OK ? store_step(store, statement) : store_error(store, code);
}

static int insert_label(struct store *store, const char *backup, const struct label *label)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[INSERT_LABEL];
	int code;

	code = store_bind_text(statement, 1, backup);
	if (code == SQLITE_OK)
		code = store_bind_text(statement, 2, label->key);
	if (code == SQLITE_OK)
		code = store_bind_text(statement, 3, label->value);
	return code == SQLITE_OK ? store_step(store, statement) : store_error(store, code);
}

/* Deletes the row, and its labels with it (a cascade); the number of rows. */
static int delete_row(struct store *store, const char *id)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[DELETE_BACKUP];
	int r = store_error(store, store_bind_text(statement, 1, id));

	if (r >= 0)
		r = store_step(store, statement);
	return r < 0 ? r : sqlite3_changes(store->db);
}

static int write_backup(struct store *store, const struct backup *backup)
{
	int r = delete_row(store, backup->id);

	if (r >= 0)
		r = insert_row(store, backup);
	for (size_t i = 0; i < backup->n_labels && r >= 0; i++)
		r = insert_label(store, backup->id, &backup->labels[i]);
	return r;
}

int store_add_backup(struct store *store, const struct backup *backup, const struct job *job)
{
	int r = store_begin(store);

	if (r < 0)
		return r;
	r = write_backup(store, backup);
	if (r >= 0 && job)
		r = store_write_job(store, job);
	return store_end(store, r);
}

int store_remove_backup(struct store *store, const char *id)
{
	int r = store_begin(store);

	if (r < 0)
		return r;
	r = delete_row(store, id);
	return store_end(store, r == 0 ? -ENOENT : r);
}

static int copy_required(sqlite3_stmt *statement, int column, char **target)
{
	int r = store_copy_text(statement, column, target);

	return r < 0 || *target ? r : -EUCLEAN;
}

static int add_label(struct backup *backup, sqlite3_stmt *statement)
{
	struct label *grown, label = { 0 };
	int r;

	r = copy_required(statement, 0, &label.key);
	if (r >= 0)
		r = copy_required(statement, 1, &label.value);
	grown = r < 0 ? NULL : reallocarray(backup->labels, backup->n_labels + 1, sizeof(*grown));
	if (!grown) {
		free(label.key);
		free(label.value);
		return r < 0 ? r : -ENOMEM;
	}
	grown[backup->n_labels++] = label;
	backup->labels = grown;
	return 0;
}

static int read_labels(struct store *store, struct backup *backup)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[LIST_LABELS];
	int r = store_error(store, store_bind_text(statement, 1, backup->id));

	while (r >= 0 && (r = store_step(store, statement)) > 0)
		r = add_label(backup, statement);
	return r;
}

static int read_columns(sqlite3_stmt *statement, struct backup *backup)
{
	int r = copy_required(statement, COLUMN_ID, &backup->id);

	if (r >= 0)
		r = copy_required(statement, COLUMN_PATH, &backup->path);
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_CHIP, &backup->chip);
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_MEID, &backup->meid);
	if (r >= 0)
		r = copy_required(statement, COLUMN_SHA256, &backup->sha256);
	if (r >= 0)
		r = store_column_unsigned(statement, COLUMN_CREATED, &backup->created);
	if (r >= 0)
		r = store_column_unsigned(statement, COLUMN_SIZE, &backup->size);
	backup->health = sqlite3_column_int64(statement, COLUMN_HEALTH);
	backup->job = sqlite3_column_int64(statement, COLUMN_JOB);
	if (r >= 0 && (backup->health < -1 || backup->health > 100 || backup->job < 0))
		return -EUCLEAN;
	return r;
}

static int read_backup(struct store *store, sqlite3_stmt *statement, struct backup *ret)
{
	struct backup backup = { 0 };
	int r = read_columns(statement, &backup);

	if (r == -EUCLEAN)
		r = store_damaged(store, "backup %s cannot be read",
				  backup.id ? backup.id : "without id");
	if (r >= 0)
		r = read_labels(store, &backup);
	if (r < 0) {
		backup_clear(&backup);
		return r;
	}
	*ret = backup;
	return 0;
}

int store_get_backup(struct store *store, const char *id, struct backup *ret)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[GET_BACKUP];
	int r = store_error(store, store_bind_text(statement, 1, id));

	if (r >= 0)
		r = store_step(store, statement);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	return read_backup(store, statement, ret);
}

/* The conditions differ from call to call, so this one statement is not kept. Parameters by name. */
static int prepare_list(struct store *store, const struct backup_filter *filter, sqlite3_stmt **ret)
{
	sqlite3_str *sql = sqlite3_str_new(store->db);
	char *text;
	int r;

	sqlite3_str_appendall(sql, "SELECT " BACKUP_COLUMNS " FROM backup WHERE created >= ?1");
	if (filter->chip)
		sqlite3_str_appendall(sql, " AND chip = ?3");
	if (filter->meid)
		sqlite3_str_appendall(sql, " AND meid = ?4");
	for (size_t i = 0; i < filter->n_labels; i++)
		sqlite3_str_appendf(sql,
				    " AND id IN (SELECT backup FROM label WHERE key = ?%d"
				    " AND value = ?%d)",
				    (int)(5 + 2 * i), (int)(6 + 2 * i));
	sqlite3_str_appendall(sql, filter->oldest_first
					   ? " ORDER BY created, id LIMIT ?2"
					   : " ORDER BY created DESC, id DESC LIMIT ?2");
	text = sqlite3_str_finish(sql);
	if (!text)
		return -ENOMEM;
	r = store_error(store, sqlite3_prepare_v2(store->db, text, -1, ret, NULL));
	sqlite3_free(text);
	return r;
}

static int bind_filter(sqlite3_stmt *statement, const struct backup_filter *filter)
{
	int code = store_bind_unsigned(statement, 1, filter->since);

	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 2,
					  filter->limit ? (int64_t)filter->limit : -1);
	if (code == SQLITE_OK && filter->chip)
		code = store_bind_text(statement, 3, filter->chip);
	if (code == SQLITE_OK && filter->meid)
		code = store_bind_text(statement, 4, filter->meid);
	for (size_t i = 0; i < filter->n_labels && code == SQLITE_OK; i++) {
		code = store_bind_text(statement, (int)(5 + 2 * i), filter->labels[i].key);
		if (code == SQLITE_OK)
			code = store_bind_text(statement, (int)(6 + 2 * i),
					       filter->labels[i].value);
	}
	return code;
}

static void backups_free(struct backup *backups, size_t n)
{
	for (size_t i = 0; i < n; i++)
		backup_clear(&backups[i]);
	free(backups);
}

static int read_backups(struct store *store, sqlite3_stmt *statement, struct backup **ret,
			size_t *ret_n)
{
	struct backup *backups = NULL;
	size_t n = 0, room = 0;
	int r;

	while ((r = store_step(store, statement)) > 0) {
		r = store_reserve((void **)&backups, n, &room, sizeof(*backups));
		if (r >= 0)
			r = read_backup(store, statement, &backups[n]);
		if (r < 0)
			break;
		n++;
	}
	if (r < 0) {
		backups_free(backups, n);
		return r;
	}
	*ret = backups;
	*ret_n = n;
	return 0;
}

int store_list_backups(struct store *store, const struct backup_filter *filter, struct backup **ret,
		       size_t *ret_n)
{
	sqlite3_stmt *statement;
	int r = prepare_list(store, filter, &statement);

	if (r < 0)
		return r;
	r = store_error(store, bind_filter(statement, filter));
	if (r >= 0)
		r = read_backups(store, statement, ret, ret_n);
	(void)sqlite3_finalize(statement);
	return r;
}

int store_last_backup_of(struct store *store, const char *meid, uint64_t *ret)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[LAST_BACKUP_OF];
	int r = store_error(store, store_bind_text(statement, 1, meid));

	if (r >= 0)
		r = store_step(store, statement);
	if (r < 0)
		return r;
	if (store_column_unsigned(statement, 0, ret) < 0)
		return store_damaged(store, "the time of a backup of %s cannot be read", meid);
	return 0;
}

int store_next_watch(struct store *store, const char *meid, char **ret)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[NEXT_WATCH];
	char *next = NULL;
	int r = store_error(store, store_bind_text(statement, 1, meid ? meid : ""));

	if (r >= 0)
		r = store_step(store, statement);
	if (r >= 0)
		r = store_copy_text(statement, 0, &next);
	if (r < 0)
		return r;
	if (!next)
		return -ENOENT;
	*ret = next;
	return 0;
}
