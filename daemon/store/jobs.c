/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"
#include "protocol/base/strings.h"

enum job_column {
	COLUMN_ID,
	COLUMN_STATE,
	COLUMN_REQUEST,
	COLUMN_OWNER,
	COLUMN_CREATED,
	COLUMN_STARTED,
	COLUMN_FINISHED,
	COLUMN_PORT,
	COLUMN_BACKUP,
	COLUMN_FAILURE_CODE,
	COLUMN_FAILURE_MESSAGE,
	COLUMN_FAILURE_HINT,
	COLUMN_ATTEMPTS,
	COLUMN_ASKED,
};

static void jobs_free(struct job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		job_clear(&jobs[i]);
	free(jobs);
}

/* Parameters 1 to 10, which INSERT_JOB and UPDATE_JOB have in common. */
static int bind_changeable(sqlite3_stmt *statement, const struct job *job, const char *port)
{
	const int codes[] = {
		store_bind_text(statement, 1, job_state_to_string(job->state)),
		store_bind_unsigned(statement, 2, job->started),
		store_bind_unsigned(statement, 3, job->finished),
		store_bind_text(statement, 4, port),
		store_bind_text(statement, 5, job->backup),
		store_bind_text(statement, 6, failure_code_to_string(job->failure.code)),
		store_bind_text(statement, 7, job->failure.message),
		store_bind_text(statement, 8, job->failure.hint),
		sqlite3_bind_int64(statement, 9, job->attempts),
		store_bind_unsigned(statement, 10, job->asked),
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] != SQLITE_OK)
			return codes[i];
	return SQLITE_OK;
}

/* NULL text for a job that was never at a port. */
static int port_text(const struct job *job, char **ret)
{
	*ret = NULL;
	return job->port.slot ? port_to_text(&job->port, ret) : 0;
}

static int insert_job(struct store *store, struct job *job)
{
	_cleanup_free_ char *port = NULL, *request = NULL;
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[INSERT_JOB];
	int r, code;

	r = port_text(job, &port);
	if (r >= 0)
		r = job_request_to_text(&job->request, &request);
	if (r < 0)
		return r;
	code = bind_changeable(statement, job, port);
	if (code == SQLITE_OK)
		code = store_bind_text(statement, 11, request);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 12, job->owner);
	if (code == SQLITE_OK)
		code = store_bind_unsigned(statement, 13, job->created);
	r = code == SQLITE_OK ? store_step(store, statement) : store_error(store, code);
	if (r >= 0)
		job->id = sqlite3_last_insert_rowid(store->db);
	return r;
}

static int insert_label(struct store *store, int64_t job, const struct label *label)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[INSERT_JOB_LABEL];
	int code = sqlite3_bind_int64(statement, 1, job);

	if (code == SQLITE_OK)
		code = store_bind_text(statement, 2, label->key);
	if (code == SQLITE_OK)
		code = store_bind_text(statement, 3, label->value);
	return code == SQLITE_OK ? store_step(store, statement) : store_error(store, code);
}

static int add_job(struct store *store, struct job *job)
{
	const struct job_request *request = &job->request;
	int r = insert_job(store, job);

	for (size_t i = 0; i < request->n_labels && r >= 0; i++)
		r = insert_label(store, job->id, &request->labels[i]);
	return r;
}

int store_add_jobs(struct store *store, struct job *jobs, size_t n)
{
	int r = store_begin(store);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = add_job(store, &jobs[i]);
	r = store_end(store, r);
	for (size_t i = 0; i < n && r < 0; i++)
		jobs[i].id = 0;
	return r;
}

int store_write_job(struct store *store, const struct job *job)
{
	_cleanup_free_ char *port = NULL;
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[UPDATE_JOB];
	int r, code;

	r = port_text(job, &port);
	if (r < 0)
		return r;
	code = bind_changeable(statement, job, port);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 11, job->id);
	r = code == SQLITE_OK ? store_step(store, statement) : store_error(store, code);
	if (r < 0)
		return r;
	return sqlite3_changes(store->db) == 1 ? 0 : -ENOENT;
}

int store_update_job(struct store *store, const struct job *job)
{
	int r = store_begin(store);

	if (r < 0)
		return r;
	return store_end(store, store_write_job(store, job));
}

static int read_failure(sqlite3_stmt *statement, struct failure *ret)
{
	const char *code = store_text(statement, COLUMN_FAILURE_CODE);
	int r;

	if (!code)
		return 0;
	r = failure_code_from_string(code, &ret->code);
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_FAILURE_MESSAGE, &ret->message);
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_FAILURE_HINT, &ret->hint);
	return r < 0 || ret->message ? r : -EUCLEAN;
}

static int read_texts(sqlite3_stmt *statement, struct job *job)
{
	const char *state = store_text(statement, COLUMN_STATE);
	const char *request = store_text(statement, COLUMN_REQUEST);
	const char *port;
	int r;

	r = state ? job_state_from_string(state, &job->state) : -EUCLEAN;
	if (r >= 0)
		r = request ? job_request_from_text(request, &job->request) : -EUCLEAN;
	if (r < 0)
		return r;
	port = store_text(statement, COLUMN_PORT);
	if (port)
		r = port_from_text(port, &job->port);
	if (r >= 0)
		r = store_copy_text(statement, COLUMN_BACKUP, &job->backup);
	return r < 0 ? r : read_failure(statement, &job->failure);
}

static int read_numbers(sqlite3_stmt *statement, struct job *job)
{
	int64_t owner = sqlite3_column_int64(statement, COLUMN_OWNER);
	int r;

	if (owner < 0 || owner > UINT32_MAX)
		return -EUCLEAN;
	job->owner = (uid_t)owner;
	job->attempts = sqlite3_column_int64(statement, COLUMN_ATTEMPTS);
	r = store_column_unsigned(statement, COLUMN_CREATED, &job->created);
	if (r >= 0)
		r = store_column_unsigned(statement, COLUMN_STARTED, &job->started);
	if (r >= 0)
		r = store_column_unsigned(statement, COLUMN_FINISHED, &job->finished);
	if (r >= 0)
		r = store_column_unsigned(statement, COLUMN_ASKED, &job->asked);
	return r;
}

static int read_job(struct store *store, sqlite3_stmt *statement, struct job *ret)
{
	struct job job = { .id = sqlite3_column_int64(statement, COLUMN_ID) };
	int r = read_numbers(statement, &job);

	if (r >= 0)
		r = read_texts(statement, &job);
	if (r < 0) {
		int64_t id = job.id;

		job_clear(&job);
		return r == -ENOMEM ? r
				    : store_damaged(store, "job %" PRId64 " cannot be read", id);
	}
	*ret = job;
	return 0;
}

int store_get_job(struct store *store, int64_t id, struct job *ret)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[GET_JOB];
	int r = store_error(store, sqlite3_bind_int64(statement, 1, id));

	if (r >= 0)
		r = store_step(store, statement);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	return read_job(store, statement, ret);
}

int store_read_jobs(struct store *store, sqlite3_stmt *statement, struct job **ret, size_t *ret_n)
{
	struct job *jobs = NULL;
	size_t n = 0, room = 0;
	int r;

	while ((r = store_step(store, statement)) > 0) {
		r = store_reserve((void **)&jobs, n, &room, sizeof(*jobs));
		if (r >= 0)
			r = read_job(store, statement, &jobs[n]);
		if (r < 0)
			break;
		n++;
	}
	if (r < 0) {
		jobs_free(jobs, n);
		return r;
	}
	*ret = jobs;
	*ret_n = n;
	return 0;
}

int store_load_unfinished(struct store *store, struct job **ret, size_t *ret_n)
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[LOAD_UNFINISHED];

	return store_read_jobs(store, statement, ret, ret_n);
}

int store_count_jobs(struct store *store, uint64_t ret[_JOB_STATE_MAX])
{
	_cleanup_reset_ sqlite3_stmt *statement = store->statements[COUNT_JOBS];
	uint64_t counts[_JOB_STATE_MAX] = { 0 };
	int r;

	while ((r = store_step(store, statement)) > 0) {
		const char *word = store_text(statement, 0);
		enum job_state state;

		if (!word || job_state_from_string(word, &state) < 0 ||
		    store_column_unsigned(statement, 1, &counts[state]) < 0)
			return store_damaged(store, "the number of \"%s\" jobs cannot be read",
					     word ? word : "");
	}
	if (r < 0)
		return r;
	memcpy(ret, counts, sizeof(counts));
	return 0;
}
