/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A batch against a daemon that loses its answers, and a report of backups that are gone. */
#include "tests/integration/client-bench.h"

#define STATUS   PARAMETERS("{\"version\":\"1\",\"uptime\":1.0,\"ports\":0,\"jobs\":{},\"free\":0}")
#define NO_JOBS  PARAMETERS("{\"jobs\":[]}")
#define LOOK_UP  "{\"limit\":1,\"labels\":{\"batch\":\"monday\",\"ticket\":\"4711\"}}"
#define LABELLED "\"request\":{\"labels\":{\"batch\":\"monday\",\"ticket\":\"4711\"}}"
#define SUBMIT                                                                             \
	"{\"request\":{\"ranges\":[{\"name\":\"ROM_0\",\"start\":0}],\"method\":\"auto\"," \
	"\"verify\":\"auto\",\"rebuild\":true,\"count\":1,\"priority\":0,"                 \
	"\"labels\":{\"batch\":\"monday\",\"ticket\":\"4711\"},\"after\":\"reset\"}}"

/* The client's standard input, from here on. */
static void type(const char *text)
{
	_cleanup_close_ int fd = memfd_create("in", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
}

/* The job was stored, its answer was lost: nothing is submitted twice. */
static void test_lost_answer(void **state)
{
	static const struct step steps[] = {
		{ "GetStatus", "{}", .replies = { STATUS } },
		{ "ListJobs", LOOK_UP, .replies = { NO_JOBS } },
		{ "Submit", SUBMIT, .hang_up = true },
		{ "ListJobs", LOOK_UP,
		  .replies = { PARAMETERS("{\"jobs\":[" JOB(12, "queued", "") "]}") } },
		{ 0 },
	};

	type("4711\n");
	expect(state, steps, "batch start monday --quiet", 0, "job 12: ticket 4711\n", NULL);
}

/* The daemon went away before it had stored anything: the ticket is submitted again. */
static void test_lost_call(void **state)
{
	static const struct step steps[] = {
		{ "GetStatus", "{}", .replies = { STATUS } },
		{ "ListJobs", LOOK_UP, .replies = { NO_JOBS } },
		{ "Submit", SUBMIT, .hang_up = true },
		{ "ListJobs", LOOK_UP, .replies = { NO_JOBS } },
		{ "Submit", SUBMIT, .replies = { PARAMETERS("{\"jobs\":[12]}") } },
		{ 0 },
	};

	type("4711\n");
	expect(state, steps, "batch start monday --quiet", 0, "job 12: ticket 4711\n", NULL);
}

/* With --again an older job of the ticket is not taken for the one whose answer was lost. */
static void test_lost_call_again(void **state)
{
	static const struct step steps[] = {
		{ "GetStatus", "{}", .replies = { STATUS } },
		{ "ListJobs", LOOK_UP,
		  .replies = { PARAMETERS("{\"jobs\":[" JOB(7, "failed", "") "]}") } },
		{ "Submit", SUBMIT, .hang_up = true },
		{ "ListJobs", LOOK_UP,
		  .replies = { PARAMETERS("{\"jobs\":[" JOB(7, "failed", "") "]}") } },
		{ "Submit", SUBMIT, .replies = { PARAMETERS("{\"jobs\":[12]}") } },
		{ 0 },
	};

	type("4711\n");
	expect(state, steps, "batch start monday --quiet --again", 0, "job 12: ticket 4711\n",
	       NULL);
}

/* What the daemon refuses is said with its line, and the next line is read. */
static void test_refused(void **state)
{
	static const struct step steps[] = {
		{ "GetStatus", "{}", .replies = { STATUS } },
		{ "ListJobs", LOOK_UP, .replies = { NO_JOBS } },
		{ "Submit", SUBMIT,
		  .replies = { ERROR(OURS("LimitReached"),
				     "{\"limit\":\"unfinished jobs\",\"value\":100000}") } },
		{ "ListJobs", LOOK_UP, .replies = { NO_JOBS } },
		{ "Submit", SUBMIT, .replies = { PARAMETERS("{\"jobs\":[12]}") } },
		{ 0 },
	};

	type("4711\n4711\n");
	expect(state, steps, "batch start monday --quiet", 1, "job 12: ticket 4711\n",
	       "line 1: ticket 4711: the daemon refused the request: limit unfinished jobs");
}

static void test_no_daemon(void **state)
{
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };

	type("4711\n");
	outcome = client_run(*state, "batch start monday");
	assert_int_equal(outcome.status, 3);
	assert_string_equal(outcome.out, "");
}

#define ALL "{\"limit\":1000,\"labels\":{\"batch\":\"monday\"}}"
#define DONE(id, backup)                                                             \
	"{\"id\":" #id ",\"state\":\"done\"," LABELLED ",\"owner\":0,"               \
	"\"created\":\"2026-11-23T14:31:10Z\",\"started\":\"2026-11-23T14:31:11Z\"," \
	"\"finished\":\"2026-11-23T14:31:53Z\",\"attempts\":1,\"backup\":\"" backup "\"}"

/* A ticket that failed, and was tried again: passed, with a backup that was removed since. */
static void test_report(void **state)
{
	static const struct step steps[] = {
		{ "ListJobs", ALL,
		  .replies = { PARAMETERS("{\"jobs\":[" DONE(9, "gone") "," DONE(
			  8, BACKUP_ID) ","
					"{\"id\":7,\"state\":\"failed\"," LABELLED
					",\"owner\":0,\"created\":\"2026-11-23T14:31:10Z\","
					"\"attempts\":2" NO_WATCH "}]}") } },
		{ "ListJobs", "{\"limit\":1000,\"before\":7,\"labels\":{\"batch\":\"monday\"}}",
		  .replies = { NO_JOBS } },
		{ "GetBackup", "{\"id\":\"" BACKUP_ID "\"}",
		  .replies = { PARAMETERS("{\"backup\":" BACKUP("/x") "}") } },
		{ "GetBackup", "{\"id\":\"gone\"}",
		  .replies = { ERROR(OURS("NoSuchBackup"), "{\"id\":\"gone\"}") } },
		{ 0 },
	};

	expect(state, steps, "batch report monday --format=csv", 0,
	       "ticket,customer,imei,note,job,state,result,slot,chip,meid,attempts,seconds,size,"
	       "sha256,backup,identical_to,failure,message\r\n"
	       "4711,,,,7,failed,fail,,,,2,,,,,,handshake-timeout,no answer on usb-0:2\r\n"
	       "4711,,,,8,done,pass,,,,1,42,4194304,"
	       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855," BACKUP_ID
	       ",,,\r\n"
	       "4711,,,,9,done,pass,,,,1,42,,,gone,,,\r\n",
	       NULL);
	expect(state, steps, "batch finish monday", 0,
	       "TICKET  CUSTOMER  RESULT  JOB  SLOT  CHIP  TRIES  TIME     SIZE  SHA-256       "
	       "BACKUP OR REASON\n"
	       "4711    -         fail      7  -     -         2     -        -  -             "
	       "no answer on usb-0:2\n"
	       "4711    -         pass      8  -     -         1  42 s  4.0 MiB  e3b0c44298fc "
	       " " BACKUP_ID "\n"
	       "4711    -         pass      9  -     -         1  42 s        -  -             "
	       "removed since\n"
	       "1 ticket: 1 passed, 0 failed, 0 open; 4.0 MiB\n",
	       NULL);
}

/* Who waits all day for a report hears at once that there is no place for it: nothing is asked. */
static void test_no_place(void **state)
{
	static const struct step steps[] = { { 0 } };

	expect(state, steps, "batch finish monday --wait -o /nowhere/monday.csv", 1, "",
	       "/nowhere/monday.csv: cannot be written: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_lost_answer),     BENCH_TEST(test_lost_call),
		BENCH_TEST(test_lost_call_again), BENCH_TEST(test_refused),
		BENCH_TEST(test_no_daemon),       BENCH_TEST(test_report),
		BENCH_TEST(test_no_place),
	};

	return cmocka_run_group_tests_name("client-batch", tests, NULL, NULL);
}
