/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs by label and by time, and that the work for it does not grow with all the other jobs. */

#include "tests/unit/store-place.h"

#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/control/batch.h"

/* What SQLite's machine did for all statements of the process since it was last set to 0. */
static uint64_t work;

static int count_work(unsigned int event _unused_, void *context _unused_, void *statement,
		      void *elapsed _unused_)
{
	work += (uint64_t)sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
	return 0;
}

static int watch_connection(sqlite3 *db, const char **error _unused_,
			    const struct sqlite3_api_routines *api _unused_)
{
	return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, count_work, NULL);
}

/* SQL behind the store's back, on a database that may not be a store yet. */
static void execute(const struct place *place, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t add_labelled(struct place *place, enum job_state state, const char *batch,
			    const char *ticket)
{
	struct job job = make_job(state);
	int64_t id;

	if (batch)
		assert_int_equal(job_request_add_label(&job.request, "batch", batch), 0);
	if (ticket)
		assert_int_equal(job_request_add_label(&job.request, "ticket", ticket), 0);
	assert_int_equal(store_add_jobs(place->store, &job, 1), 0);
	id = job.id;
	job_clear(&job);
	return id;
}

/* The ids that the filter finds, as digits, in order. */
static void assert_found(struct place *place, const struct job_filter *filter, const char *expected)
{
	char found[32] = "";
	struct job *jobs;
	size_t n;

	assert_int_equal(store_list_jobs(place->store, filter, &jobs, &n), 0);
	assert_true(n < sizeof(found));
	for (size_t i = 0; i < n; i++)
		found[i] = (char)('0' + jobs[i].id);
	free_jobs(jobs, n);
	assert_string_equal(found, expected);
}

static const struct label monday[] = { { (char *)"batch", (char *)"monday" },
				       { (char *)"ticket", (char *)"T-2" } };

static void test_by_label(void **state)
{
	struct place *place = *state;
	const struct label injection = { (char *)"batch", (char *)"' OR 1 --" };
	const struct label nearly = { (char *)"batch", (char *)"Monday" };

	(void)add_labelled(place, JOB_DONE, "monday", "T-1");
	(void)add_labelled(place, JOB_QUEUED, "monday", "T-2");
	(void)add_labelled(place, JOB_QUEUED, "tuesday", "T-2");
	(void)add_labelled(place, JOB_QUEUED, NULL, NULL);
	(void)add_labelled(place, JOB_FAILED, "monday", "T-2");

	assert_found(place, &(struct job_filter){ .labels = monday, .n_labels = 1 }, "521");
	assert_found(place, &(struct job_filter){ .labels = monday, .n_labels = 2 }, "52");
	assert_found(place, &(struct job_filter){ .labels = monday + 1, .n_labels = 1 }, "532");
	assert_found(place, &(struct job_filter){ .labels = &injection, .n_labels = 1 }, "");
	assert_found(place, &(struct job_filter){ .labels = &nearly, .n_labels = 1 }, "");
	assert_found(place, &(struct job_filter){ .labels = monday, .n_labels = 1, .limit = 2 },
		     "52");
	assert_found(place, &(struct job_filter){ .labels = monday, .n_labels = 1, .before = 5 },
		     "21");
	assert_found(place,
		     &(struct job_filter){ .labels = monday,
					   .n_labels = 1,
					   .states = 1U << JOB_DONE | 1U << JOB_FAILED },
		     "51");
	reopen(place);
	assert_found(place, &(struct job_filter){ .labels = monday, .n_labels = 2 }, "52");
}

static void set_times(struct place *place, int64_t id, uint64_t created, uint64_t finished)
{
	_cleanup_free_ char *sql = str_format(
		"UPDATE job SET created = %llu, finished = %llu WHERE id = %lld",
		(unsigned long long)created, (unsigned long long)finished, (long long)id);

	assert_non_null(sql);
	execute(place, sql);
}

static void test_since(void **state)
{
	struct place *place = *state;

	for (int64_t id = 1; id <= 5; id++)
		assert_int_equal(add_labelled(place, JOB_QUEUED, id % 2 ? "monday" : NULL, NULL),
				 id);
	set_times(place, 1, 10, 0);
	set_times(place, 2, 11, 25);
	set_times(place, 3, 20, 0);
	set_times(place, 4, 19, 19);
	set_times(place, 5, 21, 22);

	assert_found(place, &(struct job_filter){ .since = 20 }, "532");
	assert_found(place, &(struct job_filter){ .since = 20, .limit = 2 }, "53");
	assert_found(place, &(struct job_filter){ .since = 20, .before = 5 }, "32");
	assert_found(place, &(struct job_filter){ .since = 26 }, "");
	assert_found(place, &(struct job_filter){ .since = 20, .states = 1U << JOB_DONE }, "");
	assert_found(place, &(struct job_filter){ .since = 20, .labels = monday, .n_labels = 1 },
		     "53");
	assert_found(place, &(struct job_filter){ .since = 10, .labels = monday, .n_labels = 1 },
		     "531");
	assert_found(place,
		     &(struct job_filter){
			     .since = 10, .states = 1U << JOB_QUEUED, .limit = 1, .before = 2 },
		     "1");
}

/* The label comes second and is refused: neither it nor any of the jobs is there. */
static void test_labels_and_job_or_neither(void **state)
{
	struct place *place = *state;
	struct label twice[] = { monday[0], monday[0] };
	struct job jobs[2] = { make_job(JOB_QUEUED), make_job(JOB_QUEUED) };

	assert_int_equal(job_request_add_label(&jobs[0].request, "batch", "monday"), 0);
	jobs[1].request.labels = twice;
	jobs[1].request.n_labels = 2;
	assert_true(store_add_jobs(place->store, jobs, 2) < 0);
	assert_count(place, JOB_QUEUED, 0);
	assert_found(place, &(struct job_filter){ .labels = monday, .n_labels = 1 }, "");
	jobs[1].request.labels = NULL;
	jobs[1].request.n_labels = 0;
	job_clear(&jobs[0]);
	job_clear(&jobs[1]);
}

/* A database of the first version, with two jobs, and these: one of them has a damaged request. */
static void test_labels_of_older_jobs(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *sql = NULL;
	const struct label note = { (char *)"note", (char *)"ä \"x\"" };

	store_close(TAKE_PTR(place->store));
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(fd_read_file(AT_FDCWD, MTKRB_TEST_DATA "/data/store/version-1.sql", 65536,
				      &sql, NULL),
			 0);
	execute(place, sql);
	execute(place,
		"INSERT INTO job (state, request, owner, created, started, finished, attempts)"
		" VALUES ('done', '{\"labels\":{\"batch\":\"monday\",\"note\":\"\\u00e4 \\\"x\\\"\""
		"}}', 0, 1, 2, 3, 1), ('failed', 'no JSON', 0, 1, 2, 3, 1),"
		" ('queued', '{\"labels\":{\"batch\":\"monday\",\"ticket\":\"T-2\"}}', 0, 1, 0, 0,"
		" 0);");
	assert_int_equal(store_open(place->path, &place->store), 0);
	assert_found(place, &(struct job_filter){ .labels = monday, .n_labels = 1 }, "53");
	assert_found(place, &(struct job_filter){ .labels = monday, .n_labels = 2 }, "5");
	assert_found(place, &(struct job_filter){ .labels = &note, .n_labels = 1 }, "3");
	assert_int_equal(add_labelled(place, JOB_QUEUED, "monday", NULL), 6);
	assert_found(place, &(struct job_filter){ .labels = monday, .n_labels = 1 }, "653");
}

static void free_batches(struct batch *batches, size_t n)
{
	for (size_t i = 0; i < n; i++)
		batch_clear(&batches[i]);
	free(batches);
}

static void test_batches(void **state)
{
	struct place *place = *state;
	struct batch *batches;
	size_t n;

	(void)add_labelled(place, JOB_QUEUED, NULL, "T-0");
	assert_int_equal(store_list_batches(place->store, 0, &batches, &n), 0);
	assert_int_equal(n, 0);
	free_batches(batches, n);

	(void)add_labelled(place, JOB_DONE, "zebra", "T-1");
	(void)add_labelled(place, JOB_DONE, "", NULL);
	(void)add_labelled(place, JOB_DONE, "ape", "T-1");
	(void)add_labelled(place, JOB_FAILED, "zebra", "T-2");
	(void)add_labelled(place, JOB_RUNNING, "zebra", "T-3");
	(void)add_labelled(place, JOB_CANCELLED, "ape", "T-3");
	set_times(place, 3, 10, 12);
	set_times(place, 4, 10, 20);
	set_times(place, 5, 13, 17);
	set_times(place, 7, 14, 21);
	assert_int_equal(store_list_batches(place->store, 0, &batches, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(batches[0].name, "ape");
	assert_int_equal(batches[0].created, 10);
	assert_int_equal(batches[0].finished, 21);
	assert_int_equal(batches[0].jobs[JOB_DONE], 1);
	assert_int_equal(batches[0].jobs[JOB_CANCELLED], 1);
	assert_int_equal(batches[0].jobs[JOB_FAILED], 0);
	assert_string_equal(batches[1].name, "zebra");
	assert_int_equal(batches[1].finished, 0);
	assert_int_equal(batches[1].jobs[JOB_DONE], 1);
	assert_int_equal(batches[1].jobs[JOB_FAILED], 1);
	assert_int_equal(batches[1].jobs[JOB_RUNNING], 1);
	assert_string_equal(batches[2].name, "");
	free_batches(batches, n);

	assert_int_equal(store_list_batches(place->store, 1, &batches, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(batches[0].name, "ape");
	free_batches(batches, n);
}

/* So many jobs of no interest, with other batches and tickets, created and ended at time 1. */
static void add_others(struct place *place, int n)
{
	_cleanup_free_ char *sql = str_format(
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		" INSERT INTO job (state, request, owner, created, started, finished, attempts)"
		" SELECT 'done', '{}', 0, 1, 1, 1, 1 FROM n;"
		"INSERT INTO job_label SELECT 'batch', id / 20, id FROM job"
		" UNION ALL SELECT 'ticket', id, id FROM job;",
		n);

	assert_non_null(sql);
	execute(place, sql);
}

static uint64_t work_of(struct place *place, const struct job_filter *filter, size_t expected)
{
	struct job *jobs;
	size_t n;

	work = 0;
	assert_int_equal(store_list_jobs(place->store, filter, &jobs, &n), 0);
	assert_int_equal(n, expected);
	free_jobs(jobs, n);
	assert_true(work > 0);
	return work;
}

static const struct job_filter filters[] = {
	{ .labels = monday, .n_labels = 1 },
	{ .labels = monday, .n_labels = 1, .limit = 20 },
	{ .labels = monday, .n_labels = 2 },
	{ .labels = monday, .n_labels = 1, .states = 1U << JOB_QUEUED },
	{ .labels = monday, .n_labels = 1, .since = SOME_TIME },
	{ .since = SOME_TIME },
	{ .since = SOME_TIME, .states = 1U << JOB_DONE },
};
static const size_t filters_find[ARRAY_SIZE(filters)] = { 40, 20, 1, 20, 40, 40, 20 };

static uint64_t work_of_newest_batch(struct place *place)
{
	struct batch *batches;
	size_t n;

	work = 0;
	assert_int_equal(store_list_batches(place->store, 1, &batches, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(batches[0].jobs[JOB_DONE], 20);
	free_batches(batches, n);
	return work;
}

/* What it takes to find forty jobs of today behind so many others. */
static void measure(struct place *place, int others, uint64_t ret[ARRAY_SIZE(filters)])
{
	execute(place, "DELETE FROM job_label; DELETE FROM job;");
	add_others(place, others);
	for (int i = 0; i < 40; i++)
		(void)add_labelled(place, i % 2 ? JOB_DONE : JOB_QUEUED, "monday",
				   i == 7 ? "T-2" : "T-1");
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		ret[i] = work_of(place, &filters[i], filters_find[i]);
}

/* From name to name, and into the newest: not by way of every job of every batch. */
static void test_batches_are_not_read_whole(void **state)
{
	struct place *place = *state;
	uint64_t found[ARRAY_SIZE(filters)], names;

	measure(place, 1000, found);
	names = work_of_newest_batch(place);
	execute(place, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		       " WHERE i < 50) INSERT INTO job_label SELECT label.key, label.value,"
		       " label.job - 2000 * n.i FROM job_label AS label CROSS JOIN n"
		       " WHERE label.key = 'batch' AND label.value <> 'monday'");
	assert_in_range(work_of_newest_batch(place), 1, names + names / 10);
}

static void test_work_does_not_grow(void **state)
{
	uint64_t few[ARRAY_SIZE(filters)], many[ARRAY_SIZE(filters)];

	measure(*state, 2000, few);
	measure(*state, 100000, many);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		assert_int_equal(many[i], few[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_by_label, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_since, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_labels_and_job_or_neither, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_labels_of_older_jobs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_batches, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_batches_are_not_read_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_work_does_not_grow, set_up, tear_down),
	};

	/* Counts on every connection that is opened from here on. */
	if (sqlite3_auto_extension((void (*)(void))watch_connection) != SQLITE_OK)
		return 1;
	return cmocka_run_group_tests_name("store-labels", tests, NULL, NULL);
}
