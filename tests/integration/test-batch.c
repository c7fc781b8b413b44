/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tickets in, jobs out: what is scanned is queued once, in order, and told by its line. */

#include "tests/integration/talk.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "protocol/base/strings.h"

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_label(const struct job *job, const char *key, const char *value)
{
	const char *is = labels_get(job->request.labels, job->request.n_labels, key);

	if (!streq_ptr(is, value))
		fail_msg("job %" PRId64 ": %s is %s, not %s", job->id, key, is ? is : "absent",
			 value ? value : "absent");
}

static void assert_ticket(const struct rig *rig, int64_t id, const char *ticket, const char *slot,
			  const char *customer, const char *note)
{
	struct job job = rig_job(rig, id);

	assert_label(&job, "batch", "monday");
	assert_label(&job, "ticket", ticket);
	assert_label(&job, "customer", customer);
	assert_label(&job, "note", note);
	assert_label(&job, "station", "2");
	assert_true(streq_ptr(job.request.slot, slot));
	assert_int_equal(job.request.verify, VERIFY_NONE);
	job_clear(&job);
}

static void test_lines_become_jobs(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output output = { 0 };
	struct talk talk;

	talk_begin(&talk, rig, "batch", "start", "monday", "--verify=none", "--label=station=2",
		   "--label=note=as usual", NULL);
	talk_say(&talk, "4711;Ms. O'Hara;490154203237518;wet\n@A1 4712\n\n@B2\n"
			"4713\t\t123\n4711\n;nobody\n@C3\n@D4 4714\r\n4715");
	output = talk_end(&talk);
	assert_int_equal(output.status, 1);
	assert_string_equal(output.out, "job 1: ticket 4711\n"
					"job 2: ticket 4712, slot A1\n"
					"job 3: ticket 4713, slot B2\n"
					"job 4: ticket 4714, slot D4\n"
					"job 5: ticket 4715\n");
	assert_contains(output.err, "line 5: ticket 4713: IMEI 123: an IMEI has 15 digits\n");
	assert_contains(output.err,
			"line 6: ticket 4711 is in batch monday already, as job 1\nhint: ");
	assert_contains(output.err, "line 7: the ticket is missing\n");
	assert_contains(output.err, "line 9: slot C3 of line 8 is not used\n");
	assert_contains(output.err, "5 tickets queued in batch monday\n");
	assert_contains(output.err, "2 lines were not taken\n");
	assert_null(strstr(output.err, "490154203237518"));
	assert_null(strstr(output.err, "ticket>")); /* nobody sits at a terminal */
	assert_ticket(rig, 1, "4711", NULL, "Ms. O'Hara", "wet");
	assert_ticket(rig, 2, "4712", "A1", NULL, "as usual");
	assert_ticket(rig, 3, "4713", "B2", NULL, "as usual");
	assert_ticket(rig, 4, "4714", "D4", NULL, "as usual");
	assert_ticket(rig, 5, "4715", NULL, NULL, "as usual");
	assert_int_equal(rig_newest_job(rig), 5);
}

static void test_again(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output first = { 0 }, second = { 0 }, other = { 0 };
	struct talk talk;

	talk_begin(&talk, rig, "batch", "start", "monday", NULL);
	talk_say(&talk, "4711\n");
	first = talk_end(&talk);
	assert_int_equal(first.status, 0);
	talk_begin(&talk, rig, "--json", "batch", "start", "monday", "--again",
		   "--fields=imei,ticket", NULL);
	talk_say(&talk, "\n@A1 490154203237518;4711\n");
	second = talk_end(&talk);
	assert_int_equal(second.status, 0);
	assert_string_equal(second.out,
			    "{\"job\":2,\"ticket\":\"4711\",\"slot\":\"A1\",\"line\":2}\n");
	/* Another batch has tickets of its own. */
	talk_begin(&talk, rig, "batch", "start", "tuesday", NULL);
	talk_say(&talk, "4711\n");
	other = talk_end(&talk);
	assert_string_equal(other.out, "job 3: ticket 4711\n");
}

static void test_a_slot_waits_for_its_ticket(void **state)
{
	_cleanup_(output_clear) struct output output = { 0 };
	struct talk talk;

	talk_begin(&talk, *state, "batch", "start", "monday", NULL);
	talk_say(&talk, "4711\n@A1\n;x\n4711\n4712\n@B2\n");
	output = talk_end(&talk);
	assert_int_equal(output.status, 1);
	assert_string_equal(output.out, "job 1: ticket 4711\njob 2: ticket 4712, slot A1\n");
	assert_contains(output.err, "line 6: no ticket follows for slot B2\n");
}

static void test_wrong_use(void **state)
{
	static const struct {
		const char *arguments[4], *message;
	} cases[] = {
		{ { "start" }, "start: not start NAME" },
		{ { "begin", "monday" }, "begin: not start NAME" },
		{ { "start", "" }, "start: not start NAME" },
		{ { "start", "monday", "--count=2" }, "--count is not for a batch" },
		{ { "start", "monday", "--follow" }, "--follow is not for a batch" },
		{ { "start", "monday", "--label=ticket=7" }, "--label=ticket=... is not for a" },
		{ { "start", "monday", "--fields=imei" }, "there is no ticket among them" },
		{ { "start", "monday", "--chip=a b" }, "chip" },
		{ { "report", "monday", "--format=xls" }, "not one of table, csv, json" },
		{ { "report", "monday", "--chip=MT6261" }, "belong to batch start" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const *a = cases[i].arguments;
		_cleanup_(output_clear) struct output output =
			rig_ctl((struct rig *)*state, "batch", a[0], a[1], a[2], NULL);

		assert_int_equal(output.status, 2);
		assert_contains(output.err, cases[i].message);
	}
}

/* A watch comes in slot, and this job is the one that it is for. */
static void expect_job(const struct rig *rig, struct watch *watch, const char *slot, int64_t id)
{
	_cleanup_free_ char *meid = str_format("%032" PRId64, id);
	struct job job;

	watch_plug(rig, watch, slot, "--flash", "new:1M", "--meid", meid, NULL);
	rig_attach(rig, watch->link, slot);
	job = rig_wait(rig, id, JOB_DONE, 30);
	assert_string_equal(job.port.slot, slot);
	assert_string_equal(job.port.meid, meid);
	job_clear(&job);
}

/* Wherever the next watch comes, it is the one of the ticket that was scanned first. */
static void test_first_scanned_first_served(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output output = { 0 };
	struct watch watches[3];
	struct talk talk;

	talk_begin(&talk, rig, "batch", "start", "monday", "--verify=none", "--no-rebuild", NULL);
	talk_say(&talk, "third\nfirst\nsecond\n");
	talk_await(&talk, "job 3: ticket second");
	expect_job(rig, &watches[0], "A3", 1);
	expect_job(rig, &watches[1], "A1", 2);
	expect_job(rig, &watches[2], "A2", 3);
	/* Who scans is told meanwhile. */
	talk_await_error(&talk, "ticket third: begun on A3 (job 1)\n");
	talk_await_error(&talk, "ticket second: done in ");
	output = talk_end(&talk);
	assert_int_equal(output.status, 0);
	for (size_t i = 0; i < ARRAY_SIZE(watches); i++)
		watch_unplug(&watches[i]);
}

/* A read has ended, its watch is gone: the next ticket waits for another, and not for that one. */
static void test_next_ticket_is_not_the_last_watch(void **state)
{
	struct rig *rig = *state;
	struct watch first, second;
	struct job job;
	int64_t a = rig_submit(rig, "{\"verify\":\"none\",\"rebuild\":false}");
	int64_t b = rig_submit(rig, "{\"verify\":\"none\",\"rebuild\":false}");

	watch_plug(rig, &first, "first", "--flash", "new:1M", NULL);
	rig_attach(rig, first.link, "A1");
	job = rig_wait(rig, a, JOB_DONE, 30);
	job_clear(&job);
	for (int i = 0; !rig_log_has(rig, "queued again") && i < 1000; i++)
		sleep_ms(10);
	watch_unplug(&first);
	watch_plug(rig, &second, "second", "--flash", "new:1M", "--meid",
		   "000102030405060708090a0b0c0d0e0f", NULL);
	rig_attach(rig, second.link, "A2");
	job = rig_wait(rig, b, JOB_DONE, 30);
	assert_string_equal(job.port.meid, "000102030405060708090a0b0c0d0e0f");
	job_clear(&job);
	watch_unplug(&second);
}

/* Killed between two tickets, and while one is scanned: each is there once. */
static void test_daemon_comes_back(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output output = { 0 };
	struct talk talk;

	talk_begin(&talk, rig, "batch", "start", "monday", NULL);
	talk_say(&talk, "4711\n");
	talk_await(&talk, "job 1: ticket 4711");
	assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
	rig_start(rig);
	talk_say(&talk, "4712\n");
	talk_await(&talk, "job 2: ticket 4712");
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	talk_say(&talk, "4713\n4711\n");
	talk_await_error(&talk, "The daemon went away");
	rig_start(rig);
	talk_await_error(&talk, "The daemon is back.");
	talk_await(&talk, "job 3: ticket 4713");
	output = talk_end(&talk);
	assert_int_equal(output.status, 1);
	assert_contains(output.err, "line 4: ticket 4711 is in batch monday already, as job 1");
	assert_int_equal(rig_newest_job(rig), 3);
}

static void test_finish(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output none = { 0 }, open = { 0 }, closed = { 0 };
	_cleanup_free_ char *file = str_format("%s/report.csv", rig->directory);
	_cleanup_free_ char *look = str_format("grep -q '^,,,,2,cancelled,fail,B9,,,0,,,,,,"
					       "cancelled,cancelled.$' '%s'",
					       file);
	struct watch watch;
	struct job job;

	none = rig_ctl(rig, "batch", "finish", "monday", NULL);
	assert_int_equal(none.status, 4);
	assert_contains(none.err, "no such batch: monday");
	/* Without tickets, too. */
	(void)rig_submit(rig, "{\"verify\":\"none\",\"labels\":{\"batch\":\"monday\"}}");
	(void)rig_submit(rig, "{\"slot\":\"B9\",\"labels\":{\"batch\":\"monday\"}}");
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, 1, JOB_DONE, 30);
	job_clear(&job);
	open = rig_ctl(rig, "batch", "finish", "monday", NULL);
	assert_int_equal(open.status, 1);
	assert_string_equal(open.out, "");
	assert_contains(open.err, "batch monday is not finished: 0 still run, 1 wait for their");
	closed = rig_ctl(rig, "batch", "finish", "monday", "--cancel-waiting", "--format=csv", "-o",
			 file, NULL);
	assert_int_equal(closed.status, 1);
	assert_string_equal(closed.out, "");
	assert_int_equal(system(look), 0);
	watch_unplug(&watch);
}

static void test_status(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output none = { 0 }, all = { 0 }, one = { 0 }, json = { 0 };
	_cleanup_(output_clear) struct output scanned = { 0 };
	_cleanup_message_ struct json_object *object = NULL;
	struct talk talk;

	none = rig_ctl(rig, "batch", "status", NULL);
	assert_int_equal(none.status, 0);
	assert_contains(none.err, "No batches.");
	talk_begin(&talk, rig, "batch", "start", "monday", "--quiet", NULL);
	talk_say(&talk, "4711;Ms. O'Hara\n@A1 4712\n");
	scanned = talk_end(&talk);
	assert_string_equal(scanned.err, "");
	message_unref(rig_call(rig, "Cancel", "{\"id\":1}", NULL));
	all = rig_ctl(rig, "batch", "status", NULL);
	assert_contains(all.out,
			"BATCH   STARTED   JOBS  DONE  FAILED  CANCELLED  RUNNING  WAITING\n"
			"monday  just now     2     0       0          1        0        1\n");
	one = rig_ctl(rig, "batch", "status", "monday", NULL);
	assert_string_equal(one.out,
			    "TICKET  CUSTOMER    JOB  STATE      SLOT  PROGRESS\n"
			    "4711    Ms. O'Hara    1  cancelled  -     -\n"
			    "4712    -             2  queued     A1    plug the watch in\n"
			    "2 jobs: 0 done, 0 failed, 1 cancelled, 0 running, 1 waiting\n");
	json = rig_ctl(rig, "--json", "batch", "status", "monday", NULL);
	assert_int_equal(message_parse(json.out, strlen(json.out) - 1, &object), 0);
	assert_int_equal(message_length(message_member(object, "jobs")), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_test_set_up, rig_test_tear_down)
		TEST(test_lines_become_jobs),
		TEST(test_again),
		TEST(test_a_slot_waits_for_its_ticket),
		TEST(test_wrong_use),
		TEST(test_first_scanned_first_served),
		TEST(test_next_ticket_is_not_the_last_watch),
		TEST(test_daemon_comes_back),
		TEST(test_finish),
		TEST(test_status),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
