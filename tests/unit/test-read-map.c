/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/strings.h"
#include "protocol/device/read-map.h"

static void assert_gap(const struct read_map *map, uint64_t from, uint64_t start, uint64_t length)
{
	uint64_t got_start, got_length;

	assert_true(read_map_gap(map, from, &got_start, &got_length));
	assert_int_equal(got_start, start);
	assert_int_equal(got_length, length);
}

static void test_merge(void **state)
{
	_cleanup_(read_map_freep) struct read_map *map = NULL;

	(void)state;
	assert_int_equal(read_map_new(0, &map), -EINVAL);
	assert_int_equal(read_map_new(1000, &map), 0);
	assert_gap(map, 0, 0, 1000);
	assert_int_equal(read_map_add(map, 100, 100), 0);
	assert_int_equal(read_map_add(map, 300, 100), 0);
	assert_int_equal(read_map_done(map), 200);
	assert_gap(map, 0, 0, 100);
	assert_gap(map, 100, 200, 100);
	assert_gap(map, 250, 250, 50);
	assert_gap(map, 350, 400, 600);
	assert_int_equal(read_map_add(map, 200, 100), 0); /* touches both */
	assert_int_equal(read_map_done(map), 300);
	assert_true(read_map_covers(map, 100, 300));
	assert_false(read_map_covers(map, 99, 10));
	assert_false(read_map_covers(map, 395, 10));
	assert_int_equal(read_map_add(map, 50, 500), 0); /* swallows it */
	assert_int_equal(read_map_done(map), 500);
	assert_int_equal(read_map_add(map, 0, 1000), 0);
	assert_false(read_map_gap(map, 0, &(uint64_t){ 0 }, &(uint64_t){ 0 }));
	assert_int_equal(read_map_done(map), 1000);
}

static void test_bounds(void **state)
{
	_cleanup_(read_map_freep) struct read_map *map = NULL;

	(void)state;
	assert_int_equal(read_map_new(1000, &map), 0);
	assert_int_equal(read_map_add(map, 900, 101), -ERANGE);
	assert_int_equal(read_map_add(map, UINT64_MAX, 2), -ERANGE);
	assert_int_equal(read_map_add(map, 2, UINT64_MAX), -ERANGE);
	assert_int_equal(read_map_add(map, 1000, 0), 0);
	assert_int_equal(read_map_done(map), 0);
	assert_false(read_map_covers(map, 900, 200));
	assert_false(read_map_gap(map, 1000, &(uint64_t){ 0 }, &(uint64_t){ 0 }));
}

static void test_many_pieces(void **state)
{
	_cleanup_(read_map_freep) struct read_map *map = NULL;
	int r = 0;
	uint64_t i;

	(void)state;
	assert_int_equal(read_map_new(1U << 20, &map), 0);
	for (i = 0; r >= 0 && i < READ_MAP_EXTENTS_MAX + 1; i++)
		r = read_map_add(map, i * 2, 1);
	assert_int_equal(r, -E2BIG);
	assert_int_equal(read_map_done(map), READ_MAP_EXTENTS_MAX);
	/* Joining pieces still works when there is no room for more. */
	assert_int_equal(read_map_add(map, 1, 1), 0);
	assert_int_equal(read_map_done(map), READ_MAP_EXTENTS_MAX + 1);
}

static void test_round_trip(void **state)
{
	_cleanup_(read_map_freep) struct read_map *map = NULL, *again = NULL;
	_cleanup_free_ char *text = NULL, *text_again = NULL;

	(void)state;
	assert_int_equal(read_map_new(0x400000, &map), 0);
	assert_int_equal(read_map_add(map, 0, 0x20000), 0);
	assert_int_equal(read_map_add(map, 0x3ff000, 0x1000), 0);
	assert_int_equal(read_map_to_text(map, &text), 0);
	assert_non_null(strstr(text, "\n0x00000000  0x00020000  +\n"));
	assert_non_null(strstr(text, "\n0x00020000  0x003DF000  ?\n"));
	assert_int_equal(read_map_from_text(text, 0x400000, &again), 0);
	assert_int_equal(read_map_done(again), 0x21000);
	assert_gap(again, 0, 0x20000, 0x3df000);
	assert_int_equal(read_map_to_text(again, &text_again), 0);
	assert_string_equal(text, text_again);
}

static void test_real_ddrescue_text(void **state)
{
	static const char text[] = "# Mapfile. Created by GNU ddrescue version 1.23\n"
				   "# current_pos  current_status  current_pass\n"
				   "0x00000C00     ?               1\n"
				   "#      pos        size  status\n"
				   "0x00000000  0x00000400  +\n"
				   "0x00000400  0x00000400  *\n"
				   "0x00000800  0x00000400  +\n"
				   "0x00000C00  0x00000400  -\n";
	_cleanup_(read_map_freep) struct read_map *map = NULL;

	(void)state;
	assert_int_equal(read_map_from_text(text, 0x1000, &map), 0);
	assert_int_equal(read_map_done(map), 0x800);
	assert_gap(map, 0, 0x400, 0x400);
}

static void test_hostile_texts(void **state)
{
	static const char *const texts[] = {
		"",
		"# nothing else\n",
		"0x0 +\n",                             /* no pieces */
		"0x0 ?\n0x0 0x800 +\n",                /* too short */
		"0x0 ?\n0x0 0x1001 +\n",               /* too long */
		"0x0 ?\n0x0 0x400 +\n0x800 0x800 +\n", /* a hole */
		"0x0 ?\n0x0 0x800 +\n0x400 0xC00 +\n", /* overlap */
		"0x0 ?\n0x0 0x1000 X\n",               /* status */
		"0x0 ?\n0x0 0x1000 ++\n",              /* status */
		"0x0 ?\n0x0 0x1000\n",                 /* no status */
		"0x0 ?\n0x0 0x1000 + +\n",             /* a word more */
		"0x0 ?\n-1 0x1000 +\n",                /* sign */
		"0x0 ?\n0x0 0xFFFFFFFFFFFFFFFFF +\n",  /* overflow */
		"0x0 ?\n0x0 0xFFFFFFFFFFFFFFFF +\n",   /* wraps */
		"0x0 ?\n0x0 0x0 +\n0x0 0x1000 +\n",    /* empty piece */
		"x ?\n0x0 0x1000 +\n",                 /* position */
		"0x0\n0x0 0x1000 +\n",                 /* position without status */
	};
	struct read_map *map = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (read_map_from_text(texts[i], 0x1000, &map) != -EBADMSG)
			fail_msg("accepted: %s", texts[i]);
	assert_null(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_many_pieces),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_real_ddrescue_text),
		cmocka_unit_test(test_hostile_texts),
	};

	return cmocka_run_group_tests_name("read-map", tests, NULL, NULL);
}
