/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "client/output/facts.h"
#include "client/output/table.h"
#include "protocol/base/cleanup.h"

static const struct column columns[] = {
	{ .title = "ID", .right = true },
	{ .title = "SLOT", .cut = CUT_START },
	{ .title = "NOTE", .cut = CUT_END },
	{ .title = "OWNER", .drop = 1 },
};

static struct table *sample(void)
{
	struct table *table;

	assert_int_equal(table_new(columns, ARRAY_SIZE(columns), &table), 0);
	table_add(table, TINT_NONE, "7");
	table_add(table, TINT_NONE, "pci-0000:00:14.0-usb-0:2");
	table_add(table, TINT_GOOD, "20261123T143110Z-MT6261");
	table_add(table, TINT_NONE, "root");
	table_addf(table, TINT_NONE, "%d", 1234);
	table_add(table, TINT_NONE, NULL);
	table_add(table, TINT_NONE, "");
	table_add(table, TINT_NONE, "a\nb");
	return table;
}

static void assert_printed(const struct table *table, const struct term *term, const char *expected)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(table_print(table, term, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, expected);
}

static void test_a_pipe_gets_all(void **state _unused_)
{
	static const struct term pipe = { .columns = 20 };
	_cleanup_(table_freep) struct table *table = sample();

	assert_printed(table, &pipe,
		       "  ID  SLOT                      NOTE                     OWNER\n"
		       "   7  pci-0000:00:14.0-usb-0:2  20261123T143110Z-MT6261  root\n"
		       "1234  -                         -                        a?b\n");
}

static void test_a_terminal_cuts_the_widest(void **state _unused_)
{
	static const struct term term = { .tty = true, .unicode = true, .columns = 43 };
	_cleanup_(table_freep) struct table *table = sample();

	assert_printed(table, &term,
		       "  ID  SLOT            NOTE            OWNER\n"
		       "   7  …:14.0-usb-0:2  20261123T1431…  root\n"
		       "1234  -               -               a?b\n");
}

static void test_a_narrow_terminal_drops_a_column(void **state _unused_)
{
	static const struct term term = { .tty = true, .unicode = true, .columns = 24 };
	_cleanup_(table_freep) struct table *table = sample();

	assert_printed(table, &term,
		       "  ID  SLOT      NOTE\n"
		       "   7  …usb-0:2  2026112…\n"
		       "1234  -         -\n");
}

static void test_colour_does_not_count(void **state _unused_)
{
	static const struct column two[] = { { .title = "A" }, { .title = "B", .right = true } };
	static const struct term term = { .colour = true, .columns = 80 };
	_cleanup_(table_freep) struct table *table = NULL;

	assert_int_equal(table_new(two, ARRAY_SIZE(two), &table), 0);
	table_add(table, TINT_GOOD, "done");
	table_add(table, TINT_NONE, "12");
	assert_printed(table, &term,
		       "\033[1mA\033[0m      \033[1mB\033[0m\n"
		       "\033[32mdone\033[0m  12\n");
}

static void test_facts_have_no_header(void **state _unused_)
{
	static const struct term pipe = { .columns = 80 };
	_cleanup_(table_freep) struct table *table = NULL;

	assert_int_equal(facts_new(&table), 0);
	facts_add(table, "job", TINT_NONE, "%d", 7);
	facts_add_known(table, "chip", NULL);
	facts_add_known(table, "backup", "B7");
	facts_add_time(table, "started", 0);
	assert_printed(table, &pipe, "   job  7\nbackup  B7\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pipe_gets_all),
		cmocka_unit_test(test_a_terminal_cuts_the_widest),
		cmocka_unit_test(test_a_narrow_terminal_drops_a_column),
		cmocka_unit_test(test_colour_does_not_count),
		cmocka_unit_test(test_facts_have_no_header),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
