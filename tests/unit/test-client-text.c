/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "client/output/text.h"
#include "client/output/when.h"
#include "client/suggest.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/time.h"

static void assert_clean(const char *s, const char *expected)
{
	_cleanup_free_ char *clean = text_clean(s);

	assert_string_equal(clean, expected);
}

static void test_clean(void **state _unused_)
{
	assert_clean("", "");
	assert_clean("Zürich 東京", "Zürich 東京");
	assert_clean("a\033[2Jb\nc\td\x7f", "a?[2Jb?c?d?");
	assert_clean("\xff\xc3", "??"); /* not UTF-8 */
	assert_clean("\xc2\x9b"
		     "2J",
		     "?2J"); /* CSI as one character */
	/* What combines is text; what turns the line around (RLO), hides or joins is not. */
	assert_clean("e\u0301", "e\u0301");
	assert_clean("ab\u202edc\u200b", "ab?dc?");
}

static void assert_cut(const char *s, size_t columns, bool at_start, const char *expected)
{
	_cleanup_free_ char *cut = text_cut(s, columns, at_start, true);

	assert_string_equal(cut, expected);
	assert_true(text_columns(cut) <= columns);
}

static void test_cut(void **state _unused_)
{
	_cleanup_free_ char *ascii = text_cut("abcdefgh", 5, false, false);

	assert_string_equal(ascii, "abc..");
	assert_cut("abcdef", 6, false, "abcdef");
	assert_cut("abcdef", 4, false, "abc…");
	assert_cut("abcdef", 4, true, "…def");
	assert_cut("abcdef", 1, false, "a");
	/* A character of two columns is not cut in half. */
	assert_int_equal(text_columns("東京都"), 6);
	assert_cut("東京都", 4, false, "東…");
	assert_cut("東京都", 4, true, "…都");
}

static void test_ascii(void **state _unused_)
{
	_cleanup_free_ char *text = text_ascii("Zu\u0308rich M\u00fcller 東京");

	assert_string_equal(text, "Zurich M?ller ??");
}

static void assert_line(const char *s, size_t columns, const char *expected)
{
	size_t n = text_line(s, columns);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(s, expected, n);
}

static void test_line(void **state _unused_)
{
	assert_line("", 5, "");
	assert_line("the watch left", 20, "the watch left");
	assert_line("the watch left", 9, "the watch");
	assert_line("the watch left", 8, "the");
	assert_line("the  watch", 5, "the");
	assert_line("the  watch", 7, "the");
	/* No blank to break at. */
	assert_line("/dev/ttyACM0", 5, "/dev/");
	/* A character that is wider than the line is a line of its own, or it would never end. */
	assert_line("東京", 1, "東");
	assert_line("東京 x", 4, "東京");
}

static void test_suggest(void **state _unused_)
{
	static const char *const words[] = { "status", "ports", "submit", "show", "cancel" };
	const size_t n = ARRAY_SIZE(words);

	assert_string_equal(suggest_word("statsu", words, n), "status");
	assert_string_equal(suggest_word("prots", words, n), "ports");
	assert_string_equal(suggest_word("sub", words, n), "submit");
	assert_string_equal(suggest_word("cancell", words, n), "cancel");
	assert_null(suggest_word("erase", words, n));
	assert_null(suggest_word("s", words, n));
	assert_null(suggest_word("", words, n));
	assert_null(suggest_word("statusstatusstatusstatusstatusstatus", words, n));
}

static void assert_ago(uint64_t seconds, const char *expected)
{
	const uint64_t now = 1800000000 * USEC_PER_SEC;
	char buf[WHEN_TEXT_SIZE];

	assert_string_equal(when_ago(now, now - seconds * USEC_PER_SEC, buf), expected);
}

static void test_ago(void **state _unused_)
{
	char buf[WHEN_TEXT_SIZE];

	assert_ago(0, "just now");
	assert_ago(119, "119 s ago");
	assert_ago(120, "2 min ago");
	assert_ago(7199, "119 min ago");
	assert_ago(7200, "2 h ago");
	assert_ago(48 * 3600, "2 d ago");
	assert_ago(14 * 24 * 3600, "2027-01-01");
	/* From a clock that is ahead. */
	assert_string_equal(when_ago(1, 5 * USEC_PER_SEC, buf), "just now");
}

static void test_spans(void **state _unused_)
{
	char buf[WHEN_TEXT_SIZE];

	assert_string_equal(when_span(0.85, buf), "850 ms");
	assert_string_equal(when_span(59.9, buf), "59 s");
	assert_string_equal(when_span(185, buf), "3 min 5 s");
	assert_string_equal(when_span(7200, buf), "2 h");
	assert_string_equal(when_span(99 * 3600, buf), "4 d 3 h");
	assert_string_equal(when_span(-1, buf), "0 s");
	assert_string_equal(when_span(1e300, buf), "36500 d");
	assert_string_equal(when_clock(12.4, buf), "0:12");
	assert_string_equal(when_clock(3723, buf), "1:02:03");
	assert_string_equal(when_clock(-5, buf), "0:00");
}

static void test_day(void **state _unused_)
{
	const uint64_t eight = 1800000000 * USEC_PER_SEC; /* 2027-01-15 08:00:00 UTC */
	char buf[WHEN_TEXT_SIZE];

	assert_string_equal(when_of_day(eight, buf), "08:00:00");
	assert_int_equal(when_day_began(eight), eight - 8 * 3600 * USEC_PER_SEC);
	assert_int_equal(when_day_began(when_day_began(eight)), when_day_began(eight));
	assert_int_equal(when_day_began(when_day_began(eight) - 1),
			 eight - 32 * 3600 * USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),   cmocka_unit_test(test_cut),
		cmocka_unit_test(test_suggest), cmocka_unit_test(test_ago),
		cmocka_unit_test(test_spans),   cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_line),    cmocka_unit_test(test_day),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
