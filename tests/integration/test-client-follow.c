/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mtkrbctl where it stays: follow, monitor, submit --follow. */
#include "tests/integration/client-bench.h"

static void test_follow_to_the_end(void **state)
{
	static const struct step steps[] = {
		{ "Follow", "{\"ids\":[7]}", .more = true,
		  .replies = { CONTINUES("{\"job\":" JOB(7, "queued", "") "}"),
			       CONTINUES("{\"job\":" JOB(7, "running", READ_AT(5)) "}"),
			       CONTINUES("{\"job\":" JOB(7, "running", READ_AT(9)) "}"),
			       CONTINUES("{\"job\":" JOB(7, "running", READ_AT(45)) "}"),
			       PARAMETERS("{\"job\":" JOB(7, "done", ",\"backup\":\"B7\"") "}") } },
		{ "GetBackup", "{\"id\":\"B7\"}",
		  .replies = { PARAMETERS("{\"backup\":" TWIN("A3") "}") } },
		{ 0 },
	};
	static const struct step quiet[] = {
		{ "Follow", "{\"ids\":[7]}", .more = true,
		  .replies = { PARAMETERS("{\"job\":" JOB(7, "done", ",\"backup\":\"B7\"") "}") } },
		{ 0 },
	};

	expect(state, steps, "follow 7", 0,
	       "job 7: queued\n"
	       "job 7: running\n"
	       "job 7: read 5 % (4.9/97.7 KiB, 1.0 KiB/s, 5 s left)\n"
	       "job 7: read 45 % (43.9/97.7 KiB, 1.0 KiB/s, 5 s left)\n"
	       "job 7: done, backup B7\n"
	       "job 7: identical to A3\n",
	       NULL);
	expect(state, quiet, "follow 7 --quiet", 0, "", NULL);
}

static void test_follow_json_is_a_line_an_event(void **state)
{
	static const struct step steps[] = {
		{ "Follow", "{\"ids\":[7]}", .more = true,
		  .replies = { CONTINUES("{\"job\":" JOB(7, "running", "") "}"),
			       PARAMETERS("{\"job\":" JOB(7, "done", "") "}") } },
		{ 0 },
	};

	expect(state, steps, "follow 7 --json", 0,
	       "{\"job\":" JOB(7, "running", "") "}\n{\"job\":" JOB(7, "done", "") "}\n", NULL);
}

static void test_follow_of_a_failure_is_1(void **state)
{
	static const struct step failed[] = {
		{ "Follow", "{\"ids\":[7,8]}", .more = true,
		  .replies = { CONTINUES("{\"job\":" JOB(7, "failed", NO_WATCH) "}"),
			       PARAMETERS("{\"job\":" JOB(8, "done", "") "}") } },
		{ 0 },
	};
	static const struct step cancelled[] = {
		{ "Follow", "{\"ids\":[7]}", .more = true,
		  .replies = { PARAMETERS("{\"job\":" JOB(7, "cancelled", "") "}") } },
		{ 0 },
	};

	expect(state, failed, "follow 7 8", 1,
	       "job 7: failed\njob 8: done\n1 of 2 jobs done, 1 failed, 0 cancelled\n",
	       "job 7 failed: no answer on usb-0:2 (handshake-timeout)\nhint: hold the boot key\n");
	expect(state, cancelled, "follow 7 --quiet", 1, "", "job 7 was cancelled\nhint: ");
}

static void test_follow_of_an_unknown_job_is_4(void **state)
{
	static const struct step steps[] = {
		{ "Follow", "{\"ids\":[7]}", .more = true,
		  .replies = { ERROR(OURS("NoSuchJob"), "{\"id\":7}") } },
		{ 0 },
	};

	expect(state, steps, "follow 7", 4, "", "no such job: 7");
}

#define SUBMIT                                                                                  \
	{                                                                                       \
		"Submit",                                                                       \
			"{\"request\":{\"ranges\":[{\"name\":\"ROM_0\",\"start\":0}],"          \
			"\"method\":\"auto\",\"verify\":\"auto\",\"rebuild\":true,\"count\":1," \
			"\"priority\":0,\"after\":\"reset\"}}",                                 \
			.replies = { PARAMETERS("{\"jobs\":[7]}") }, .hang_up = true            \
	}
#define FOLLOW_DONE                                                                      \
	{                                                                                \
		"Follow", "{\"ids\":[7]}", .more = true, .replies = {                    \
			PARAMETERS("{\"job\":" JOB(7, "done", ",\"backup\":\"B7\"") "}") \
		}                                                                        \
	}

static void test_submit_and_follow(void **state)
{
	static const struct step steps[] = {
		SUBMIT,
		FOLLOW_DONE,
		{ "GetBackup", "{\"id\":\"B7\"}",
		  .replies = { ERROR(OURS("NoSuchBackup"), "{\"id\":\"B7\"}") } },
		{ 0 },
	};
	static const struct step for_programs[] = { SUBMIT, FOLLOW_DONE, { 0 } };

	expect(state, steps, "submit --follow", 0, "job 7: done, backup B7\n", NULL);
	expect(state, for_programs, "submit --follow --json", 0,
	       "{\"jobs\":[7]}\n{\"job\":" JOB(7, "done", ",\"backup\":\"B7\"") "}\n", NULL);
}

static void test_follow_survives_a_restart(void **state)
{
	static const struct step steps[] = {
		{ "Follow", "{\"ids\":[7]}", .more = true,
		  .replies = { CONTINUES("{\"job\":" JOB(7, "running", "") "}") },
		  .hang_up = true },
		{ "Follow", "{\"ids\":[7]}", .more = true,
		  .replies = { CONTINUES("{\"job\":" JOB(7, "running", "") "}"),
			       PARAMETERS("{\"job\":" JOB(7, "done", "") "}") } },
		{ 0 },
	};

	expect(state, steps, "follow 7", 0, "job 7: running\njob 7: done\n",
	       "trying for 30 s to reach it again.\nThe daemon is back.\n");
}

static void test_interrupt_detaches(void **state)
{
	static const struct step steps[] = {
		{ "Follow", "{\"ids\":[7]}", .more = true,
		  .replies = { CONTINUES("{\"job\":" JOB(7, "running", "") "}") } },
		{ 0 },
	};
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };
	struct bench *bench = *state;
	struct running running;

	bench_start(bench, steps);
	running = client_start(bench, "follow 7", false);
	client_await(running.out, "job 7: running\n");
	assert_int_equal(kill(running.pid, SIGINT), 0);
	outcome = client_end(&running);
	assert_int_equal(outcome.status, 130);
	assert_contains(outcome.err, "mtkrbctl follow 7\n");
	/* It has only closed the connection, not cancelled anything. */
	bench_finish(bench);
}

static void test_monitor(void **state)
{
	static const struct step steps[] = {
		{ "Follow", "{}", .more = true,
		  .replies = { CONTINUES("{\"port\":" PORT "}"),
			       PARAMETERS("{\"job\":" JOB(7, "failed", NO_WATCH) "}") } },
		{ 0 },
	};
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };
	struct bench *bench = *state;

	expect(state, steps, "monitor --json", 0,
	       "{\"port\":" PORT "}\n{\"job\":" JOB(7, "failed", NO_WATCH) "}\n", NULL);
	bench_start(bench, steps);
	outcome = client_run(bench, "monitor");
	assert_int_equal(outcome.status, 0);
	assert_contains(outcome.out, "  port usb-0:2  busy  /dev/ttyACM0 brom MT6261 "
				     "00112233445566778899aabbccddeeff job 7\n");
	assert_contains(outcome.out, "  job 7  failed  handshake-timeout: no answer on usb-0:2\n");
	bench_finish(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_follow_to_the_end),
		BENCH_TEST(test_follow_json_is_a_line_an_event),
		BENCH_TEST(test_follow_of_a_failure_is_1),
		BENCH_TEST(test_follow_of_an_unknown_job_is_4),
		BENCH_TEST(test_submit_and_follow),
		BENCH_TEST(test_follow_survives_a_restart),
		BENCH_TEST(test_interrupt_detaches),
		BENCH_TEST(test_monitor),
	};

	if (!getenv("MTKRB_BIN_DIR")) {
		fputs("MTKRB_BIN_DIR must name the folder of mtkrbctl\n", stderr);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
