/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/board-bench.h"

#include "client/board/paint.h"
#include "client/board/panel.h"
#include "client/output/text.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/strings.h"

#include <locale.h>
#include <stdio.h>

/* A bench with a slot in each state. */
static struct board_model *bench(void)
{
	struct board_model *model = bench_model(BOARD_BELL_ENDED);
	const struct port busy = PORT("A2", PORT_BUSY, .chip = TEXT("MT6261"));
	const struct port failed = PORT("A4", PORT_FAILED);
	const struct port idle = PORT("B3", PORT_IDLE, .meid = TEXT(MEID), .chip = TEXT("MT6260"));
	const struct port at_rest = PORT("A1", PORT_IDLE, .chip = TEXT("MT6261"));

	bench_slot(model, "A1", &at_rest);
	bench_slot(model, "A2", &busy);
	bench_slot(model, "A3", NULL);
	bench_slot(model, "A4", &failed);
	bench_slot(model, "B1", NULL);
	bench_slot(model, "B2", NULL);
	bench_slot(model, "B3", &idle);
	assert_int_equal(board_model_add_slot(model, "B4", true, NULL), 0);
	bench_live(model, JOB_ENDED(1, "A1", JOB_DONE, .request = { TICKET("4711") },
				    .backup = TEXT("b1")));
	board_model_measure(model, "b1", 4 * MIB);
	bench_live(model, JOB_ON(2, "A2", JOB_RUNNING, .request = { TICKET("4712") },
				 .progress = READ_AT(50)));
	bench_live(model, JOB_ON(3, "A3", JOB_RUNNING, .progress = READ_AT(80)));
	bench_live(model, JOB_OF(MEID, 3, "A3", JOB_WAITING));
	bench_live(model, JOB_ENDED(4, "A4", JOB_FAILED, .request = { TICKET("4714") },
				    .failure = FAILURE(FAILURE_HANDSHAKE_TIMEOUT)));
	bench_live(model, JOB_FOR(5, "B1", LABELS({ TEXT("customer"), TEXT("Müller 東京") })));
	bench_live(model, JOB_FOR(6, NULL, TICKET("4720")));
	return model;
}

static struct canvas *paint(const struct board_model *model, unsigned int lines,
			    unsigned int columns, bool unicode, const char *notice)
{
	_cleanup_free_ struct board_tile *tiles = NULL;
	struct board_layout layout;
	struct canvas *canvas;
	size_t n;

	assert_int_equal(board_model_tiles(model, NOON, &tiles, &n), 0);
	layout = board_layout(lines, columns, n, 1, 0);
	assert_int_equal(canvas_new(lines, columns, unicode, &canvas), 0);
	board_paint(canvas, &layout,
		    &(struct board_view){ .tiles = tiles,
					  .n = n,
					  .totals = board_model_totals(model),
					  .now = NOON,
					  .has_free = true,
					  .free = 800 * 1024 * MIB,
					  .selected = 1,
					  .notice = notice });
	return canvas;
}

static void assert_screen(const struct canvas *canvas, const char *const *expected, size_t n)
{
	assert_int_equal(canvas->lines, n);
	for (unsigned int y = 0; y < canvas->lines; y++) {
		_cleanup_free_ char *line = canvas_line(canvas, y);

		assert_true(text_columns(line) <= canvas->columns);
		assert_string_equal(line, expected[y]);
	}
}

static void test_80_by_24(void **state _unused_)
{
	static const char *const expected[] = {
		" Today 1 done, 1 failed, 4.0 MiB   Queue 2, next 4720                  12:00:00",
		"",
		"  A1  4711 ──────────────────── ✔ done  ▸ A2  4712 ───────────────── ▶ reading",
		"  done: unplug it                         reading, leave it",
		"  █████████████████████████████  100 %    ██████████████░░░░░░░░░░░░░░░   50 %",
		"  MT6261   4.0 MiB   at 11:59 in 30 s     MT6261   1.1 MiB/s   0:03 left",
		"",
		"  A3  ME ccddeeff ────────── ◆ waiting    A4  4714 ────────────────── ✖ failed",
		"  waiting: plug the same watch back in    failed: switch it off, plug in again",
		"  ███████████████████████░░░░░░   80 %",
		"  MT6261                                  MT6261   at 11:59 in 30 s",
		"",
		"  B1  Müller 東京 ───────── ◌ expected    B2 ───────────────────────── ○ empty",
		"  plug in Müller 東京                     plug in a watch",
		"",
		"",
		"",
		"  B3  ME ccddeeff ───────────── ● idle    B4 ────────────────────── × excluded",
		"  nothing is queued for it                not used",
		"",
		"  MT6260",
		" Last failure 11:59 in A4, 4714: the port said nothing",
		" hint: try it again",
		" q quit  ? help  arrows select  Enter more  r retry  c cancel    800.0 GiB free",
	};
	_cleanup_(board_model_freep) struct board_model *model = bench();
	_cleanup_(canvas_freep) struct canvas *canvas = paint(model, 24, 80, true, NULL);

	assert_screen(canvas, expected, ARRAY_SIZE(expected));
}

static void test_rows_in_plain_ascii(void **state _unused_)
{
	static const char *const expected[] = {
		" Today 1 done, 1 failed, 4.0 MiB   Queue 2, next 4720                             "
		"                             12:00:00",
		" No daemon since 11:59:58, trying again.",
		"  SLOT       STATE                      DONE  RATE        LEFT  TICKET      NEXT  "
		"                            1-7 of 8",
		"  A1         + done      ############## 100 %                   4711        "
		"unplug it",
		"> A2         > reading   #######-------  50 % 1.1 MiB/s   0:03  4712        "
		"reading, leave it",
		"  A3         ? waiting   ###########---  80 %                   ME ccddeeff plug "
		"the same watch back in",
		"  A4         ! failed                                           4714        "
		"switch it off, plug in again",
		"  B1         _ expected                                         M?ller ??   plug "
		"in M?ller ??",
		"  B2         . empty                                                        plug "
		"in a watch",
		"  B3         o idle                                             ME ccddeeff "
		"nothing is queued for it",
		" q quit  ? help  arrows select  Enter more  r retry  c cancel                     "
		"                       800.0 GiB free",
	};
	_cleanup_(board_model_freep) struct board_model *model = bench();
	_cleanup_(canvas_freep) struct canvas *canvas =
		paint(model, 11, 120, false, "No daemon since 11:59:58, trying again.");

	assert_screen(canvas, expected, ARRAY_SIZE(expected));
}

static void test_tiny(void **state _unused_)
{
	static const char *const expected[] = {
		" Today 1 done, 1 failed", "",
		"  SLOT       STATE",      "  A1         ✔ done",
		"▸ A2         ▶ reading",  " q quit  ? help",
	};
	static const char *const too_small[] = {
		"Too small",
		"for the b…",
	};
	_cleanup_(board_model_freep) struct board_model *model = bench();
	_cleanup_(canvas_freep) struct canvas *canvas = paint(model, 6, 24, true, NULL);
	_cleanup_(canvas_freep) struct canvas *smaller = paint(model, 2, 10, true, NULL);
	_cleanup_(canvas_freep) struct canvas *nothing = paint(model, 0, 0, true, NULL);

	assert_screen(canvas, expected, ARRAY_SIZE(expected));
	assert_screen(smaller, too_small, ARRAY_SIZE(too_small));
	assert_non_null(nothing);
}

static void test_no_slots(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);
	_cleanup_(canvas_freep) struct canvas *canvas = paint(model, 24, 80, true, NULL);
	_cleanup_free_ char *line = canvas_line(canvas, 2), *failure = canvas_line(canvas, 21);

	assert_memory_equal(line, "  No slot is known yet. ", 24);
	assert_string_equal(failure, " No failure today.");
}

/* Large tiles: a thick bar, and why it failed. */
static void test_a_large_tile(void **state _unused_)
{
	static const char *const expected[] = {
		"  A2  4712 ─────────────────── ▶ reading",
		"  reading, leave it",
		"  ███████████████░░░░░░░░░░░░░░░░   50 %",
		"  ███████████████░░░░░░░░░░░░░░░░",
		"  MT6261   1.1 MiB/s   0:03 left",
		"  job 2",
		"",
		"",
		"▸ A4  4714 ──────────────────── ✖ failed",
		"  failed: switch it off, plug in again",
		"",
		"",
		"  MT6261   at 11:59 in 30 s",
		"  the port said nothing",
		"",
		"",
	};
	_cleanup_(board_model_freep) struct board_model *model = bench();
	_cleanup_free_ struct board_tile *tiles = bench_tiles(model, 8);
	_cleanup_(canvas_freep) struct canvas *canvas = NULL;

	assert_int_equal(canvas_new(16, 40, true, &canvas), 0);
	board_paint_tile(canvas, (struct rect){ 0, 0, 8, 40 }, &tiles[1], false);
	board_paint_tile(canvas, (struct rect){ 8, 0, 8, 40 }, &tiles[3], true);
	assert_screen(canvas, expected, ARRAY_SIZE(expected));
}

/* Whatever a tile's text is and however little room there is, nothing else is touched. */
static void test_a_tile_stays_in_its_place(void **state _unused_)
{
	_cleanup_(board_model_freep) struct board_model *model = bench_model(BOARD_BELL_ENDED);
	const struct port port = PORT("pci-0000:00:14.0-usb-0:2.1.4.3", PORT_BUSY,
				      .chip = TEXT("a chip with a very long name indeed"));
	_cleanup_free_ struct board_tile *tiles = NULL;

	bench_slot(model, port.slot, &port);
	bench_live(model, JOB_ON(INT64_MAX, port.slot, JOB_RUNNING, .progress = READ_AT(99),
				 .request = { TICKET("東京東京東京東京東京東京東京東京東京東京") },
				 .failure = FAILURE(FAILURE_NONE)));
	tiles = bench_tiles(model, 1);
	for (unsigned int columns = 36; columns < 60; columns++)
		for (unsigned int lines = TILE_LINES_MIN; lines <= TILE_LINES_MAX; lines++) {
			_cleanup_(canvas_freep) struct canvas *canvas = NULL;

			assert_int_equal(canvas_new(lines + 2, columns + 2, true, &canvas), 0);
			board_paint_tile(canvas, (struct rect){ 1, 1, lines, columns }, &tiles[0],
					 true);
			board_paint_row(canvas, (struct rect){ lines, 1, 1, columns }, &tiles[0],
					true);
			for (unsigned int y = 0; y < canvas->lines; y++)
				for (unsigned int x = 0; x < canvas->columns; x++)
					if (y == 0 || y > lines || x == 0 || x > columns)
						assert_int_equal(canvas_at(canvas, y, x)->text[0],
								 L' ');
		}
}

/* ---- panels ---- */

static void test_details(void **state _unused_)
{
	static const char *const expected[] = {
		"  slot        A4",
		"  state       failed",
		"  next        switch it off, plug in again",
		"  failure     handshake-timeout",
		"              Nothing that speaks like a boot ROM answered",
		"              in time.",
		"  reason      the port said nothing",
		"  what to do  try it again",
		"  port        /dev/ttyACM0 (brom), failed",
		"  job         4, failed",
		"  labels      ticket=4714",
		"              note=red",
		"  chip        MT6261",
		"  reads       ROM_0 from 0x0, to the end",
		"  created     2027-01-15 11:59:00",
		"  started     2027-01-15 11:59:00",
		"  finished    2027-01-15 11:59:30",
		"  attempts    2",
		"",
		"",
	};
	_cleanup_(board_model_freep) struct board_model *model = bench();
	_cleanup_free_ struct board_tile *tiles = bench_tiles(model, 8);
	const struct job job = JOB_ENDED(
		4, "A4", JOB_FAILED, .attempts = 2, .failure = FAILURE(FAILURE_HANDSHAKE_TIMEOUT),
		.request = {
			LABELS({ TEXT("ticket"), TEXT("4714") }, { TEXT("note"), TEXT("red") }),
			.ranges = &(struct range){ .length = RANGE_AUTO }, .n_ranges = 1 });
	_cleanup_(panel_freep) struct panel *panel = NULL;
	_cleanup_(canvas_freep) struct canvas *canvas = NULL;
	size_t skip = 0;

	assert_int_equal(panel_new_slot(&tiles[3], &job, &panel), 0);
	assert_int_equal(canvas_new(20, 60, true, &canvas), 0);
	panel_paint(panel, canvas, (struct rect){ 0, 0, 20, 60 }, &skip);
	assert_screen(canvas, expected, ARRAY_SIZE(expected));
}

static void test_a_panel_scrolls(void **state _unused_)
{
	_cleanup_(panel_freep) struct panel *panel = NULL;
	_cleanup_(canvas_freep) struct canvas *canvas = NULL;
	_cleanup_free_ char *top = NULL, *last = NULL, *bottom = NULL;
	const struct rect rect = { 1, 0, 4, 60 };
	size_t skip = 0;

	assert_int_equal(panel_new_help(&panel), 0);
	assert_int_equal(canvas_new(6, 60, true, &canvas), 0);
	panel_paint(panel, canvas, rect, &skip);
	assert_int_equal(skip, 0);
	top = canvas_line(canvas, 1);
	assert_string_equal(top, "  arrows      select a slot; PgUp, PgDn, Home and End too");
	last = canvas_line(canvas, 4);
	assert_non_null(strstr(last, " more"));
	/* No further than to its end. */
	canvas_clear(canvas, (struct rect){ 0, 0, 6, 60 });
	skip = 1000;
	panel_paint(panel, canvas, rect, &skip);
	assert_true(skip > 0 && skip < 100);
	bottom = canvas_line(canvas, 4);
	assert_string_equal(bottom, "  cancelled   ■  somebody cancelled its job");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_80_by_24),
		cmocka_unit_test(test_rows_in_plain_ascii),
		cmocka_unit_test(test_tiny),
		cmocka_unit_test(test_no_slots),
		cmocka_unit_test(test_a_large_tile),
		cmocka_unit_test(test_a_tile_stays_in_its_place),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_a_panel_scrolls),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
