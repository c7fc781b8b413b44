/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The audit: with its deed or not at all, and never taken back. */

#include "tests/unit/store-place.h"

#include <errno.h>
#include <sqlite3.h>

#include "daemon/manager/queue.h"
#include "protocol/base/time.h"

static void free_entries(struct audit_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++)
		audit_entry_clear(&entries[i]);
	free(entries);
}

/* The ids of what a filter finds, newest first, as "3 2 1". */
static void assert_entries(struct place *place, const struct audit_filter *filter,
			   const char *expected)
{
	struct audit_entry *entries;
	char found[64] = "";
	size_t n, at = 0;

	assert_int_equal(store_list_audit(place->store, filter, &entries, &n), 0);
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(found + at, sizeof(found) - at, "%s%lld", i ? " " : "",
				       (long long)entries[i].id);
	free_entries(entries, n);
	assert_string_equal(found, expected);
}

static void test_round_trip(void **state)
{
	struct place *place = *state;
	struct audit_filter all = { 0 };
	struct audit_entry *entries;
	uint64_t before = time_real();
	size_t n;

	assert_int_equal(store_add_audit(place->store, 1000, AUDIT_ATTACH, "/dev/ttyUSB0", "left"),
			 0);
	assert_int_equal(store_add_audit(place->store, 0, AUDIT_RELOAD, NULL, NULL), 0);
	reopen(place);
	assert_int_equal(store_list_audit(place->store, &all, &entries, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(entries[0].action, AUDIT_RELOAD);
	assert_int_equal(entries[0].uid, 0);
	assert_null(entries[0].object);
	assert_null(entries[0].detail);
	assert_int_equal(entries[1].action, AUDIT_ATTACH);
	assert_int_equal(entries[1].uid, 1000);
	assert_string_equal(entries[1].object, "/dev/ttyUSB0");
	assert_string_equal(entries[1].detail, "left");
	assert_true(entries[1].time >= before && entries[1].time <= time_real());
	free_entries(entries, n);
}

static void test_filters(void **state)
{
	struct place *place = *state;
	struct store *store = place->store;
	uint64_t now = time_real();

	assert_int_equal(store_add_audit(store, 1000, AUDIT_SUBMIT, "7", NULL), 0);
	assert_int_equal(store_add_audit(store, 1001, AUDIT_SUBMIT, "8", NULL), 0);
	assert_int_equal(store_add_audit(store, 1000, AUDIT_CANCEL, "7", NULL), 0);
	assert_int_equal(store_add_audit(store, 0, AUDIT_REMOVE, "' OR 1 --", NULL), 0);
	assert_entries(place, &(struct audit_filter){ 0 }, "4 3 2 1");
	assert_entries(place, &(struct audit_filter){ .limit = 2 }, "4 3");
	assert_entries(place, &(struct audit_filter){ .before = 3 }, "2 1");
	assert_entries(place, &(struct audit_filter){ .object = "7" }, "3 1");
	assert_entries(place, &(struct audit_filter){ .object = "' OR 1 --" }, "4");
	assert_entries(place, &(struct audit_filter){ .has_uid = true, .uid = 0 }, "4");
	assert_entries(place, &(struct audit_filter){ .has_action = true, .action = AUDIT_SUBMIT },
		       "2 1");
	assert_entries(place, &(struct audit_filter){ .since = now }, "4 3 2 1");
	assert_entries(place, &(struct audit_filter){ .since = now + 3600 * USEC_PER_SEC }, "");
	assert_entries(place, &(struct audit_filter){ .until = now - 1 }, "");
}

static void test_append_only(void **state)
{
	struct place *place = *state;
	static const char *const attempts[] = { "UPDATE audit SET uid = 0", "DELETE FROM audit",
						"INSERT OR REPLACE INTO audit VALUES "
						"(1, 0, 0, 'submit', NULL, NULL)" };
	sqlite3 *db;

	assert_int_equal(store_add_audit(place->store, 1000, AUDIT_REMOVE, "one", NULL), 0);
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA recursive_triggers = ON", NULL, NULL, NULL),
			 SQLITE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		assert_int_equal(sqlite3_exec(db, attempts[i], NULL, NULL, NULL),
				 SQLITE_CONSTRAINT);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_entries(place, &(struct audit_filter){ .has_uid = true, .uid = 1000 }, "1");
}

/* What is undone outside is undone inside, and the store works on. */
static void test_with_its_deed_or_not_at_all(void **state)
{
	struct place *place = *state;
	struct store *store = place->store;
	struct job job = make_job(JOB_QUEUED);

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_add_jobs(store, &job, 1), 0);
	assert_int_equal(store_add_audit(store, 1000, AUDIT_SUBMIT, "1", NULL), 0);
	assert_int_equal(store_end(store, -ECANCELED), -ECANCELED);
	assert_count(place, JOB_QUEUED, 0);
	assert_entries(place, &(struct audit_filter){ 0 }, "");

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_add_audit(store, 1000, AUDIT_REMOVE, "none", NULL), 0);
	assert_int_equal(store_end(store, store_remove_backup(store, "none")), -ENOENT);
	assert_entries(place, &(struct audit_filter){ 0 }, "");

	job.id = 0;
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_add_jobs(store, &job, 1), 0);
	assert_int_equal(store_add_audit(store, 1000, AUDIT_SUBMIT, "1", NULL), 0);
	assert_int_equal(store_end(store, 0), 0);
	reopen(place);
	assert_count(place, JOB_QUEUED, 1);
	assert_entries(place, &(struct audit_filter){ 0 }, "1");
	job_clear(&job);
}

static void ignore(const struct job *job, void *userdata)
{
	(void)job;
	(void)userdata;
}

static void test_what_the_queue_does(void **state)
{
	struct place *place = *state;
	_cleanup_(queue_freep) struct queue *queue = NULL;
	static const struct {
		enum audit_action action;
		uid_t uid;
		const char *object, *detail;
	} expected[] = {
		{ AUDIT_RETRY, 3, "2", NULL },
		{ AUDIT_CANCEL, 2, "2", NULL },
		{ AUDIT_SUBMIT, 1000, "2", "phone" },
		{ AUDIT_SUBMIT, 1000, "1", "phone" },
	};
	struct audit_filter all = { 0 };
	struct job_request request = { 0 };
	struct audit_entry *entries;
	const struct job *job;
	int64_t ids[2];
	size_t n;

	assert_int_equal(queue_new(place->store, ignore, NULL, &queue), 0);
	assert_int_equal(job_request_init(&request), 0);
	assert_int_equal(job_request_add_label(&request, "origin", "phone"), 0);
	request.count = 2;
	assert_int_equal(queue_submit(queue, &request, 1000, ids), 0);
	assert_int_equal(queue_cancel(queue, ids[1], 2, NULL), 0);
	assert_int_equal(queue_retry(queue, ids[1], 3, &job), 0);
	/* The daemon's own steps are no deeds of somebody. */
	assert_int_equal(queue_end(queue, ids[0], JOB_FAILED, NULL), 0);
	job_request_clear(&request);

	assert_int_equal(store_list_audit(place->store, &all, &entries, &n), 0);
	assert_int_equal(n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(entries[i].action, expected[i].action);
		assert_int_equal(entries[i].uid, expected[i].uid);
		assert_string_equal(entries[i].object, expected[i].object);
		if (expected[i].detail)
			assert_string_equal(entries[i].detail, expected[i].detail);
		else
			assert_null(entries[i].detail);
	}
	free_entries(entries, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_filters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_with_its_deed_or_not_at_all, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_the_queue_does, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("store-audit", tests, NULL, NULL);
}
