/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/store/internal.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

/* Only another program (a backup of the database) can hold the lock; the event loop must go on. */
#define BUSY_TIMEOUT_MS 200

/* A failed commit does not reach sqlite3_system_errno; the log it was written to remembers. */
static int last_errno(struct store *store)
{
	sqlite3_file *log = NULL;
	int error = 0;

	if (sqlite3_file_control(store->db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log) ==
		    SQLITE_OK &&
	    log && log->pMethods)
		(void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
	return error ? error : sqlite3_system_errno(store->db);
}

static int error_of_io(struct store *store)
{
	switch (last_errno(store)) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG: /* a limit on the size of files: as good as full */
		return -ENOSPC;
	case EROFS:
		return -EROFS;
	case EACCES:
		return -EACCES;
	case ENOENT:
		return -ENOENT;
	default:
		return -EIO;
	}
}

static int error_of(struct store *store, int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_RANGE:
	case SQLITE_TOOBIG:
	case SQLITE_CONSTRAINT:
		return -EINVAL;
	default:
		return error_of_io(store);
	}
}

int store_error(struct store *store, int code)
{
	const char *text;

	if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
		return 0;
	/* A bind that was refused before SQLite saw it leaves no words of its own. */
	text = sqlite3_errcode(store->db) == code ? sqlite3_errmsg(store->db)
						  : sqlite3_errstr(code);
	(void)snprintf(store->error, sizeof(store->error), "%s", text);
	return error_of(store, code);
}

int store_damaged(struct store *store, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(store->error, sizeof(store->error), format, ap);
	va_end(ap);
	return -EUCLEAN;
}

const char *store_error_text(const struct store *store)
{
	return store->error;
}

int store_step(struct store *store, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	return code == SQLITE_ROW ? 1 : store_error(store, code);
}

int store_run(struct store *store, enum store_statement id)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[id];
	int r = store_step(store, statement);

	return r < 0 ? r : sqlite3_changes(store->db);
}

int store_begin(struct store *store)
{
	int r = store->depth > 0 ? 0 : store_run(store, BEGIN);

	if (r < 0)
		return r;
	store->depth++;
	return 0;
}

int store_end(struct store *store, int r)
{
	store->depth--;
	if (store->depth > 0)
		return r < 0 ? r : 0;
	if (r >= 0)
		r = store_run(store, COMMIT);
	if (r >= 0)
		return 0;
	/* SQLite has rolled back by itself after some errors. The first error is the one to tell. */
	if (!sqlite3_get_autocommit(store->db)) {
		_cleanup_reset_ sqlite3_stmt *rollback = store->statements[ROLLBACK];

		(void)sqlite3_step(rollback);
	}
	return r;
}

int store_bind_unsigned(sqlite3_stmt *statement, int index, uint64_t value)
{
	if (value > INT64_MAX)
		return SQLITE_RANGE;
	return sqlite3_bind_int64(statement, index, (int64_t)value);
}

int store_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	return sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

const char *store_text(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

int store_copy_text(sqlite3_stmt *statement, int column, char **target)
{
	const char *text = store_text(statement, column);

	if (!text && sqlite3_column_type(statement, column) != SQLITE_NULL)
		return -ENOMEM;
	return str_replace(target, text);
}

int store_reserve(void **array, size_t n, size_t *room, size_t size)
{
	const size_t more = *room ? *room * 2 : 16;
	void *grown;

	if (n < *room)
		return 0;
	grown = reallocarray(*array, more, size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = more;
	return 0;
}

int store_column_unsigned(sqlite3_stmt *statement, int column, uint64_t *ret)
{
	int64_t value = sqlite3_column_int64(statement, column);

	if (value < 0)
		return -EUCLEAN;
	*ret = (uint64_t)value;
	return 0;
}

static int execute(struct store *store, const char *sql)
{
	return store_error(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

static int read_version(struct store *store, int64_t *ret)
{
	sqlite3_stmt *statement;
	int r;

	r = store_error(store,
			sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &statement, NULL));
	if (r < 0)
		return r;
	r = store_step(store, statement);
	*ret = r > 0 ? sqlite3_column_int64(statement, 0) : 0;
	(void)sqlite3_finalize(statement);
	return r < 0 ? r : 0;
}

/* One step to the schema of version + 1; the version changes with the tables or not at all. */
static int migrate_one(struct store *store, int64_t version)
{
	char mark[48];
	int r;

	(void)snprintf(mark, sizeof(mark), "PRAGMA user_version = %lld", (long long)version + 1);
	r = execute(store, store_sql[BEGIN]);
	if (r >= 0)
		r = execute(store, store_migrations[version]);
	if (r >= 0)
		r = execute(store, mark);
	if (r >= 0)
		r = execute(store, store_sql[COMMIT]);
	if (r < 0 && !sqlite3_get_autocommit(store->db))
		(void)sqlite3_exec(store->db, store_sql[ROLLBACK], NULL, NULL, NULL);
	return r;
}

static int migrate(struct store *store)
{
	int64_t version = 0;
	int r = read_version(store, &version);

	if (r < 0)
		return r;
	if (version < 0 || version > STORE_SCHEMA_VERSION)
		return -EPROTONOSUPPORT;
	for (; version < STORE_SCHEMA_VERSION; version++) {
		r = migrate_one(store, version);
		if (r < 0)
			return r;
	}
	return 0;
}

static int prepare(struct store *store)
{
	for (size_t i = 0; i < _STORE_STATEMENT_MAX; i++) {
		int r = store_error(store, sqlite3_prepare_v3(store->db, store_sql[i], -1,
							      SQLITE_PREPARE_PERSISTENT,
							      &store->statements[i], NULL));

		if (r < 0)
			return r;
	}
	return 0;
}

/* SQLite would make it 0644; its companions (-wal, -shm) take their mode from this one. */
static int create_file(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	return fd < 0 ? -errno : 0;
}

static int set_up(struct store *store, const char *path)
{
	int r;

	r = store_error(store, sqlite3_open_v2(path, &store->db,
					       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
						       SQLITE_OPEN_EXRESCODE,
					       NULL));
	if (r < 0)
		return r;
	(void)sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	r = execute(store, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
			   "PRAGMA foreign_keys = ON;"
			   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
	if (r >= 0)
		r = migrate(store);
	return r < 0 ? r : prepare(store);
}

int store_open(const char *path, struct store **ret)
{
	_cleanup_(store_closep) struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	r = create_file(path);
	if (r >= 0)
		r = set_up(store, path);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(store);
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < _STORE_STATEMENT_MAX; i++)
		(void)sqlite3_finalize(store->statements[i]);
	(void)sqlite3_close(store->db);
	free(store);
}
