/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"
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
	COLUMN_FIRMWARE,
	COLUMN_CONTENT,
	COLUMN_VERIFIED,
	COLUMN_DAMAGED,
	COLUMN_IDENTICAL_TO, /* not stored */
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
		store_bind_text(statement, COLUMN_FIRMWARE + 1, backup->firmware),
		store_bind_text(statement, COLUMN_CONTENT + 1,
				*backup->content ? backup->content : NULL),
		store_bind_unsigned(statement, COLUMN_VERIFIED + 1, backup->verified),
		sqlite3_bind_int64(statement, COLUMN_DAMAGED + 1, backup->damaged),
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

static int read_content(sqlite3_stmt *statement, struct backup *backup)
{
	const char *text = store_text(statement, COLUMN_CONTENT);

	if (!text)
		return 0;
	if (strlen(text) != DIGEST_HEX_SIZE - 1)
		return -EUCLEAN;
	memcpy(backup->content, text, DIGEST_HEX_SIZE);
	return 0;
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
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_FIRMWARE, &backup->firmware);
	if (r >= 0)
		r = read_content(statement, backup);
	if (r >= 0)
		r = store_column_unsigned(statement, COLUMN_VERIFIED, &backup->verified);
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_IDENTICAL_TO, &backup->identical_to);
	backup->damaged = sqlite3_column_int64(statement, COLUMN_DAMAGED) != 0;
	backup->health = sqlite3_column_int64(statement, COLUMN_HEALTH);
	backup->job = sqlite3_column_int64(statement, COLUMN_JOB);
	if (r >= 0 && (backup->health < -1 || backup->health > 100 || backup->job < 0))
		return -EUCLEAN;
	return r;
}

int store_read_backup(struct store *store, sqlite3_stmt *statement, struct backup *ret)
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
	return store_read_backup(store, statement, ret);
}

void backup_keys_free(struct backup_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(keys[i].id);
	free(keys);
}

static int add_key(sqlite3_stmt *statement, struct backup_key **keys, size_t *n, size_t *room)
{
	struct backup_key key = { .complete = sqlite3_column_int64(statement, 1) != 0 };
	int r = store_reserve((void **)keys, *n, room, sizeof(key));

	if (r >= 0)
		r = copy_required(statement, 0, &key.id);
	if (r >= 0)
		(*keys)[(*n)++] = key;
	return r;
}

int store_list_backup_keys(struct store *store, struct backup_key **ret, size_t *ret_n)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[LIST_BACKUP_KEYS];
	struct backup_key *keys = NULL;
	size_t n = 0, room = 0;
	int r;

	while ((r = store_step(store, statement)) > 0) {
		r = add_key(statement, &keys, &n, &room);
		if (r < 0)
			break;
	}
	if (r < 0) {
		backup_keys_free(keys, n);
		return r;
	}
	*ret = keys;
	*ret_n = n;
	return 0;
}

int store_set_verified(struct store *store, const char *id, uint64_t when, bool damaged)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[SET_VERIFIED];
	int code = store_bind_text(statement, 1, id);
	int r;

	if (code == SQLITE_OK)
		code = store_bind_unsigned(statement, 2, when);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 3, damaged);
	r = code == SQLITE_OK ? store_step(store, statement) : store_error(store, code);
	if (r < 0)
		return r;
	return sqlite3_changes(store->db) > 0 ? 0 : -ENOENT;
}

int store_find_twin(struct store *store, const char *content, char **ret)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[FIND_TWIN];
	char *id = NULL;
	int r = store_error(store, store_bind_text(statement, 1, content));

	if (r >= 0)
		r = store_step(store, statement);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = copy_required(statement, 0, &id);
	if (r >= 0)
		*ret = id;
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
