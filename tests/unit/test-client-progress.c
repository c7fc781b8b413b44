/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "client/output/progress.h"
#include "client/output/text.h"
#include "protocol/base/cleanup.h"

#define MIB (1024ULL * 1024)

static const struct progress half = {
	.phase = PHASE_READ, .done = 2 * MIB, .total = 4 * MIB, .rate = 215040, .eta = 10
};

static void test_percent(void **state _unused_)
{
	struct progress p = { .phase = PHASE_READ, .done = 5, .total = 0 };

	assert_int_equal(progress_percent(&p), 0);
	assert_int_equal(progress_percent(&half), 50);
	/* Not yet all: not yet 100, however large the numbers are. */
	p = (struct progress){ .done = UINT64_MAX - 1, .total = UINT64_MAX };
	assert_int_equal(progress_percent(&p), 99);
	p = (struct progress){ .done = 9, .total = 8 };
	assert_int_equal(progress_percent(&p), 100);
}

static void assert_text(const struct progress *progress, const char *expected)
{
	_cleanup_free_ char *text = progress_text(progress);

	assert_string_equal(text, expected);
}

static void test_text(void **state _unused_)
{
	struct progress p = half;

	assert_text(&p, "read 50 % (2.0/4.0 MiB, 210.0 KiB/s, 10 s left)");
	p.eta = 0.2;
	assert_text(&p, "read 50 % (2.0/4.0 MiB, 210.0 KiB/s, 1 s left)");
	p.eta = -1;
	assert_text(&p, "read 50 % (2.0/4.0 MiB, 210.0 KiB/s)");
	p.rate = 0;
	assert_text(&p, "read 50 % (2.0/4.0 MiB)");
	p = (struct progress){ .phase = PHASE_VERIFY, .done = 512, .total = 512, .eta = 0 };
	assert_text(&p, "verify 100 % (512/512 B)");
	p = (struct progress){ .phase = PHASE_READ, .done = 9, .total = 1000, .eta = -1 };
	assert_text(&p, "read 0 % (9/1000 B)");
	p = (struct progress){ .phase = PHASE_HANDSHAKE, .eta = -1 };
	assert_text(&p, "handshake");
	p = (struct progress){ .phase = PHASE_NONE };
	assert_text(&p, "");
}

static void assert_line(const struct progress *progress, unsigned int columns, const char *expected)
{
	const struct term term = { .tty = true, .live = true, .columns = columns };
	_cleanup_free_ char *line = progress_line(progress, "job 12", &term);

	assert_string_equal(line, expected);
	assert_true(text_columns(line) + TERM_MARGIN <= columns);
}

static void test_line_fits(void **state _unused_)
{
	static const struct progress handshake = { .phase = PHASE_HANDSHAKE, .eta = -1 };

	assert_line(&half, 82,
		    "job 12  read    50 %  #########----------  2.0/4.0 MiB  210.0 KiB/s  "
		    " 0:10 left");
	assert_line(&half, 64, "job 12  read    50 %  #######-------  2.0/4.0 MiB   0:10 left");
	assert_line(&half, 50, "job 12  read    50 %  ######------  2.0/4.0 MiB");
	assert_line(&half, 38, "job 12  read    50 %  ######-------");
	assert_line(&half, 22, "job 12  read    5..");
	assert_line(&handshake, 80, "job 12  handshake");
}

static void test_line_keeps_its_width(void **state _unused_)
{
	const struct term term = { .tty = true, .live = true, .unicode = true, .columns = 80 };
	struct progress p = half;
	size_t first = 0;

	for (p.done = 0; p.done <= p.total; p.done += MIB / 8) {
		_cleanup_free_ char *line = progress_line(&p, "job 12", &term);
		size_t columns = text_columns(line);

		if (!first)
			first = columns;
		assert_int_equal(columns, first);
		assert_true(columns < term.columns);
	}
}

static void test_colour_is_only_added(void **state _unused_)
{
	const struct term term = { .tty = true, .live = true, .colour = true, .columns = 82 };
	_cleanup_free_ char *line = progress_line(&half, "job 12", &term);

	assert_non_null(strstr(line, "\033[36m#########\033[0m\033[2m----------\033[0m  2.0/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_line_fits),
		cmocka_unit_test(test_line_keeps_its_width),
		cmocka_unit_test(test_colour_is_only_added),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
