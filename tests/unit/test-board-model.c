/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/board-bench.h"

#include "client/board/words.h"
#include "client/output/text.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/strings.h"

#include <locale.h>
#include <stdio.h>

/* What is in one slot, and what its tile says. */
struct scene {
	const char *what;
	struct port port;   /* slot NULL: none */
	struct job jobs[3]; /* id 0 ends them */
	bool excluded;
	const char *state, *who, *action;
};

#define HERE(state_, ...) PORT("A1", state_, __VA_ARGS__)

static const struct scene scenes[] = {
	{ "nothing", .state = "empty", .who = "", .action = "plug in a watch" },
	{ "its watch is away", .port = HERE(PORT_WAITING), .state = "empty", .who = "",
	  .action = "plug in a watch" },
	{ "an excluded slot", .port = HERE(PORT_EXCLUDED), .excluded = true, .state = "excluded",
	  .who = "", .action = "not used" },
	{ "a watch that nobody wants", .port = HERE(PORT_IDLE, .meid = TEXT(MEID)), .state = "idle",
	  .who = "ME ccddeeff", .action = "nothing is queued for it" },
	{ "a watch whose job is about to start", .port = HERE(PORT_IDLE),
	  .jobs = { JOB_FOR(1, "A1", TICKET("4711")) }, .state = "idle", .who = "",
	  .action = "its job comes next, leave it" },
	{ "a watch being asked", .port = HERE(PORT_IDENTIFYING), .state = "asking", .who = "",
	  .action = "asking what it is, leave it" },
	{ "a port that cannot be spoken to",
	  .port = HERE(PORT_FAILED, .failure = FAILURE(FAILURE_PORT_BUSY)), .state = "failed",
	  .who = "", .action = "failed: another program has the port" },
	{ "a job that has just begun", .port = HERE(PORT_BUSY),
	  .jobs = { JOB_ON(1, "A1", JOB_RUNNING) }, .state = "starting", .who = "job 1",
	  .action = "starting, leave it" },
	{ "a job that reads", .port = HERE(PORT_BUSY),
	  .jobs = { JOB_ON(1, "A1", JOB_RUNNING, .progress = READ_AT(50),
			   .request = { TICKET("4711") }) },
	  .state = "reading", .who = "4711", .action = "reading, leave it" },
	{ "a job that verifies", .port = HERE(PORT_BUSY),
	  .jobs = { JOB_ON(1, "A1", JOB_RUNNING, .progress = { .phase = PHASE_VERIFY },
			   .request = { LABELS({ TEXT("customer"), TEXT("Ada") }) }) },
	  .state = "verifying", .who = "Ada", .action = "reading it again, leave it" },
	{ "a job that is being filed, its port at rest", .port = HERE(PORT_IDLE),
	  .jobs = { JOB_ON(1, "A1", JOB_RUNNING, .progress = { .phase = PHASE_PUBLISH }) },
	  .state = "filing", .who = "job 1", .action = "almost done, leave it" },
	{ "a watch that left in the middle",
	  .jobs = { JOB_ON(1, "A1", JOB_WAITING, .failure = FAILURE(FAILURE_DEVICE_LOST)) },
	  .state = "waiting", .who = "job 1", .action = "waiting: plug the same watch back in" },
	{ "another watch in its place", .port = HERE(PORT_IDLE),
	  .jobs = { JOB_ON(1, "A1", JOB_WAITING, .failure = FAILURE(FAILURE_WRONG_WATCH)) },
	  .state = "waiting", .who = "job 1", .action = "wrong watch: plug the right one in" },
	{ "a watch read where another one is waited for", .port = HERE(PORT_BUSY),
	  .jobs = { JOB_ON(1, "A1", JOB_WAITING), JOB_ON(2, "A1", JOB_RUNNING) },
	  .state = "starting", .who = "job 2", .action = "starting, leave it" },
	{ "a watch that somebody is to bring", .jobs = { JOB_FOR(1, "A1", TICKET("4711")) },
	  .state = "expected", .who = "4711", .action = "plug in 4711" },
	{ "two that are to be brought: the more urgent one",
	  .jobs = { JOB_FOR(1, "A1", TICKET("1")), JOB_FOR(2, "A1", TICKET("2"), .priority = 5) },
	  .state = "expected", .who = "2", .action = "plug in 2" },
	{ "any watch for a job", .jobs = { JOB_FOR(12, "A1") }, .state = "expected",
	  .who = "job 12", .action = "plug in a watch for job 12" },
	{ "a retried job that knows its watch",
	  .jobs = { JOB_ON(1, "A1", JOB_QUEUED, .request = { TICKET("4711") }) },
	  .state = "expected", .who = "4711", .action = "plug 4711 back in" },
	{ "a job that is done, its watch still there", .port = HERE(PORT_IDLE),
	  .jobs = { JOB_ENDED(1, "A1", JOB_DONE, .request = { TICKET("4711") }) }, .state = "done",
	  .who = "4711", .action = "done: unplug it" },
	{ "the same with another one behind it", .port = HERE(PORT_FAILED),
	  .jobs = { JOB_ENDED(1, "A1", JOB_DONE), JOB_FOR(2, "A1", TICKET("4712")) },
	  .state = "done", .who = "job 1", .action = "done: unplug it, then plug in 4712" },
	{ "a job that is done, its watch gone", .jobs = { JOB_ENDED(1, "A1", JOB_DONE) },
	  .state = "done", .who = "job 1", .action = "done: plug in the next watch" },
	{ "one that was done long ago",
	  .jobs = { JOB_ON(1, "A1", JOB_DONE,
			   .finished = NOON - (BOARD_LINGER_SECONDS + 1) * USEC_PER_SEC) },
	  .state = "empty", .who = "", .action = "plug in a watch" },
	{ "another watch after one that is done", .port = HERE(PORT_IDLE, .meid = TEXT(MEID)),
	  .jobs = { JOB_OF("ff", 1, "A1", JOB_DONE, .finished = NOON - 1) }, .state = "idle",
	  .who = "ME ccddeeff", .action = "nothing is queued for it" },
	{ "a failure", .port = HERE(PORT_FAILED, .failure = FAILURE(FAILURE_PORT_BUSY)),
	  .jobs = { JOB_ENDED(1, "A1", JOB_FAILED, .failure = FAILURE(FAILURE_HANDSHAKE_TIMEOUT)) },
	  .state = "failed", .who = "job 1", .action = "failed: switch it off, plug in again" },
	{ "a failure of hours ago: nobody has looked after it",
	  .jobs = { JOB_ON(1, "A1", JOB_FAILED, .finished = DAY + 1,
			   .failure = FAILURE(FAILURE_VERIFY_MISMATCH)) },
	  .state = "failed", .who = "job 1", .action = "failed: other cable, then r to retry" },
	{ "the newest of two ends counts", .port = HERE(PORT_IDLE),
	  .jobs = { JOB_ENDED(1, "A1", JOB_DONE),
		    JOB_ON(2, "A1", JOB_FAILED, .finished = NOON - 90 * USEC_PER_SEC) },
	  .state = "done", .who = "job 1", .action = "done: unplug it" },
	{ "a cancelled job, its watch still there", .port = HERE(PORT_IDLE),
	  .jobs = { JOB_ENDED(1, "A1", JOB_CANCELLED) }, .state = "cancelled", .who = "job 1",
	  .action = "cancelled: unplug it, or r to retry" },
	{ "a cancelled job, its watch gone", .jobs = { JOB_ENDED(1, "A1", JOB_CANCELLED) },
	  .state = "empty", .who = "", .action = "plug in a watch" },
};

static void assert_words(const struct scene *scene, const char *is, const char *should)
{
	if (!streq(is, should))
		print_error("%s:\n", scene->what);
	assert_string_equal(is, should);
}

static void test_what_a_tile_says(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		const struct scene *scene = &scenes[i];
		_cleanup_(board_model_freep) struct board_model *model =
			bench_model(BOARD_BELL_ENDED);
		_cleanup_free_ struct board_tile *tiles = NULL;
		char words[BOARD_WORDS_SIZE];

		assert_int_equal(board_model_add_slot(model, "A1", scene->excluded,
						      scene->port.slot ? &scene->port : NULL),
				 0);
		for (size_t j = 0; j < ARRAY_SIZE(scene->jobs) && scene->jobs[j].id; j++)
			assert_int_equal(board_model_set_job(model, &scene->jobs[j], true), 0);
		tiles = bench_tiles(model, 1);
		assert_string_equal(tiles[0].slot, "A1");
		assert_words(scene, board_words_state(&tiles[0]), scene->state);
		assert_words(scene, board_words_who(&tiles[0], words), scene->who);
		assert_words(scene, board_words_action(&tiles[0], words), scene->action);
	}
}

/* Each failure has a remedy that fits into the narrowest tile, and none is that of "no failure". */
static void test_every_failure_has_a_remedy(void **state _unused_)
{
	for (int code = FAILURE_NONE + 1; code < _FAILURE_MAX; code++) {
		const struct failure failure = { .code = (enum failure_code)code };
		const struct board_tile tile = { .face = FACE_FAILED, .failure = &failure };
		char words[BOARD_WORDS_SIZE];

		board_words_action(&tile, words);
		assert_null(strstr(words, "(null)"));
		assert_string_not_equal(words, "failed: Enter tells why");
		assert_true(text_columns(words) <= 38);
		assert_string_equal(board_words_bare_action(&tile, words),
				    words + strlen("failed: "));
	}
}

/* Nobody has to see a colour, or more than one letter. */
static void test_marks_differ(void **state _unused_)
{
	for (int a = 0; a < _FACE_MAX; a++)
		for (int b = 0; b < _FACE_MAX; b++) {
			const char *x = board_words_mark((enum board_face)a, true);
			const char *y = board_words_mark((enum board_face)b, true);

			assert_int_equal(text_columns(x), 1);
			assert_int_equal(streq(x, y), a == b);
			x = board_words_mark((enum board_face)a, false);
			y = board_words_mark((enum board_face)b, false);
			assert_int_equal(strlen(x), 1);
			assert_int_equal(streq(x, y), a == b);
		}
}

static void assert_order(const struct board_model *model, const char *expected)
{
	_cleanup_free_ struct board_tile *tiles = NULL;
	char is[128] = "";
	size_t n;

	assert_int_equal(board_model_tiles(model, NOON, &tiles, &n), 0);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(is + strlen(is), sizeof(is) - strlen(is), "%s%s", i ? " " : "",
			       tiles[i].slot);
	assert_string_equal(is, expected);
}

static void test_bench_order(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);
	const struct port late = PORT("Z9", PORT_IDLE);

	bench_slot(model, "B1", NULL);
	bench_slot(model, "A1", NULL);
	bench_slot(model, "C1", NULL);
	assert_order(model, "B1 A1 C1");
	/* One that has just come stands at the end until it is listed. */
	assert_int_equal(board_model_set_port(model, &late), 0);
	assert_order(model, "B1 A1 C1 Z9");
	board_model_begin_slots(model);
	bench_slot(model, "Z9", &late);
	bench_slot(model, "C1", NULL);
	bench_slot(model, "C1", NULL);
	bench_slot(model, "B1", NULL);
	assert_order(model, "Z9 C1 B1");
	/* Where somebody has to look for a watch is shown, named or not; where it was not is not. */
	bench_live(model, JOB_ON(1, "usb-2", JOB_WAITING));
	bench_live(model, JOB_ENDED(2, "usb-1", JOB_DONE));
	bench_live(model, JOB_ENDED(3, "usb-3", JOB_CANCELLED));
	bench_live(model, JOB_ON(4, "usb-4", JOB_DONE, .finished = DAY + 1));
	bench_live(model, JOB_FOR(5, "nowhere"));
	assert_order(model, "Z9 C1 B1 usb-1 usb-2");
}

static void test_a_slot_that_is_left_out_forgets_its_port(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);
	_cleanup_free_ struct board_tile *tiles = NULL;
	const struct port port = PORT("A1", PORT_IDLE);

	bench_slot(model, "A1", &port);
	board_model_begin_slots(model);
	bench_slot(model, "A1", NULL);
	tiles = bench_tiles(model, 1);
	assert_false(tiles[0].present);
	assert_null(tiles[0].port);
}

static void test_totals(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);
	struct board_totals totals = board_model_totals(model);

	assert_int_equal(totals.done + totals.failed + totals.queued, 0);
	assert_null(totals.last_failed);
	bench_listed(model, JOB_ENDED(1, "A1", JOB_DONE, .backup = TEXT("b1")));
	bench_live(model, JOB_ENDED(2, "A1", JOB_DONE, .backup = TEXT("b2")));
	bench_listed(model, JOB_ON(3, "A1", JOB_DONE, .finished = DAY - 1)); /* yesterday */
	bench_live(model, JOB_ON(4, "A1", JOB_FAILED, .finished = NOON - 2));
	bench_listed(model, JOB_ON(5, "A2", JOB_FAILED, .finished = NOON - 3));
	bench_live(model, JOB_ON(6, "A2", JOB_RUNNING));
	bench_live(model, JOB_ON(7, "A3", JOB_WAITING));
	bench_live(model, JOB_FOR(8, NULL));
	bench_live(model, JOB_FOR(9, NULL, .priority = 1));
	bench_live(model, JOB_FOR(10, "A1", .priority = 2));
	/* The same again changes nothing. */
	bench_live(model, JOB_ENDED(2, "A1", JOB_DONE, .backup = TEXT("b2")));
	bench_listed(model, JOB_ENDED(2, "A1", JOB_DONE, .backup = TEXT("b2")));
	totals = board_model_totals(model);
	assert_int_equal(totals.done, 2);
	assert_int_equal(totals.failed, 2);
	assert_int_equal(totals.last_failed->id, 4);
	assert_int_equal(totals.running, 1);
	assert_int_equal(totals.waiting, 1);
	assert_int_equal(totals.queued, 3);
	assert_int_equal(totals.next->id, 9);
	/* A retry takes its failure back. */
	bench_live(model, JOB_ON(4, "A1", JOB_QUEUED));
	totals = board_model_totals(model);
	assert_int_equal(totals.failed, 1);
	assert_int_equal(totals.last_failed->id, 5);
}

static void test_bytes_are_asked_for_once(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);

	assert_null(board_model_unmeasured(model));
	bench_live(model, JOB_ENDED(1, "A1", JOB_DONE, .backup = TEXT("b1")));
	bench_live(model, JOB_ENDED(2, "A1", JOB_DONE, .backup = TEXT("b2")));
	assert_string_equal(board_model_unmeasured(model), "b2");
	board_model_measure(model, "b2", 5);
	assert_string_equal(board_model_unmeasured(model), "b1");
	board_model_measure(model, "b1", 0); /* removed meanwhile */
	assert_null(board_model_unmeasured(model));
	bench_live(model, JOB_ENDED(2, "A1", JOB_DONE, .backup = TEXT("b2")));
	assert_null(board_model_unmeasured(model));
	assert_int_equal(board_model_totals(model).bytes, 5);
}

static void test_live_is_newer_than_any_list(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);

	bench_live(model, JOB_ENDED(1, "A1", JOB_DONE));
	bench_listed(model, JOB_ON(1, "A1", JOB_RUNNING));
	assert_int_equal(board_model_totals(model).done, 1);
	assert_int_equal(board_model_totals(model).running, 0);
}

static void test_a_waiting_job_keeps_its_progress(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);
	_cleanup_free_ struct board_tile *tiles = NULL;

	bench_live(model, JOB_ON(1, "A1", JOB_RUNNING, .progress = READ_AT(40)));
	bench_live(model, JOB_ON(1, "A1", JOB_WAITING));
	tiles = bench_tiles(model, 1);
	assert_int_equal(tiles[0].job->progress.done, 400000);
}

static void test_bell(void **state _unused_)
{
	static const struct {
		enum board_bell bell;
		bool done, failed;
	} table[] = {
		{ BOARD_BELL_ENDED, true, true },
		{ BOARD_BELL_FAILED, false, true },
		{ BOARD_BELL_NEVER, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_(board_model_freep) struct board_model *model = bench_model(table[i].bell);

		bench_live(model, JOB_ON(1, "A1", JOB_RUNNING));
		bench_live(model, JOB_ON(2, "A2", JOB_RUNNING));
		bench_live(model, JOB_ON(3, "A3", JOB_RUNNING));
		assert_false(board_model_take_bell(model));
		bench_live(model, JOB_ENDED(1, "A1", JOB_DONE));
		assert_int_equal(board_model_take_bell(model), table[i].done);
		bench_live(model, JOB_ENDED(2, "A2", JOB_FAILED));
		assert_int_equal(board_model_take_bell(model), table[i].failed);
		/* Once; and whoever cancels knows it. */
		bench_live(model, JOB_ENDED(2, "A2", JOB_FAILED));
		bench_live(model, JOB_ENDED(3, "A3", JOB_CANCELLED));
		assert_false(board_model_take_bell(model));
		/* What ended before we looked is listed, and silent; what begins and ends between
		 * two looks is told by Follow, and is not. */
		bench_listed(model, JOB_ENDED(4, "A4", JOB_FAILED));
		assert_false(board_model_take_bell(model));
		bench_live(model, JOB_ENDED(5, "A5", JOB_FAILED));
		assert_int_equal(board_model_take_bell(model), table[i].failed);
		assert_false(board_model_take_bell(model));
	}
}

static void test_a_restart_of_the_daemon(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);
	struct board_totals totals;

	bench_live(model, JOB_ENDED(1, "A1", JOB_DONE));
	bench_live(model, JOB_ON(2, "A2", JOB_RUNNING));
	bench_live(model, JOB_ON(3, "A3", JOB_RUNNING));
	bench_live(model, JOB_FOR(4, NULL));
	(void)board_model_take_bell(model);
	board_model_lost(model);
	/* What stood there still does. */
	assert_int_equal(board_model_totals(model).running, 2);
	/* It is back: Follow tells of what has not ended, the list of what has. */
	bench_live(model, JOB_ON(3, "A3", JOB_RUNNING));
	bench_listed(model, JOB_ENDED(2, "A2", JOB_FAILED));
	assert_true(board_model_take_bell(model));
	board_model_settle(model);
	totals = board_model_totals(model);
	assert_int_equal(totals.done, 1);
	assert_int_equal(totals.failed, 1);
	assert_int_equal(totals.running, 1);
	assert_int_equal(totals.queued, 0);
}

static void test_midnight(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);

	bench_live(model, JOB_ENDED(1, "A1", JOB_DONE));
	bench_live(model, JOB_ENDED(2, "A2", JOB_FAILED));
	bench_live(model, JOB_ON(3, "A3", JOB_RUNNING));
	board_model_set_day(model, NOON);
	assert_int_equal(board_model_totals(model).done, 0);
	assert_int_equal(board_model_totals(model).failed, 0);
	assert_int_equal(board_model_totals(model).running, 1);
	bench_live(model, JOB_ON(3, "A3", JOB_DONE, .finished = NOON + 1));
	assert_int_equal(board_model_totals(model).done, 1);
}

/* Ids in any order, and more than the first room for them. */
static void test_many_jobs(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);

	for (int64_t i = 0; i < 500; i++)
		bench_live(model, JOB_FOR(1 + i * 7 % 500, NULL));
	assert_int_equal(board_model_totals(model).queued, 500);
	assert_int_equal(board_model_totals(model).next->id, 1);
	for (int64_t i = 1; i <= 499; i++)
		bench_live(model, JOB_ENDED(i, "A1", JOB_CANCELLED));
	assert_int_equal(board_model_totals(model).queued, 1);
	assert_int_equal(board_model_totals(model).next->id, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_tile_says),
		cmocka_unit_test(test_every_failure_has_a_remedy),
		cmocka_unit_test(test_marks_differ),
		cmocka_unit_test(test_bench_order),
		cmocka_unit_test(test_a_slot_that_is_left_out_forgets_its_port),
		cmocka_unit_test(test_totals),
		cmocka_unit_test(test_bytes_are_asked_for_once),
		cmocka_unit_test(test_live_is_newer_than_any_list),
		cmocka_unit_test(test_a_waiting_job_keeps_its_progress),
		cmocka_unit_test(test_bell),
		cmocka_unit_test(test_a_restart_of_the_daemon),
		cmocka_unit_test(test_midnight),
		cmocka_unit_test(test_many_jobs),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
