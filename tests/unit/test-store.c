/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/store-place.h"

#include <errno.h>
#include <sys/stat.h>

static void test_new_database(void **state)
{
	struct place *place = *state;
	uint64_t counts[_JOB_STATE_MAX] = { 1, 1, 1, 1, 1, 1 };
	struct job_filter all = { 0 };
	struct job *jobs, job;
	struct stat st;
	size_t n;

	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0); /* nothing beyond 0640 */
	assert_int_equal(store_count_jobs(place->store, counts), 0);
	for (size_t i = 0; i < _JOB_STATE_MAX; i++)
		assert_int_equal(counts[i], 0);
	assert_int_equal(store_list_jobs(place->store, &all, &jobs, &n), 0);
	assert_int_equal(n, 0);
	free_jobs(jobs, n);
	assert_int_equal(store_get_job(place->store, 1, &job), -ENOENT);
}

static void test_job_round_trip(void **state)
{
	struct place *place = *state;
	struct job job = make_job(JOB_QUEUED), back;

	job.request.priority = -7;
	job.request.verify = VERIFY_FULL;
	assert_int_equal(str_replace(&job.request.slot, "left"), 0);
	assert_int_equal(job_request_add_label(&job.request, "ticket", "4711 \"ä\" 'x'"), 0);
	assert_int_equal(store_add_jobs(place->store, &job, 1), 0);
	assert_true(job.id > 0);

	job.state = JOB_FAILED;
	job.started = SOME_TIME + 1;
	job.finished = SOME_TIME + 2;
	job.asked = SOME_TIME + 3;
	job.attempts = 3;
	assert_int_equal(str_replace(&job.port.slot, "left"), 0);
	assert_int_equal(str_replace(&job.port.device, "/dev/ttyACM0"), 0);
	assert_int_equal(str_replace(&job.port.mode, "brom"), 0);
	assert_int_equal(str_replace(&job.port.meid, MEID), 0);
	assert_int_equal(str_replace(&job.backup, "some-backup"), 0);
	assert_true(failure_set(&job.failure, FAILURE_READ_FAILED, "try again", "at %d", 5) >= 0);
	job.progress.phase = PHASE_READ; /* never stored */
	assert_int_equal(store_update_job(place->store, &job), 0);
	reopen(place);

	assert_int_equal(store_get_job(place->store, job.id, &back), 0);
	assert_int_equal(back.id, job.id);
	assert_int_equal(back.state, JOB_FAILED);
	assert_int_equal(back.owner, 1000);
	assert_int_equal(back.created, SOME_TIME);
	assert_int_equal(back.started, SOME_TIME + 1);
	assert_int_equal(back.finished, SOME_TIME + 2);
	assert_int_equal(back.asked, SOME_TIME + 3);
	assert_int_equal(back.attempts, 3);
	assert_int_equal(back.request.priority, -7);
	assert_int_equal(back.request.verify, VERIFY_FULL);
	assert_string_equal(back.request.slot, "left");
	assert_int_equal(back.request.n_ranges, 1);
	assert_string_equal(back.request.ranges[0].name, "ROM_0");
	assert_true(back.request.ranges[0].length == RANGE_AUTO);
	assert_int_equal(back.request.n_labels, 1);
	assert_string_equal(back.request.labels[0].value, "4711 \"ä\" 'x'");
	assert_string_equal(back.port.device, "/dev/ttyACM0");
	assert_string_equal(back.port.meid, MEID);
	assert_string_equal(back.backup, "some-backup");
	assert_int_equal(back.failure.code, FAILURE_READ_FAILED);
	assert_string_equal(back.failure.message, "at 5");
	assert_string_equal(back.failure.hint, "try again");
	assert_int_equal(back.progress.phase, PHASE_NONE);
	job_clear(&back);
	job_clear(&job);
}

static void test_update_clears(void **state)
{
	struct place *place = *state;
	struct job job = make_job(JOB_WAITING), back;

	assert_int_equal(str_replace(&job.port.slot, "a"), 0);
	assert_int_equal(str_replace(&job.port.device, "/dev/pts/1"), 0);
	assert_int_equal(str_replace(&job.port.mode, "auto"), 0);
	assert_true(failure_set(&job.failure, FAILURE_DEVICE_LOST, NULL, "gone") >= 0);
	assert_int_equal(store_add_jobs(place->store, &job, 1), 0);
	port_clear(&job.port);
	failure_clear(&job.failure);
	job.state = JOB_QUEUED;
	assert_int_equal(store_update_job(place->store, &job), 0);
	assert_int_equal(store_get_job(place->store, job.id, &back), 0);
	assert_null(back.port.slot);
	assert_int_equal(back.failure.code, FAILURE_NONE);
	assert_null(back.failure.message);
	job_clear(&back);

	job.id += 1;
	assert_int_equal(store_update_job(place->store, &job), -ENOENT);
	job_clear(&job);
}

static void test_lists_and_counts(void **state)
{
	struct place *place = *state;
	static const enum job_state states[] = { JOB_DONE,   JOB_QUEUED,  JOB_FAILED,
						 JOB_DONE,   JOB_RUNNING, JOB_WAITING,
						 JOB_QUEUED, JOB_DONE,    JOB_CANCELLED };
	struct job_filter filter = { 0 };
	struct job *jobs;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		assert_int_equal(add_job(place, states[i]), i + 1);

	assert_int_equal(store_list_jobs(place->store, &filter, &jobs, &n), 0);
	assert_int_equal(n, 9);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(jobs[i].id, 9 - i);
	free_jobs(jobs, n);

	filter = (struct job_filter){ .before = 8, .limit = 2 };
	assert_int_equal(store_list_jobs(place->store, &filter, &jobs, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(jobs[0].id, 7);
	assert_int_equal(jobs[1].id, 6);
	free_jobs(jobs, n);

	filter = (struct job_filter){ .states = 1U << JOB_DONE | 1U << JOB_FAILED, .limit = 3 };
	assert_int_equal(store_list_jobs(place->store, &filter, &jobs, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(jobs[0].id, 8);
	assert_int_equal(jobs[1].id, 4);
	assert_int_equal(jobs[2].id, 3);
	free_jobs(jobs, n);

	filter = (struct job_filter){ .states = 1U << JOB_DONE, .before = 4 };
	assert_int_equal(store_list_jobs(place->store, &filter, &jobs, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(jobs[0].id, 1);
	free_jobs(jobs, n);

	assert_int_equal(store_load_unfinished(place->store, &jobs, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(jobs[0].id, 2);
	assert_int_equal(jobs[1].id, 5);
	assert_int_equal(jobs[2].id, 6);
	assert_int_equal(jobs[3].id, 7);
	jobs[1].state = JOB_DONE;
	assert_int_equal(store_update_job(place->store, &jobs[1]), 0);
	free_jobs(jobs, n);

	assert_count(place, JOB_DONE, 4);
	assert_count(place, JOB_RUNNING, 0);
	assert_count(place, JOB_QUEUED, 2);
	assert_count(place, JOB_CANCELLED, 1);
	reopen(place);
	assert_count(place, JOB_DONE, 4);
}

/* The third of five jobs cannot be stored: none is. */
static void test_add_jobs_is_atomic(void **state)
{
	struct place *place = *state;
	struct job jobs[5];

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = make_job(JOB_QUEUED);
	jobs[2].created = UINT64_MAX;
	assert_int_equal(store_add_jobs(place->store, jobs, ARRAY_SIZE(jobs)), -EINVAL);
	assert_true(*store_error_text(place->store) != '\0');
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		assert_int_equal(jobs[i].id, 0);
	assert_count(place, JOB_QUEUED, 0);

	jobs[2].created = SOME_TIME;
	assert_int_equal(store_add_jobs(place->store, jobs, ARRAY_SIZE(jobs)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		assert_int_equal(jobs[i].id, jobs[0].id + (int64_t)i);
	assert_count(place, JOB_QUEUED, 5);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		job_clear(&jobs[i]);
}

static void test_backup_round_trip(void **state)
{
	struct place *place = *state;
	struct backup backup = make_backup("one", SOME_TIME, 2), back;
	uint64_t last = 1;

	assert_int_equal(store_last_backup_of(place->store, MEID, &last), 0);
	assert_int_equal(last, 0);
	assert_int_equal(store_add_backup(place->store, &backup, NULL), 0);
	reopen(place);
	assert_int_equal(store_get_backup(place->store, "one", &back), 0);
	assert_string_equal(back.id, "one");
	assert_string_equal(back.path, backup.path);
	assert_int_equal(back.created, SOME_TIME);
	assert_string_equal(back.chip, "MT6261");
	assert_string_equal(back.meid, MEID);
	assert_int_equal(back.size, 4 << 20);
	assert_string_equal(back.sha256, SHA256);
	assert_int_equal(back.health, 97);
	assert_int_equal(back.job, 12);
	assert_int_equal(back.n_labels, 2);
	assert_string_equal(back.labels[0].key, "customer");
	assert_string_equal(back.labels[0].value, "Ms. O'Hara");
	assert_string_equal(back.labels[1].key, "ticket");
	backup_clear(&back);
	assert_int_equal(store_last_backup_of(place->store, MEID, &last), 0);
	assert_int_equal(last, SOME_TIME);

	/* Replaced, with fewer labels and less known. */
	backup.n_labels = 1;
	backup.chip = backup.meid = NULL;
	backup.health = -1;
	assert_int_equal(store_add_backup(place->store, &backup, NULL), 0);
	assert_int_equal(store_get_backup(place->store, "one", &back), 0);
	assert_null(back.chip);
	assert_null(back.meid);
	assert_int_equal(back.health, -1);
	assert_int_equal(back.n_labels, 1);
	backup_clear(&back);

	assert_int_equal(store_remove_backup(place->store, "one"), 0);
	assert_int_equal(store_remove_backup(place->store, "one"), -ENOENT);
	assert_int_equal(store_get_backup(place->store, "one", &back), -ENOENT);
}

static void assert_found(struct place *place, const struct backup_filter *filter,
			 const char *expected)
{
	char found[32] = "";
	struct backup *backups;
	size_t n;

	assert_int_equal(store_list_backups(place->store, filter, &backups, &n), 0);
	assert_true(n < sizeof(found));
	for (size_t i = 0; i < n; i++)
		found[i] = backups[i].id[0];
	free_backups(backups, n);
	assert_string_equal(found, expected);
}

static void test_backup_filters(void **state)
{
	struct place *place = *state;
	const struct label wrong = { (char *)"ticket", (char *)"4712" };
	struct backup backup;

	backup = make_backup("a", SOME_TIME, 2);
	assert_int_equal(store_add_backup(place->store, &backup, NULL), 0);
	backup = make_backup("b", SOME_TIME + 2, 1);
	backup.chip = (char *)"MT6260";
	assert_int_equal(store_add_backup(place->store, &backup, NULL), 0);
	backup = make_backup("c", SOME_TIME + 1, 0);
	backup.meid = NULL;
	assert_int_equal(store_add_backup(place->store, &backup, NULL), 0);

	assert_found(place, &(struct backup_filter){ 0 }, "bca");
	assert_found(place, &(struct backup_filter){ .limit = 2 }, "bc");
	assert_found(place, &(struct backup_filter){ .since = SOME_TIME + 1 }, "bc");
	assert_found(place, &(struct backup_filter){ .since = SOME_TIME + 3 }, "");
	assert_found(place, &(struct backup_filter){ .chip = "mt6261" }, "ca");
	assert_found(place, &(struct backup_filter){ .chip = "MT626" }, "");
	assert_found(place, &(struct backup_filter){ .meid = MEID }, "ba");
	assert_found(place, &(struct backup_filter){ .meid = MEID, .chip = "MT6260" }, "b");
	assert_found(place, &(struct backup_filter){ .labels = shop, .n_labels = 1 }, "ba");
	assert_found(place, &(struct backup_filter){ .labels = shop, .n_labels = 2 }, "a");
	assert_found(place, &(struct backup_filter){ .labels = &wrong, .n_labels = 1 }, "");
	assert_found(place, &(struct backup_filter){ .chip = "' OR 1 --" }, "");
	assert_int_equal(store_remove_backup(place->store, "a"), 0);
	assert_found(place, &(struct backup_filter){ .labels = shop, .n_labels = 2 }, "");
}

static void test_watch_after_watch(void **state)
{
	struct place *place = *state;
	static const char *const meids[] = { "bb", NULL, "aa", "bb" };
	static const char *const ids[] = { "a", "b", "c", "d" };
	char *watch = NULL, *next;

	assert_int_equal(store_next_watch(place->store, NULL, &watch), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct backup backup = make_backup(ids[i], SOME_TIME + i, 0);

		backup.meid = (char *)meids[i];
		assert_int_equal(store_add_backup(place->store, &backup, NULL), 0);
	}
	assert_int_equal(store_next_watch(place->store, NULL, &watch), 0);
	assert_string_equal(watch, "aa");
	assert_int_equal(store_next_watch(place->store, watch, &next), 0);
	assert_string_equal(next, "bb");
	free(watch);
	assert_int_equal(store_next_watch(place->store, next, &watch), -ENOENT);
	free(next);
	assert_found(place, &(struct backup_filter){ .oldest_first = true, .limit = 3 }, "abc");
}

/* A backup and its job's state, both or neither. */
static void test_backup_with_job(void **state)
{
	struct place *place = *state;
	struct backup backup = make_backup("one", SOME_TIME, 2), back;
	struct job job;
	int64_t id = add_job(place, JOB_RUNNING);

	assert_int_equal(store_get_job(place->store, id, &job), 0);
	job.state = JOB_DONE;
	job.id = id + 1;
	assert_int_equal(store_add_backup(place->store, &backup, &job), -ENOENT);
	assert_int_equal(store_get_backup(place->store, "one", &back), -ENOENT);

	job.id = id;
	backup.size = UINT64_MAX;
	assert_int_equal(store_add_backup(place->store, &backup, &job), -EINVAL);
	assert_int_equal(state_of(place, id), JOB_RUNNING);

	backup.size = 1;
	assert_int_equal(store_add_backup(place->store, &backup, &job), 0);
	assert_int_equal(state_of(place, id), JOB_DONE);
	assert_int_equal(store_get_backup(place->store, "one", &back), 0);
	backup_clear(&back);
	job_clear(&job);
}

/* Two labels of one key and value cannot be: what is refused in the middle leaves nothing. */
static void test_failed_replacement_keeps_the_old(void **state)
{
	struct place *place = *state;
	struct label twice[] = { shop[0], shop[0] };
	struct backup backup = make_backup("one", SOME_TIME, 2), back;

	assert_int_equal(store_add_backup(place->store, &backup, NULL), 0);
	backup.labels = twice;
	assert_int_equal(store_add_backup(place->store, &backup, NULL), -EINVAL);
	assert_int_equal(store_get_backup(place->store, "one", &back), 0);
	assert_int_equal(back.n_labels, 2);
	backup_clear(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_database, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_job_round_trip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_update_clears, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lists_and_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_add_jobs_is_atomic, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_backup_round_trip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_backup_filters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_watch_after_watch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_backup_with_job, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed_replacement_keeps_the_old, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
