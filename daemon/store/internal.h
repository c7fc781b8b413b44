/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the store share: the connection, its prepared statements, SQLite's errors. */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/store.h"
#include "protocol/base/cleanup.h"

enum store_statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	INSERT_JOB,
	INSERT_JOB_LABEL,
	UPDATE_JOB,
	GET_JOB,
	LIST_JOBS,
	LIST_JOBS_IN,
	LOAD_UNFINISHED,
	COUNT_JOBS,
	LIST_BATCHES,
	INSERT_BACKUP,
	DELETE_BACKUP,
	GET_BACKUP,
	LIST_BACKUP_KEYS,
	SET_VERIFIED,
	FIND_TWIN,
	INSERT_LABEL,
	LIST_LABELS,
	LAST_BACKUP_OF,
	NEXT_WATCH,
	INSERT_AUDIT,
	LIST_TOTALS,
	LAST_BACKUP,
	LONGEST_UNVERIFIED,
	WANT_HOOKS,
	WANTED_HOOKS,
	SET_HOOKS,
	GET_HOOKS,
	LIST_SLOTS,
	INSERT_SLOT,
	DELETE_SLOTS,
	_STORE_STATEMENT_MAX,
};

/* The columns in the order in which a row is read. */
#define JOB_COLUMNS                                                                           \
	"id, state, request, owner, created, started, finished, port, backup, failure_code, " \
	"failure_message, failure_hint, attempts, asked"
#define BACKUP_STORED_COLUMNS                                                           \
	"id, path, created, chip, meid, size, sha256, health, job, firmware, content, " \
	"verified, damaged"
#define BACKUP_COLUMNS                                                                 \
	BACKUP_STORED_COLUMNS                                                          \
	", (SELECT other.id FROM backup AS other WHERE other.content = backup.content" \
	" AND other.id <> backup.id ORDER BY other.created, other.id LIMIT 1) AS identical_to"
#define AUDIT_COLUMNS "id, time, uid, action, object, detail"

extern const char *const store_sql[_STORE_STATEMENT_MAX];

/* One step per version of the schema: migrations[0] makes an empty database version 1. */
#define STORE_SCHEMA_VERSION 2
extern const char *const store_migrations[STORE_SCHEMA_VERSION];

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[_STORE_STATEMENT_MAX];
	unsigned int depth; /* of store_begin without its store_end */
	char error[256];
};

/* Translates SQLite's result code, remembers its words; 0 for success. */
_must_check_ int store_error(struct store *store, int code);

/* Names a row that cannot be what we wrote; -EUCLEAN. */
_printf_(2, 3) int store_damaged(struct store *store, const char *format, ...);

/* 1 with a row, 0 at the end. */
_must_check_ int store_step(struct store *store, sqlite3_stmt *statement);

/* Steps a statement that has no rows; the number of rows it changed. */
_must_check_ int store_run(struct store *store, enum store_statement id);

/* A statement that goes back to its start, unbound, at the end of the block. */
static inline void store_resetp(sqlite3_stmt **statement)
{
	(void)sqlite3_reset(*statement);
	(void)sqlite3_clear_bindings(*statement);
}
#define _cleanup_reset_ _cleanup_(store_resetp)

/* Binds a time or size; SQLITE_RANGE when it is beyond SQLite's signed numbers. */
_must_check_ int store_bind_unsigned(sqlite3_stmt *statement, int index, uint64_t value);
/* NULL is bound as NULL; text must live until the statement is reset. */
_must_check_ int store_bind_text(sqlite3_stmt *statement, int index, const char *text);

/* Borrowed until the next step; NULL for NULL. */
const char *store_text(sqlite3_stmt *statement, int column);

/* Puts a copy (NULL for NULL) into *target; -ENOMEM. */
_must_check_ int store_copy_text(sqlite3_stmt *statement, int column, char **target);

/* Makes room for element n of an array of elements of size bytes; -ENOMEM leaves it as it is. */
_must_check_ int store_reserve(void **array, size_t n, size_t *room, size_t size);

/* -EUCLEAN for a negative one. */
_must_check_ int store_column_unsigned(sqlite3_stmt *statement, int column, uint64_t *ret);

/* All jobs that a statement with JOB_COLUMNS selects. */
_must_check_ int store_read_jobs(struct store *store, sqlite3_stmt *statement, struct job **ret,
				 size_t *ret_n);

/* Reads a row of BACKUP_COLUMNS, labels too; -EUCLEAN. */
_must_check_ int store_read_backup(struct store *store, sqlite3_stmt *statement,
				   struct backup *ret);

/* The question that a filter asks, as SQL with numbered parameters; sqlite3_free() it. */
_must_check_ int store_backup_query(const struct backup_filter *filter, char **ret);

/* The write of a job that store_update_job and store_add_backup share; -ENOENT. */
_must_check_ int store_write_job(struct store *store, const struct job *job);
