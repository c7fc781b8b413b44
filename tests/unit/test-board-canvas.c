/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "client/board/canvas.h"

static struct canvas *canvas_of(unsigned int lines, unsigned int columns, bool unicode)
{
	struct canvas *canvas;

	assert_int_equal(canvas_new(lines, columns, unicode, &canvas), 0);
	return canvas;
}

static void assert_line(const struct canvas *canvas, unsigned int y, const char *expected)
{
	_cleanup_free_ char *line = canvas_line(canvas, y);

	assert_string_equal(line, expected);
}

static void test_put(void **state _unused_)
{
	_cleanup_(canvas_freep) struct canvas *canvas = canvas_of(2, 10, true);

	assert_line(canvas, 0, "");
	assert_int_equal(canvas_put(canvas, 0, 2, 8, STYLE(TINT_GOOD), "abc"), 3);
	assert_line(canvas, 0, "  abc");
	assert_int_equal(canvas_at(canvas, 0, 2)->tint, TINT_GOOD);
	assert_int_equal(canvas_at(canvas, 0, 5)->tint, TINT_NONE);
	/* Cut to the room it is given, and to the canvas. */
	assert_int_equal(canvas_put(canvas, 1, 0, 4, STYLE(TINT_NONE), "abcdefgh"), 4);
	assert_int_equal(canvas_put(canvas, 1, 7, 99, STYLE(TINT_NONE), "abcdefgh"), 3);
	assert_line(canvas, 1, "abc…   ab…");
	assert_int_equal(
		canvas_put(canvas, 1, 0, 4, (struct style){ .at_start = true }, "abcdefgh"), 4);
	assert_line(canvas, 1, "…fgh   ab…");
	/* Outside of it there is nothing. */
	assert_int_equal(canvas_put(canvas, 2, 0, 4, STYLE(TINT_NONE), "x"), 0);
	assert_int_equal(canvas_put(canvas, 0, 10, 4, STYLE(TINT_NONE), "x"), 0);
	assert_int_equal(canvas_put(canvas, 0, 0, 0, STYLE(TINT_NONE), "x"), 0);
	assert_line(canvas, 0, "  abc");
}

static void test_nothing_drives_the_terminal(void **state _unused_)
{
	static const char hostile[] = "\033]0;x\a\033[2J\r\n\x7f\xff\xc2\x9b\u202e\u2066ok";
	_cleanup_(canvas_freep) struct canvas *canvas = canvas_of(2, 40, true);

	(void)canvas_put(canvas, 0, 0, 40, STYLE(TINT_NONE), hostile);
	(void)canvas_wrap(canvas, (struct rect){ 1, 0, 1, 40 }, 0, STYLE(TINT_NONE), hostile);
	assert_line(canvas, 0, "?]0;x??[2J???????ok");
	assert_line(canvas, 1, "?]0;x??[2J???????ok");
}

static void test_wide_and_combining(void **state _unused_)
{
	_cleanup_(canvas_freep) struct canvas *canvas = canvas_of(1, 8, true);

	assert_int_equal(canvas_put(canvas, 0, 0, 8, STYLE(TINT_NONE), "東e\u0301x"), 4);
	assert_line(canvas, 0, "東e\u0301x");
	assert_int_equal(canvas_at(canvas, 0, 1)->text[0], 0);
	/* No half of a wide one is left when the other is written over. */
	(void)canvas_put(canvas, 0, 1, 1, STYLE(TINT_NONE), "a");
	assert_line(canvas, 0, " ae\u0301x");
	(void)canvas_put(canvas, 0, 1, 2, STYLE(TINT_NONE), "京");
	(void)canvas_put(canvas, 0, 1, 1, STYLE(TINT_NONE), "b");
	assert_line(canvas, 0, " b x");
	/* One that has no room is not put by half. */
	assert_int_equal(canvas_put(canvas, 0, 7, 1, STYLE(TINT_NONE), "東"), 0);
	/* More than any language combines is dropped. */
	assert_int_equal(canvas_put(canvas, 0, 0, 8, STYLE(TINT_NONE),
				    "a\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301b"),
			 2);
	assert_line(canvas, 0, "a\u0301\u0301\u0301b x");
	/* Nothing to combine with. */
	assert_int_equal(canvas_put(canvas, 0, 0, 8, STYLE(TINT_NONE), "\u0301"), 0);
}

static void test_plain_ascii(void **state _unused_)
{
	_cleanup_(canvas_freep) struct canvas *canvas = canvas_of(1, 12, false);

	(void)canvas_put(canvas, 0, 0, 12, STYLE(TINT_NONE), "Zu\u0308 東 wxyzabcdef");
	assert_line(canvas, 0, "Zu ? wxyza..");
	canvas_fill(canvas, 0, 0, 3, STYLE(TINT_NONE), "█", "#");
	assert_line(canvas, 0, "###? wxyza..");
}

static void test_wrap(void **state _unused_)
{
	_cleanup_(canvas_freep) struct canvas *canvas = canvas_of(4, 12, true);
	const struct rect rect = { 1, 1, 3, 10 };

	assert_int_equal(canvas_wrap(canvas, rect, 4, STYLE(TINT_NONE), "the watch left"), 2);
	assert_line(canvas, 0, "");
	assert_line(canvas, 1, "     the");
	assert_line(canvas, 2, " watch left");
	canvas_clear(canvas, (struct rect){ 0, 0, 4, 12 });
	assert_int_equal(canvas_wrap(canvas, rect, 0, STYLE(TINT_NONE),
				     "the watch left during reading and did not come back"),
			 3);
	assert_line(canvas, 1, " the watch");
	assert_line(canvas, 2, " left");
	assert_line(canvas, 3, " during re…");
	assert_int_equal(canvas_wrap(canvas, rect, 0, STYLE(TINT_NONE), ""), 0);
	assert_int_equal(canvas_wrap(canvas, rect, 10, STYLE(TINT_NONE), "x"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_nothing_drives_the_terminal),
		cmocka_unit_test(test_wide_and_combining),
		cmocka_unit_test(test_plain_ascii),
		cmocka_unit_test(test_wrap),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
