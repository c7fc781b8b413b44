/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Hostile text in a page: nothing of it may become a tag, an attribute's end or a reordering. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/worker/html-text.h"

#define GONE "\xef\xbf\xbd"

static void check(const char *text, const char *expected)
{
	_cleanup_free_ char *result = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&result, &size);

	assert_non_null(out);
	html_text(out, text);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(result, expected);
}

static void test_plain(void **state)
{
	(void)state;
	check("", "");
	check(NULL, "");
	check("MT6261, 4.0 MiB", "MT6261, 4.0 MiB");
	check("Größe \xe2\x82\xac \xf0\x9f\x95\x90", "Größe \xe2\x82\xac \xf0\x9f\x95\x90");
}

static void test_markup(void **state)
{
	(void)state;
	check("<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
	check("\" onload=\"x", "&quot; onload=&quot;x");
	check("&lt;", "&amp;lt;");
	check("</style><!--", "&lt;/style&gt;&lt;!--");
}

static void test_controls(void **state)
{
	(void)state;
	check("a\x1b[2Jb\nc\x7f", "a" GONE "[2Jb" GONE "c" GONE);
	check("\xc2\x85", GONE); /* a C1 control */
	check("a\xe2\x80\xae"
	      "b",
	      "a" GONE "b");                          /* right-to-left override */
	check("\xe2\x81\xa6\xe2\x80\x8f", GONE GONE); /* an isolate, a mark */
}

static void test_no_utf8(void **state)
{
	(void)state;
	check("\xff<\xc3", GONE "&lt;" GONE);
	check("\xe2\x80", GONE GONE);          /* cut off */
	check("\xc0\xbc", GONE GONE);          /* '<' in two bytes */
	check("\xed\xa0\x80", GONE GONE GONE); /* half of a pair */
	check("\xf8\x88\x80\x80\x80<", GONE GONE GONE GONE GONE "&lt;");
	check("\xf0\x9f<x", GONE GONE "&lt;x");
}

static void test_format(void **state)
{
	_cleanup_free_ char *result = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&result, &size);

	(void)state;
	html_textf(out, "%s at 0x%x", "<b>", 0x20U);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(result, "&lt;b&gt; at 0x20");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),    cmocka_unit_test(test_markup),
		cmocka_unit_test(test_controls), cmocka_unit_test(test_no_utf8),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
