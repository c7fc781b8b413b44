/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was acknowledged is there again, whatever ended the daemon, in each state of a job. */

#include "tests/integration/rig.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "tests/integration/watch-log.h"

#define OVERLAP 1024U /* of a read that goes on: compared with what is there */

static void expect_state(const struct rig *rig, int64_t id, enum job_state state)
{
	struct job job = rig_job(rig, id);

	assert_string_equal(job_state_to_string(job.state), job_state_to_string(state));
	job_clear(&job);
}

static void test_killed_at_once_after_submit(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 10; i++) {
		int64_t id = rig_submit(rig, "{\"labels\":{\"n\":\"1\"}}");

		assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
		rig_start(rig);
		expect_state(rig, id, JOB_QUEUED);
	}
}

/* Slow enough that the daemon can be ended in the middle of it, when a part of it has been saved. */
static int64_t begin_slow_read(struct rig *rig, struct watch *watch, const char *image)
{
	int64_t id;

	watch_plug(rig, watch, "watch", "--flash", image, "--rate", "2000000", NULL);
	id = rig_submit(rig, "{\"verify\":\"none\"}");
	rig_attach(rig, watch->link, "A1");
	for (int i = 0; i < 1000; i++) {
		struct job job = rig_job(rig, id);
		uint64_t done = job.progress.phase == PHASE_READ ? job.progress.done : 0;

		job_clear(&job);
		if (done > 1500000 && rig_saved(rig, id) > 0)
			return id;
		sleep_ms(10);
	}
	fail_msg("the read does not get on");
	return 0;
}

/* Whoever is asked to end saves all that has come; whoever is killed has saved it not long before. */
static void end_in_the_middle(struct rig *rig, int signal, int status)
{
	char image[128], directory[512];
	_cleanup_free_ char *file = NULL;
	struct reading_run first, second;
	uint64_t begun, saved;
	struct watch watch;
	struct job job;
	int64_t id;

	rig_make_image(rig, "image", "4M", image);
	id = begin_slow_read(rig, &watch, image);
	begun = time_now();
	assert_int_equal(rig_stop(rig, signal), status);
	assert_true(time_now() - begun < 5 * USEC_PER_SEC);
	first = watch_log_run(watch.log);
	saved = rig_saved(rig, id);
	assert_in_range(saved, signal == SIGKILL ? OVERLAP : first.last, first.end);
	rig_start(rig);
	expect_state(rig, id, JOB_WAITING);
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_DONE, 30);
	assert_int_equal(job.attempts, 2);
	job_clear(&job);
	second = watch_log_run(watch.log);
	assert_in_range(second.start, saved - OVERLAP, saved);
	rig_backup_path(rig, id, directory);
	file = str_format("%s/ROM_0", directory);
	assert_true(same_content(file, image));
	watch_unplug(&watch);
}

static void test_terminated_in_the_middle(void **state)
{
	end_in_the_middle(*state, SIGTERM, 0);
}

static void test_killed_in_the_middle(void **state)
{
	end_in_the_middle(*state, SIGKILL, 128 + SIGKILL);
}

static void test_waiting_over_a_restart(void **state)
{
	struct rig *rig = *state;
	char image[128], directory[512];
	_cleanup_free_ char *file = NULL;
	struct reading_run first, second;
	struct watch watch;
	struct job job;
	int64_t id;

	rig_make_image(rig, "image", "4M", image);
	watch_plug(rig, &watch, "watch", "--flash", image, "--fault", "unplug@0x23c123", NULL);
	id = rig_submit(rig, "{\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_WAITING, 30);
	assert_int_equal(job.failure.code, FAILURE_DEVICE_LOST);
	job_clear(&job);
	first = watch_log_run(watch.log);
	watch_unplug(&watch);
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	rig_start(rig);
	expect_state(rig, id, JOB_WAITING);
	/* Back in another slot: it is known by its ME ID. */
	watch_plug(rig, &watch, "again", "--flash", image, NULL);
	rig_attach(rig, watch.link, "A2");
	job = rig_wait(rig, id, JOB_DONE, 30);
	job_clear(&job);
	rig_backup_path(rig, id, directory);
	file = str_format("%s/ROM_0", directory);
	assert_true(same_content(file, image));
	/* The piece that broke off did not come, all before it had. */
	second = watch_log_run(watch.log);
	assert_in_range(second.start, first.last - OVERLAP, first.last);
	watch_unplug(&watch);
}

static void test_another_watch_is_not_mixed_in(void **state)
{
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	watch_plug(rig, &watch, "watch", "--flash", "new:4M", "--fault", "unplug@0x23c123", NULL);
	id = rig_submit(rig, "{\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_WAITING, 30);
	job_clear(&job);
	watch_unplug(&watch);
	watch_plug(rig, &watch, "other", "--flash", "new:4M", "--meid",
		   "000102030405060708090a0b0c0d0e0f", NULL);
	rig_attach(rig, watch.link, "A3");
	sleep_ms(1500);
	expect_state(rig, id, JOB_WAITING);
	watch_unplug(&watch);
}

static void test_final_states_stay(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *cancel = NULL, *retry = NULL;
	struct watch watch;
	struct job job;
	int64_t done, cancelled, failed;

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	done = rig_submit(rig, "{\"verify\":\"none\",\"slot\":\"A1\"}");
	cancelled = rig_submit(rig, "{\"slot\":\"B9\"}");
	failed = rig_submit(rig, "{\"slot\":\"B9\",\"timeout\":0.3}");
	rig_attach(rig, watch.link, "A1");
	cancel = str_format("{\"id\":%" PRId64 "}", cancelled);
	message_unref(rig_call(rig, "Cancel", cancel, NULL));
	message_unref(rig_call(rig, "Cancel", cancel, "io.mtkrbd.Control.WrongState"));
	job = rig_wait(rig, done, JOB_DONE, 30);
	job_clear(&job);
	job = rig_wait(rig, failed, JOB_FAILED, 10);
	job_clear(&job);
	assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
	rig_start(rig);
	expect_state(rig, done, JOB_DONE);
	expect_state(rig, cancelled, JOB_CANCELLED);
	expect_state(rig, failed, JOB_FAILED);
	message_unref(rig_call(rig, "Retry", cancel, NULL));
	expect_state(rig, cancelled, JOB_QUEUED);
	watch_unplug(&watch);
}

static void test_cancel_in_the_middle(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *cancel = NULL, *staging = NULL;
	struct watch watch;
	char image[128];
	int64_t id;

	rig_make_image(rig, "image", "4M", image);
	id = begin_slow_read(rig, &watch, image);
	cancel = str_format("{\"id\":%" PRId64 "}", id);
	staging = str_format("%s/staging/%" PRId64, rig->state, id);
	assert_true(file_exists(staging));
	message_unref(rig_call(rig, "Cancel", cancel, NULL));
	expect_state(rig, id, JOB_CANCELLED);
	for (int i = 0; file_exists(staging) && i < 500; i++)
		sleep_ms(10);
	assert_false(file_exists(staging));
	watch_unplug(&watch);
}

static void retry(const struct rig *rig, int64_t id)
{
	_cleanup_free_ char *parameters = str_format("{\"id\":%" PRId64 "}", id);

	message_unref(rig_call(rig, "Retry", parameters, NULL));
}

/* What was read to the end needs no watch: neither for a retry nor over a restart. */
static void test_a_finished_read_is_published_later(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *blocks =
		str_format("year='%s'/backups/$(date -u +%%Y); touch $year", rig->state);
	_cleanup_free_ char *mends = str_format("rm -f '%s'/backups/*", rig->state);
	struct watch watch;
	struct job job;
	int64_t id;

	assert_int_equal(system(blocks), 0);
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	id = rig_submit(rig, "{\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_FAILED, 30);
	assert_int_equal(job.failure.code, FAILURE_ARCHIVE_ERROR);
	job_clear(&job);
	watch_unplug(&watch);
	assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
	rig_start(rig);
	assert_int_equal(system(mends), 0);
	retry(rig, id);
	job = rig_wait(rig, id, JOB_DONE, 10);
	assert_non_null(job.backup);
	job_clear(&job);
}

static void test_a_retry_has_its_whole_time_again(void **state)
{
	struct rig *rig = *state;
	struct job job;
	int64_t id = rig_submit(rig, "{\"slot\":\"B9\",\"timeout\":1}");

	job = rig_wait(rig, id, JOB_FAILED, 10);
	assert_int_equal(job.failure.code, FAILURE_TIMEOUT);
	job_clear(&job);
	retry(rig, id);
	sleep_ms(300);
	expect_state(rig, id, JOB_QUEUED);
	job = rig_wait(rig, id, JOB_FAILED, 10);
	job_clear(&job);
}

/* Also when the daemon ends meanwhile: the new time counts from the retry, not from the submission. */
static void test_a_retry_keeps_its_time_over_a_restart(void **state)
{
	struct rig *rig = *state;
	struct job job;
	int64_t id = rig_submit(rig, "{\"slot\":\"B9\",\"timeout\":3}");

	job = rig_wait(rig, id, JOB_FAILED, 10);
	job_clear(&job);
	retry(rig, id);
	assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
	rig_start(rig);
	sleep_ms(300);
	expect_state(rig, id, JOB_QUEUED);
	job = rig_wait(rig, id, JOB_FAILED, 10);
	assert_int_equal(job.failure.code, FAILURE_TIMEOUT);
	job_clear(&job);
}

/* A failed job is not given another watch, whose bytes would not fit to what it has. */
static void test_retried_with_another_watch(void **state)
{
	struct rig *rig = *state;
	struct watch watch, other;
	struct job job;
	int64_t id;

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	id = rig_submit(rig, "{\"ranges\":[{\"start\":0,\"length\":2097152}]}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_FAILED, 30);
	assert_int_equal(job.failure.code, FAILURE_SIZE_MISMATCH);
	job_clear(&job);
	watch_unplug(&watch);
	watch_plug(rig, &other, "other", "--flash", "new:2M", "--meid",
		   "000102030405060708090a0b0c0d0e0f", NULL);
	retry(rig, id);
	rig_attach(rig, other.link, "A3");
	sleep_ms(1500);
	job = rig_job(rig, id);
	assert_int_equal(job.state, JOB_QUEUED);
	assert_int_equal(job.attempts, 1);
	job_clear(&job);
	watch_unplug(&other);
}

static void test_catalogue_is_made_again(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *command = str_format("rm -f '%s'/mtkrbd.sqlite*", rig->state);
	_cleanup_message_ struct json_object *list = NULL;
	struct watch watch;
	struct job job;

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, rig_submit(rig, "{\"verify\":\"none\"}"), JOB_DONE, 30);
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	assert_int_equal(system(command), 0);
	rig_start(rig);
	list = rig_call(rig, "ListBackups", "{}", NULL);
	assert_int_equal(message_length(message_member(list, "backups")), 1);
	assert_string_equal(message_string(message_member(
				    message_at(message_member(list, "backups"), 0), "id")),
			    job.backup);
	job_clear(&job);
	watch_unplug(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_killed_at_once_after_submit, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_terminated_in_the_middle, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_killed_in_the_middle, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_waiting_over_a_restart, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_another_watch_is_not_mixed_in, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_final_states_stay, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_cancel_in_the_middle, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_a_finished_read_is_published_later,
						rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_a_retry_has_its_whole_time_again,
						rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_a_retry_keeps_its_time_over_a_restart,
						rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_retried_with_another_watch, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_catalogue_is_made_again, rig_test_set_up,
						rig_test_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
