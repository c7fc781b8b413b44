/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "client/board/layout.h"
#include "protocol/base/cleanup.h"

static bool overlap(struct rect a, struct rect b)
{
	return a.y < b.y + b.lines && b.y < a.y + a.lines && a.x < b.x + b.columns &&
	       b.x < a.x + a.columns;
}

static void assert_inside(struct rect rect, struct rect frame)
{
	assert_true(rect.y >= frame.y && rect.y + rect.lines <= frame.y + frame.lines);
	assert_true(rect.x >= frame.x && rect.x + rect.columns <= frame.x + frame.columns);
}

/* Nothing stands outside the screen, or on something else; the selected slot is shown. */
static void check(const struct board_layout *layout, size_t selected)
{
	const struct rect screen = { .lines = layout->lines, .columns = layout->columns };
	const struct rect parts[] = { layout->header, layout->notice,  layout->titles,
				      layout->area,   layout->failure, layout->keys };
	struct rect rect, other;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		assert_inside(parts[i], screen);
		for (size_t j = 0; j < i; j++)
			assert_false(overlap(parts[i], parts[j]));
	}
	if (layout->n == 0)
		return;
	assert_true(board_layout_place(layout, selected, &rect));
	for (size_t i = 0; i < layout->n; i++) {
		bool shown = i >= layout->first && i < layout->first + layout->visible;

		assert_int_equal(board_layout_place(layout, i, &rect), shown);
		if (!shown)
			continue;
		assert_inside(rect, layout->area);
		assert_true(rect.lines > 0 && rect.columns > 0);
		if (i > layout->first && board_layout_place(layout, i - 1, &other))
			assert_false(overlap(rect, other));
	}
	assert_false(board_layout_place(layout, layout->n, &rect));
}

static void test_everything_has_its_place(void **state _unused_)
{
	for (unsigned int lines = 5; lines <= 70; lines += lines < 30 ? 1 : 10)
		for (unsigned int columns = 20; columns <= 240; columns += 7)
			for (size_t n = 0; n <= 64; n += n < 16 ? 1 : 8) {
				struct board_layout layout =
					board_layout(lines, columns, n, n / 2, 0);

				assert_int_not_equal(layout.form, BOARD_TOO_SMALL);
				check(&layout, n / 2);
				layout = board_layout(lines, columns, n, n ? n - 1 : 0, 0);
				check(&layout, n ? n - 1 : 0);
			}
}

static void test_too_small(void **state _unused_)
{
	assert_int_equal(board_layout(4, 80, 8, 0, 0).form, BOARD_TOO_SMALL);
	assert_int_equal(board_layout(24, 19, 8, 0, 0).form, BOARD_TOO_SMALL);
	assert_int_equal(board_layout(0, 0, 8, 0, 0).form, BOARD_TOO_SMALL);
	assert_int_equal(board_layout(1, 1, 0, 0, 0).form, BOARD_TOO_SMALL);
}

/* lines, columns, slots: what becomes of them. */
static void test_forms(void **state _unused_)
{
	static const struct {
		unsigned int lines, columns;
		size_t n;
		enum board_form form;
		size_t across;
		unsigned int tile_lines;
		size_t visible;
	} table[] = {
		{ 24, 80, 1, BOARD_TILES, 1, 8, 1 },    { 24, 80, 4, BOARD_TILES, 2, 8, 4 },
		{ 24, 80, 8, BOARD_TILES, 2, 4, 8 },    { 24, 80, 12, BOARD_TILES, 2, 3, 12 },
		{ 24, 80, 13, BOARD_ROWS, 1, 1, 13 },   { 24, 80, 20, BOARD_ROWS, 1, 1, 18 },
		{ 24, 80, 64, BOARD_ROWS, 1, 1, 18 },   { 24, 40, 4, BOARD_TILES, 1, 4, 4 },
		{ 24, 30, 8, BOARD_ROWS, 1, 1, 8 },     { 60, 200, 8, BOARD_TILES, 2, 8, 8 },
		{ 60, 200, 24, BOARD_TILES, 4, 8, 24 }, { 60, 200, 64, BOARD_TILES, 4, 3, 64 },
		{ 5, 20, 3, BOARD_ROWS, 1, 1, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct board_layout layout =
			board_layout(table[i].lines, table[i].columns, table[i].n, 0, 0);

		assert_int_equal(layout.form, table[i].form);
		assert_int_equal(layout.across, table[i].across);
		assert_int_equal(layout.tile.lines, table[i].tile_lines);
		assert_int_equal(layout.visible, table[i].visible);
	}
}

static void test_scrolling(void **state _unused_)
{
	struct board_layout layout = board_layout(24, 80, 40, 0, 0);

	assert_int_equal(layout.first, 0);
	/* No further than it takes. */
	layout = board_layout(24, 80, 40, 17, layout.first);
	assert_int_equal(layout.first, 0);
	layout = board_layout(24, 80, 40, 18, layout.first);
	assert_int_equal(layout.first, 1);
	layout = board_layout(24, 80, 40, 39, layout.first);
	assert_int_equal(layout.first, 22);
	layout = board_layout(24, 80, 40, 22, layout.first);
	assert_int_equal(layout.first, 22);
	layout = board_layout(24, 80, 40, 5, layout.first);
	assert_int_equal(layout.first, 5);
	/* Fewer slots, and a selection that is not there any more. */
	layout = board_layout(24, 80, 20, 39, 22);
	assert_int_equal(layout.first, 2);
	/* With room for all nothing is scrolled. */
	layout = board_layout(60, 80, 40, 39, 22);
	assert_int_equal(layout.first, 0);
}

static void test_moving(void **state _unused_)
{
	struct board_layout layout = board_layout(24, 80, 7, 0, 0);

	assert_int_equal(layout.across, 2);
	assert_int_equal(board_layout_move(&layout, 0, MOVE_RIGHT), 1);
	assert_int_equal(board_layout_move(&layout, 1, MOVE_RIGHT), 2);
	assert_int_equal(board_layout_move(&layout, 0, MOVE_DOWN), 2);
	assert_int_equal(board_layout_move(&layout, 5, MOVE_DOWN), 5); /* nothing is below */
	assert_int_equal(board_layout_move(&layout, 1, MOVE_UP), 1);
	assert_int_equal(board_layout_move(&layout, 2, MOVE_UP), 0);
	assert_int_equal(board_layout_move(&layout, 0, MOVE_LEFT), 0);
	assert_int_equal(board_layout_move(&layout, 6, MOVE_RIGHT), 6);
	assert_int_equal(board_layout_move(&layout, 3, MOVE_LAST), 6);
	assert_int_equal(board_layout_move(&layout, 3, MOVE_FIRST), 0);
	layout = board_layout(24, 80, 40, 0, 0);
	assert_int_equal(board_layout_move(&layout, 0, MOVE_PAGE_DOWN), 18);
	assert_int_equal(board_layout_move(&layout, 30, MOVE_PAGE_DOWN), 39);
	assert_int_equal(board_layout_move(&layout, 30, MOVE_PAGE_UP), 12);
	assert_int_equal(board_layout_move(&layout, 3, MOVE_PAGE_UP), 0);
	assert_int_equal(board_layout_move(&layout, 3, MOVE_UP), 2);
	layout = board_layout(24, 80, 0, 0, 0);
	for (int move = MOVE_UP; move <= MOVE_LAST; move++)
		assert_int_equal(board_layout_move(&layout, 0, (enum board_move)move), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_has_its_place),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_scrolling),
		cmocka_unit_test(test_moving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
