/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The queue: what is told when, and what happens when the store cannot take it. */

#include "tests/unit/store-place.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "daemon/manager/queue.h"

/* The last thing that was told, and how often something was. */
struct told {
	unsigned int count;
	int64_t id;
	enum job_state state;
};

static void remember(const struct job *job, void *userdata)
{
	struct told *told = userdata;

	told->count++;
	told->id = job->id;
	told->state = job->state;
}

static int64_t submit(struct queue *queue)
{
	struct job_request request = { 0 };
	int64_t id = 0;

	assert_int_equal(job_request_init(&request), 0);
	assert_int_equal(queue_submit(queue, &request, 1000, &id), 0);
	job_request_clear(&request);
	return id;
}

/* No file may grow any more: what a full disk does to the store. */
static void fill_disk(bool full)
{
	struct rlimit limit = { .rlim_cur = full ? 4096 : RLIM_INFINITY,
				.rlim_max = RLIM_INFINITY };

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static const struct port place_a1 = { .slot = (char *)"A1",
				      .device = (char *)"/dev/ttyACM0",
				      .mode = (char *)"auto" };

/* One whose strings may be freed: the queue takes it. */
static struct backup own_backup(const char *id)
{
	return (struct backup){ .id = strdup(id),
				.path = strdup("/var/lib/mtkrbd/backups/x"),
				.sha256 = strdup(SHA256),
				.created = SOME_TIME,
				.health = -1 };
}

static void test_a_life(void **state)
{
	struct place *place = *state;
	_cleanup_(queue_freep) struct queue *queue = NULL;
	struct told told = { 0 };
	struct failure lost = { .code = FAILURE_DEVICE_LOST, .message = (char *)"left" };
	struct backup backup = { 0 };
	struct job stored = { 0 };
	int64_t id;

	assert_int_equal(queue_new(place->store, remember, &told, &queue), 0);
	id = submit(queue);
	assert_int_equal(told.state, JOB_QUEUED);
	assert_int_equal(queue_start(queue, id, &place_a1), 0);
	assert_int_equal(told.state, JOB_RUNNING);
	assert_true(queue_waiting_since(queue, id) == UINT64_MAX);
	assert_int_equal(queue_wait(queue, id, &lost), 0);
	assert_int_equal(told.state, JOB_WAITING);
	assert_true(queue_waiting_since(queue, id) != UINT64_MAX);
	assert_int_equal(queue_find(queue, id)->failure.code, FAILURE_DEVICE_LOST);
	assert_int_equal(queue_start(queue, id, &place_a1), 0);
	assert_int_equal(queue_find(queue, id)->attempts, 2);
	assert_int_equal(queue_find(queue, id)->failure.code, FAILURE_NONE);
	backup = own_backup("20261123T143110Z-MT6261-A1-1");
	assert_int_equal(queue_publish(queue, id, &backup), 0);
	assert_null(backup.id);
	assert_int_equal(told.state, JOB_DONE);
	/* What has ended is the store's alone. */
	assert_null(queue_find(queue, id));
	assert_int_equal(store_get_job(place->store, id, &stored), 0);
	assert_string_equal(stored.backup, "20261123T143110Z-MT6261-A1-1");
	job_clear(&stored);
}

static void test_only_what_the_state_machine_allows(void **state)
{
	struct place *place = *state;
	_cleanup_(queue_freep) struct queue *queue = NULL;
	struct told told = { 0 };
	const struct job *job;
	int64_t id;

	assert_int_equal(queue_new(place->store, remember, &told, &queue), 0);
	id = submit(queue);
	assert_int_equal(queue_wait(queue, id, NULL), -EINVAL);
	assert_int_equal(queue_retry(queue, id, 1000, &job), -EINVAL);
	assert_int_equal(queue_retry(queue, id + 1, 1000, &job), -ENOENT);
	assert_int_equal(queue_start(queue, id + 1, &place_a1), -ENOENT);
	assert_int_equal(told.count, 1);
	assert_int_equal(queue_end(queue, id, JOB_CANCELLED, NULL), 0);
	assert_int_equal(queue_end(queue, id, JOB_FAILED, NULL), -ENOENT);
	assert_int_equal(queue_retry(queue, id, 1000, &job), 0);
	assert_int_equal(job->state, JOB_QUEUED);
}

static void test_loaded_in_order(void **state)
{
	struct place *place = *state;
	_cleanup_(queue_freep) struct queue *queue = NULL;
	struct told told = { 0 };
	const struct job *const *jobs;
	size_t n;

	(void)add_job(place, JOB_QUEUED);
	(void)add_job(place, JOB_DONE);
	(void)add_job(place, JOB_WAITING);
	assert_int_equal(queue_new(place->store, remember, &told, &queue), 0);
	jobs = queue_jobs(queue, &n);
	assert_int_equal(n, 2);
	assert_true(jobs[0]->id < jobs[1]->id);
	assert_int_equal(told.count, 0);
}

static void test_a_start_that_cannot_be_stored_is_none(void **state)
{
	struct place *place = *state;
	_cleanup_(queue_freep) struct queue *queue = NULL;
	struct told told = { 0 };
	int64_t id;

	assert_int_equal(queue_new(place->store, remember, &told, &queue), 0);
	id = submit(queue);
	fill_disk(true);
	assert_true(queue_start(queue, id, &place_a1) < 0);
	fill_disk(false);
	assert_int_equal(queue_find(queue, id)->state, JOB_QUEUED);
	assert_int_equal(queue_find(queue, id)->attempts, 0);
	assert_int_equal(told.count, 1);
	assert_int_equal(queue_start(queue, id, &place_a1), 0);
}

static void test_an_end_that_cannot_be_stored_is_told_later(void **state)
{
	struct place *place = *state;
	_cleanup_(queue_freep) struct queue *queue = NULL;
	struct told told = { 0 };
	struct job stored = { 0 };
	int64_t id;

	assert_int_equal(queue_new(place->store, remember, &told, &queue), 0);
	id = submit(queue);
	assert_int_equal(queue_start(queue, id, &place_a1), 0);
	told.count = 0;
	fill_disk(true);
	assert_int_equal(queue_end(queue, id, JOB_FAILED, NULL), 0);
	assert_int_equal(told.count, 0);
	assert_true(queue_is_pending(queue));
	assert_true(queue_flush(queue) < 0);
	/* Not touched while it hangs. */
	assert_int_equal(queue_end(queue, id, JOB_CANCELLED, NULL), -EINVAL);
	fill_disk(false);
	assert_int_equal(queue_flush(queue), 0);
	assert_false(queue_is_pending(queue));
	assert_int_equal(told.count, 1);
	assert_int_equal(told.state, JOB_FAILED);
	assert_int_equal(store_get_job(place->store, id, &stored), 0);
	assert_int_equal(stored.state, JOB_FAILED);
	job_clear(&stored);
}

static void test_a_job_keeps_the_watch_it_began_with(void **state)
{
	struct place *place = *state;
	_cleanup_(queue_freep) struct queue *queue = NULL;
	struct port first = place_a1, other = place_a1;
	struct told told = { 0 };
	int64_t id;

	first.chip = other.chip = (char *)"MT6261";
	first.meid = (char *)"00";
	other.meid = (char *)"11";
	assert_int_equal(queue_new(place->store, remember, &told, &queue), 0);
	id = submit(queue);
	assert_int_equal(queue_start(queue, id, &place_a1), 0);
	assert_null(queue_find(queue, id)->port.meid);
	queue_set_port(queue, id, &first);
	queue_set_port(queue, id, &other);
	assert_string_equal(queue_find(queue, id)->port.meid, "00");
	assert_int_equal(queue_put_back(queue, id), 0);
	assert_null(queue_find(queue, id)->port.chip);
	assert_int_equal(queue_start(queue, id, &other), 0);
	assert_string_equal(queue_find(queue, id)->port.meid, "11");
}

static void test_a_port_that_cannot_be_stored_holds_nothing_up(void **state)
{
	struct place *place = *state;
	_cleanup_(queue_freep) struct queue *queue = NULL;
	struct port port = place_a1;
	struct told told = { 0 };
	struct job stored = { 0 };
	int64_t id;

	port.chip = (char *)"MT6261";
	assert_int_equal(queue_new(place->store, remember, &told, &queue), 0);
	id = submit(queue);
	assert_int_equal(queue_start(queue, id, &place_a1), 0);
	fill_disk(true);
	queue_set_port(queue, id, &port);
	fill_disk(false);
	assert_false(queue_is_pending(queue));
	assert_int_equal(queue_end(queue, id, JOB_FAILED, NULL), 0);
	assert_int_equal(store_get_job(place->store, id, &stored), 0);
	assert_int_equal(stored.state, JOB_FAILED);
	assert_string_equal(stored.port.chip, "MT6261");
	job_clear(&stored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_only_what_the_state_machine_allows, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_loaded_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_start_that_cannot_be_stored_is_none, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_an_end_that_cannot_be_stored_is_told_later,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_job_keeps_the_watch_it_began_with, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_port_that_cannot_be_stored_holds_nothing_up,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
