/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/store-place.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/time.h"

/* Changes the database behind the store's back. */
static void damage(const struct place *place, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Tells over the pipe that the jobs are stored, and waits there to be killed. */
static void child_adds_jobs(const char *path, int told)
{
	struct store *store;
	struct job jobs[10];

	if (store_open(path, &store) < 0)
		_exit(1);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = make_job(JOB_QUEUED);
	if (store_add_jobs(store, jobs, ARRAY_SIZE(jobs)) < 0 || write(told, "x", 1) != 1)
		_exit(1);
	for (;;)
		(void)pause();
}

static void test_killed_after_add(void **state)
{
	struct place *place = *state;
	struct job *jobs;
	char byte;
	int pipes[2], status;
	pid_t pid;
	size_t n;

	for (int round = 1; round <= 5; round++) {
		store_close(TAKE_PTR(place->store));
		assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			child_adds_jobs(place->path, pipes[1]);
		fd_close(pipes[1]);
		assert_int_equal(read(pipes[0], &byte, 1), 1);
		fd_close(pipes[0]);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(store_open(place->path, &place->store), 0);
		assert_count(place, JOB_QUEUED, 10U * (unsigned int)round);
		assert_int_equal(store_load_unfinished(place->store, &jobs, &n), 0);
		assert_int_equal(n, 10 * round);
		free_jobs(jobs, n);
	}
}

#define PAGE_SIZE 4096U /* of the database */

static void write_at(const struct place *place, uint64_t offset, const void *data, size_t size)
{
	_cleanup_close_ int fd = open(place->path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_pwrite_all(fd, data, size, offset), 0);
}

/* Overwrites the page that a table begins with. */
static void spoil_table(const struct place *place, const char *name)
{
	uint8_t rubbish[PAGE_SIZE];
	sqlite3_stmt *statement;
	sqlite3 *db;

	memset(rubbish, 0xa5, sizeof(rubbish));
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT rootpage FROM sqlite_schema WHERE name = ?1",
					    -1, &statement, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	write_at(place, ((uint64_t)sqlite3_column_int64(statement, 0) - 1) * PAGE_SIZE, rubbish,
		 sizeof(rubbish));
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_damaged_database(void **state)
{
	struct place *place = *state;
	uint8_t rubbish[PAGE_SIZE];
	struct store *store;

	memset(rubbish, 0xa5, sizeof(rubbish));
	for (int i = 0; i < 200; i++)
		(void)add_job(place, JOB_DONE);
	store_close(TAKE_PTR(place->store)); /* moves the log into the database */

	spoil_table(place, "job");
	spoil_table(place, "job_count");
	assert_int_equal(store_open(place->path, &store), 0);
	{
		uint64_t counts[_JOB_STATE_MAX];
		struct job job;

		assert_int_equal(store_count_jobs(store, counts), -EUCLEAN);
		assert_non_null(strstr(store_error_text(store), "malformed"));
		assert_int_equal(store_get_job(store, 1, &job), -EUCLEAN);
	}
	store_close(store);

	write_at(place, 0, rubbish, sizeof(rubbish));
	assert_int_equal(store_open(place->path, &store), -EUCLEAN);
}

static void assert_unreadable(struct place *place, const char *sql, const char *text)
{
	struct job *jobs, job;
	size_t n;

	damage(place, sql);
	assert_int_equal(store_get_job(place->store, 1, &job), -EUCLEAN);
	assert_string_equal(store_error_text(place->store), text);
	assert_int_equal(store_list_jobs(place->store, &(struct job_filter){ 0 }, &jobs, &n),
			 -EUCLEAN);
	damage(place, "UPDATE job SET request = '{}', port = NULL, owner = 0, created = 1, "
		      "failure_code = NULL, state = 'queued'");
}

static void test_damaged_rows(void **state)
{
	struct place *place = *state;
	struct backup backup = make_backup("one", SOME_TIME, 0), back;
	uint64_t counts[_JOB_STATE_MAX];
	const char *text = "job 1 cannot be read";

	assert_int_equal(add_job(place, JOB_QUEUED), 1);
	assert_unreadable(place, "UPDATE job SET request = '{'", text);
	assert_unreadable(place, "UPDATE job SET request = ''", text);
	assert_unreadable(place, "UPDATE job SET request = '{\"count\":\"x\"}'", text);
	assert_unreadable(place, "UPDATE job SET port = '[]'", text);
	assert_unreadable(place, "UPDATE job SET state = 'sleeping'", text);
	assert_unreadable(place, "UPDATE job SET owner = -1", text);
	assert_unreadable(place, "UPDATE job SET created = -1", text);
	assert_unreadable(place, "UPDATE job SET failure_code = 'bad luck'", text);
	assert_unreadable(place, "UPDATE job SET failure_code = 'timeout'", text);
	assert_int_equal(state_of(place, 1), JOB_QUEUED);

	assert_int_equal(store_count_jobs(place->store, counts), -EUCLEAN);
	damage(place, "DELETE FROM job_count WHERE state = 'sleeping'");
	assert_int_equal(store_count_jobs(place->store, counts), 0);

	assert_int_equal(store_add_backup(place->store, &backup, NULL), 0);
	damage(place, "UPDATE backup SET size = -5");
	assert_int_equal(store_get_backup(place->store, "one", &back), -EUCLEAN);
	assert_string_equal(store_error_text(place->store), "backup one cannot be read");
}

static void test_other_versions(void **state)
{
	struct place *place = *state;
	struct store *store;

	(void)add_job(place, JOB_QUEUED);
	damage(place, "PRAGMA user_version = 3");
	assert_int_equal(store_open(place->path, &store), -EPROTONOSUPPORT);
	damage(place, "PRAGMA user_version = -1");
	assert_int_equal(store_open(place->path, &store), -EPROTONOSUPPORT);
	damage(place, "PRAGMA user_version = 2");
	reopen(place);
	assert_count(place, JOB_QUEUED, 1);
}

/* What an older daemon left is taken over whole, once. */
static void test_first_version(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *sql = NULL;
	struct store_totals totals;
	struct backup backup;
	struct job job;

	store_close(TAKE_PTR(place->store));
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(fd_read_file(AT_FDCWD, MTKRB_TEST_DATA "/data/store/version-1.sql", 65536,
				      &sql, NULL),
			 0);
	damage(place, sql);
	assert_int_equal(store_open(place->path, &place->store), 0);
	reopen(place);
	assert_count(place, JOB_DONE, 1);
	assert_int_equal(store_get_job(place->store, 2, &job), 0);
	assert_int_equal(job.state, JOB_QUEUED);
	assert_int_equal(job.asked, 1795444290000000);
	job_clear(&job);
	assert_int_equal(store_get_backup(place->store, "some-backup", &backup), 0);
	assert_string_equal(backup.labels[0].value, "4711");
	assert_string_equal(backup.content, "");
	assert_int_equal(backup.verified, 0);
	assert_null(backup.firmware);
	backup_clear(&backup);
	assert_int_equal(add_job(place, JOB_QUEUED), 3);
	assert_int_equal(store_add_audit(place->store, 0, AUDIT_RELOAD, NULL, NULL), 0);
	assert_int_equal(store_get_totals(place->store, &totals), 0);
	assert_int_equal(totals.backups, 1);
	assert_true(totals.backup_bytes > 0);
}

static void test_not_a_database(void **state)
{
	struct place *place = *state;
	struct store *store;
	char path[80], target[80];

	(void)snprintf(path, sizeof(path), "%s/none/a.db", place->directory);
	assert_int_equal(store_open(path, &store), -ENOENT);
	assert_int_equal(store_open(place->directory, &store), -EISDIR);
	(void)snprintf(path, sizeof(path), "%s/link.db", place->directory);
	(void)snprintf(target, sizeof(target), "%s/elsewhere.db", place->directory);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(store_open(path, &store), -ELOOP);
	assert_int_equal(access(target, F_OK), -1);
}

static void test_locked_by_another(void **state)
{
	struct place *place = *state;
	struct job job = make_job(JOB_QUEUED);
	uint64_t begun;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	begun = time_now();
	assert_int_equal(store_add_jobs(place->store, &job, 1), -EBUSY);
	assert_true(time_now() - begun < 2 * USEC_PER_SEC);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(store_add_jobs(place->store, &job, 1), 0);
	assert_count(place, JOB_QUEUED, 1);
	job_clear(&job);
}

/* A limit on the size of files is the full disk that an ordinary user can make. */
static void test_full_disk(void **state)
{
	struct place *place = *state;
	const struct rlimit small = { .rlim_cur = 256 << 10, .rlim_max = RLIM_INFINITY };
	struct job jobs[100];
	struct rlimit before;
	uint64_t stored = 0;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = make_job(JOB_QUEUED);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 1000 && r >= 0; i++) {
		r = store_add_jobs(place->store, jobs, ARRAY_SIZE(jobs));
		stored += r >= 0 ? ARRAY_SIZE(jobs) : 0;
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(jobs[0].id, 0);
	assert_true(stored > 0);
	assert_count(place, JOB_QUEUED, stored);

	/* There is room again, and nothing was lost. */
	assert_int_equal(store_add_jobs(place->store, jobs, ARRAY_SIZE(jobs)), 0);
	reopen(place);
	assert_count(place, JOB_QUEUED, stored + ARRAY_SIZE(jobs));
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		job_clear(&jobs[i]);
}

static uint64_t best_of(struct place *place, void (*run)(struct place *place))
{
	uint64_t best = USEC_NEVER;

	for (int i = 0; i < 7; i++) {
		uint64_t begun = time_now();

		run(place);
		best = MIN_OF(best, time_now() - begun);
	}
	return best;
}

static void run_count(struct place *place)
{
	assert_count(place, JOB_DONE, 99998);
}

static void run_list(struct place *place)
{
	struct job_filter filter = { .limit = 50 };
	struct job *jobs;
	size_t n;

	assert_int_equal(store_list_jobs(place->store, &filter, &jobs, &n), 0);
	assert_int_equal(n, 50);
	assert_int_equal(jobs[0].id, 100000);
	free_jobs(jobs, n);
}

/* The newest few of a state that is everywhere, and the only ones of a rare state far back. */
static void run_list_states(struct place *place)
{
	struct job_filter filter = { .states = 1U << JOB_DONE | 1U << JOB_FAILED, .limit = 50 };
	struct job *jobs;
	size_t n;

	assert_int_equal(store_list_jobs(place->store, &filter, &jobs, &n), 0);
	assert_int_equal(n, 50);
	free_jobs(jobs, n);
	filter.states = 1U << JOB_FAILED;
	assert_int_equal(store_list_jobs(place->store, &filter, &jobs, &n), 0);
	assert_int_equal(n, 2);
	free_jobs(jobs, n);
}

static void run_open(struct place *place)
{
	struct job *jobs;
	size_t n;

	reopen(place);
	assert_int_equal(store_load_unfinished(place->store, &jobs, &n), 0);
	assert_int_equal(n, 0);
	free_jobs(jobs, n);
}

/* With sanitizers everything is slower; the limits are against scans, which take 20 ms and more. */
#if defined(__SANITIZE_ADDRESS__)
#define SLOWER 5
#else
#define SLOWER 1
#endif

static void test_hundred_thousand_jobs(void **state)
{
	struct place *place = *state;

	damage(place,
	       "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	       "WHERE i < 100000) INSERT INTO job (state, request, owner, created, started, "
	       "finished, attempts) SELECT iif(i < 3, 'failed', 'done'), '{}', 0, i, i, i, 1 "
	       "FROM n");
	assert_true(best_of(place, run_count) < 1 * SLOWER * USEC_PER_MSEC);
	assert_true(best_of(place, run_list) < 2 * SLOWER * USEC_PER_MSEC);
	assert_true(best_of(place, run_list_states) < 4 * SLOWER * USEC_PER_MSEC);
	assert_true(best_of(place, run_open) < 15 * SLOWER * USEC_PER_MSEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_killed_after_add, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_database, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_versions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_first_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_a_database, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_locked_by_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hundred_thousand_jobs, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("store-durable", tests, NULL, NULL);
}
