/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/output/csv.h"

/* A row of two cells with this text, and what it looks like. */
static void assert_cell(const char *text, const char *expected)
{
	char buffer[256] = "", row[256];
	FILE *out = fmemopen(buffer, sizeof(buffer), "w");
	struct csv csv = { .out = out };

	assert_non_null(out);
	csv_add(&csv, text);
	csv_add(&csv, text);
	csv_end_row(&csv);
	csv_addf(&csv, "%d", -1);
	csv_end_row(&csv);
	assert_int_equal(fclose(out), 0);
	(void)snprintf(row, sizeof(row), "%s,%s\r\n-1\r\n", expected, expected);
	assert_string_equal(buffer, row);
}

static void test_quoting(void **state _unused_)
{
	assert_cell(NULL, "");
	assert_cell("", "");
	assert_cell("4711", "4711");
	assert_cell("Änne; x", "Änne; x");
	assert_cell(" blanks ", " blanks ");
	assert_cell("O'Hara, Ms.", "\"O'Hara, Ms.\"");
	assert_cell("the \"new\" one", "\"the \"\"new\"\" one\"");
	assert_cell("two\nlines", "\"two\nlines\"");
}

/* A customer called =HYPERLINK(…) must not run where the report is opened. */
static void test_formulas(void **state _unused_)
{
	assert_cell("=1+1", "'=1+1");
	assert_cell("+49 30 1234", "'+49 30 1234");
	assert_cell("-", "'-");
	assert_cell("@SUM(A1)", "'@SUM(A1)");
	assert_cell("\t=1", "'\t=1");
	assert_cell("\r=1", "\"'\r=1\"");
	assert_cell("=HYPERLINK(\"http://x\",\"y\")",
		    "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
	assert_cell("1=1", "1=1");
	assert_cell("'=1", "'=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_formulas),
	};

	return cmocka_run_group_tests_name("client-csv", tests, NULL, NULL);
}
