/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How the pool takes a worker that says nothing. This program is that worker too: the pool starts it
 * again, with a part to play in its environment.
 */

#include "daemon/worker-pool.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define PART         "MTKRB_TEST_PART"
#define SILENCE_USEC (300 * USEC_PER_MSEC)
#define SIGN_USEC    (100 * USEC_PER_MSEC) /* between signs of life */
#define SIGNS        10
#define REST_USEC    (900 * USEC_PER_MSEC)

/* ---- the worker ---- */

static void say(const struct worker_message *message)
{
	if (worker_message_send(WORKER_FD, message, -1) < 0)
		_exit(EXIT_FAILURE);
}

_noreturn_ static void play(const char *part)
{
	char chip[] = "MT6261", mode[] = "brom";
	const struct worker_message identity = {
		.type = WORKER_IDENTITY,
		.identity = { .chip = chip, .mode = mode, .hw_code = 0x6261 },
	};
	const struct worker_message sign = {
		.type = WORKER_PROGRESS,
		.progress = { .phase = PHASE_HANDSHAKE, .eta = -1 },
	};
	const struct worker_message done = { .type = WORKER_DONE };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (streq(part, "rests")) {
		say(&identity);
		(void)usleep(REST_USEC);
	} else if (streq(part, "lives")) {
		for (int i = 0; i < SIGNS; i++) {
			say(&sign);
			(void)usleep(SIGN_USEC);
		}
	} else {
		for (;;)
			(void)pause();
	}
	say(&done);
	_exit(EXIT_SUCCESS);
}

/* ---- the pool ---- */

struct end {
	sd_event *event;
	struct failure failure;
};

static void on_ended(_unused_ struct worker *worker, const struct failure *failure, void *userdata)
{
	struct end *end = userdata;

	assert_int_equal(failure_copy(failure, &end->failure), 0);
	assert_int_equal(sd_event_exit(end->event, 0), 0);
}

/* Plays the part to its end. */
static struct failure run(const char *part)
{
	static const struct worker_handler handler = { .ended = on_ended };
	char device[] = "/dev/null", mode[] = "brom", self[4096] = "";
	const struct worker_open open = { .device = device, .mode = mode };
	const struct worker_files files = WORKER_FILES_NONE;
	struct worker_pool *pool;
	struct worker *worker;
	struct end end = { 0 };

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_int_equal(setenv(PART, part, 1), 0);
	assert_true(sd_event_new(&end.event) >= 0);
	assert_int_equal(worker_pool_new(end.event, self, &pool), 0);
	worker_pool_set_silence_limit(pool, SILENCE_USEC);
	assert_int_equal(worker_pool_open(pool, &open, &files, &handler, &end, &worker), 0);
	assert_int_equal(sd_event_loop(end.event), 0);
	assert_int_equal(worker_pool_count(pool), 0);
	worker_pool_free(pool);
	sd_event_unref(end.event);
	return end.failure;
}

static void test_silent(_unused_ void **state)
{
	struct failure failure = run("hangs");

	assert_int_equal(failure.code, FAILURE_WORKER_CRASHED);
	assert_non_null(strstr(failure.message, "gave no sign of life, and was killed"));
	failure_clear(&failure);
}

/* Longer than the limit in all, never longer between two signs. */
static void test_signs_of_life(_unused_ void **state)
{
	struct failure failure = run("lives");

	assert_int_equal(failure.code, FAILURE_NONE);
	failure_clear(&failure);
}

/* One that has identified its watch and has no job yet is expected to be silent. */
static void test_at_rest(_unused_ void **state)
{
	struct failure failure = run("rests");

	assert_int_equal(failure.code, FAILURE_NONE);
	failure_clear(&failure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_signs_of_life),
		cmocka_unit_test(test_at_rest),
	};

	sigset_t child;

	if (getenv(PART))
		play(getenv(PART));
	/* As an event loop that waits for children wants it. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	assert_int_equal(sigprocmask(SIG_BLOCK, &child, NULL), 0);
	return cmocka_run_group_tests_name("worker-pool", tests, NULL, NULL);
}
