/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The figures that are watched: right after each change, and never lost by one that fails. */

#include "tests/unit/store-place.h"

#include <errno.h>

#include "protocol/base/time.h"

static struct store_totals totals_of(struct place *place)
{
	struct store_totals totals;

	assert_int_equal(store_get_totals(place->store, &totals), 0);
	return totals;
}

static void end_job(struct place *place, int64_t id, enum job_state state, uint64_t seconds,
		    const struct backup *backup)
{
	struct job job;

	assert_int_equal(store_get_job(place->store, id, &job), 0);
	job.state = state;
	job.started = SOME_TIME;
	job.finished = SOME_TIME + seconds * USEC_PER_SEC;
	if (backup) {
		assert_int_equal(str_replace(&job.backup, backup->id), 0);
		assert_int_equal(store_add_backup(place->store, backup, &job), 0);
	} else {
		assert_int_equal(store_update_job(place->store, &job), 0);
	}
	job_clear(&job);
}

static void test_nothing_yet(void **state)
{
	struct store_totals totals = totals_of(*state);

	assert_int_equal(totals.backups, 0);
	assert_int_equal(totals.backup_bytes, 0);
	assert_int_equal(totals.last_backup, 0);
	assert_int_equal(totals.longest_unverified, 0);
	assert_int_equal(totals.ended[JOB_DONE], 0);
	assert_int_equal(totals.read_bytes, 0);
}

static void test_jobs(void **state)
{
	struct place *place = *state;
	int64_t done = add_job(place, JOB_RUNNING), failed = add_job(place, JOB_RUNNING);
	struct backup backup = make_backup("one", SOME_TIME, 0);
	struct store_totals totals;

	end_job(place, done, JOB_DONE, 90, &backup);
	end_job(place, failed, JOB_FAILED, 5, NULL);
	/* The same again is no second end; a retried job's is. */
	end_job(place, failed, JOB_FAILED, 5, NULL);
	end_job(place, failed, JOB_QUEUED, 0, NULL);
	end_job(place, failed, JOB_FAILED, 6, NULL);
	end_job(place, failed, JOB_QUEUED, 0, NULL);
	end_job(place, failed, JOB_CANCELLED, 7, NULL);
	reopen(place);
	totals = totals_of(place);
	assert_int_equal(totals.ended[JOB_DONE], 1);
	assert_int_equal(totals.ended[JOB_FAILED], 2);
	assert_int_equal(totals.ended[JOB_CANCELLED], 1);
	assert_int_equal(totals.done_usec, 90 * USEC_PER_SEC);
	assert_int_equal(totals.read_bytes, 4 << 20);
}

static void test_backups(void **state)
{
	struct place *place = *state;
	struct backup one = make_backup("20261101-one", SOME_TIME, 0);
	struct backup two = make_backup("20261102-two", SOME_TIME + 5, 0);
	struct store_totals totals;

	two.size = 1000;
	assert_int_equal(store_add_backup(place->store, &one, NULL), 0);
	assert_int_equal(store_add_backup(place->store, &two, NULL), 0);
	/* Replaced by itself, and refused. */
	assert_int_equal(store_add_backup(place->store, &two, NULL), 0);
	two.size = UINT64_MAX;
	assert_int_equal(store_add_backup(place->store, &two, NULL), -EINVAL);
	totals = totals_of(place);
	assert_int_equal(totals.backups, 2);
	assert_int_equal(totals.backup_bytes, (4 << 20) + 1000);
	assert_int_equal(totals.last_backup, SOME_TIME + 5);
	assert_int_equal(totals.longest_unverified, SOME_TIME);
	assert_int_equal(totals.read_bytes, 0);

	assert_int_equal(store_set_verified(place->store, one.id, SOME_TIME + 9, true), 0);
	totals = totals_of(place);
	assert_int_equal(totals.damaged, 1);
	assert_int_equal(totals.longest_unverified, SOME_TIME + 5);
	assert_int_equal(store_set_verified(place->store, two.id, SOME_TIME + 8, false), 0);
	assert_int_equal(totals_of(place).longest_unverified, SOME_TIME + 8);
	assert_int_equal(store_remove_backup(place->store, one.id), 0);
	totals = totals_of(place);
	assert_int_equal(totals.backups, 1);
	assert_int_equal(totals.backup_bytes, 1000);
	assert_int_equal(totals.damaged, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_yet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_jobs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_backups, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("store-totals", tests, NULL, NULL);
}
