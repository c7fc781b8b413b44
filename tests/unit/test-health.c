/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whole images, wrong sizes, wrong places: each once, and the finding that it must give. */

#include "tests/unit/health-bench.h"

/* ---- Whole ---- */

static void passes_whole_images(void **state)
{
	static const char *const platforms[] = { "MT6261", "MT6260", "MT2502" };

	(void)state;
	for (uint64_t size = MIB; size <= 16 * MIB; size *= 2)
		for (size_t i = 0; i < ARRAY_SIZE(platforms); i++) {
			_cleanup_bench_ struct bench bench = bench_new(size, platforms[i]);

			judge(&bench);
			assert_true(health_is_good(bench.report));
			assert_int_equal(bench.report->n_outcomes[HEALTH_FAIL], 0);
			/* One read cannot prove it. */
			assert_outcome(&bench, "second-readback", NULL, HEALTH_UNKNOWN);
			assert_outcome(&bench, "content", "ROM", HEALTH_UNKNOWN);
			assert_in_range(bench.report->score, 80, 99);
			assert_int_equal(bench.report->coverage.digest, 0x1B5C + 0x7328);
			assert_true(bench.report->coverage.structure > size / 6);
			assert_true(bench.report->coverage.unproven > size / 5);
			assert_outcome(&bench, "digest", "INT_BOOTLOADER", HEALTH_PASS);
			assert_outcome(&bench, "digest", "EXT_BOOTLOADER", HEALTH_PASS);
			assert_outcome(&bench, "alice-walk", "VIVA", HEALTH_PASS);
			assert_outcome(&bench, "rom-info", "ROM", HEALTH_PASS);
		}
}

static void is_proven_by_second_readback(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	_cleanup_bench_ struct bench second = bench_new(MIB, "MT6261");
	const struct health_options options = { .second = second.data, .second_size = MIB };

	(void)state;
	/* The user area of a watch in use differs. */
	second.data[0xc0000] ^= 1;
	bench_judge(&bench, &options);
	assert_sound(&bench);
	assert_outcome(&bench, "second-readback", NULL, HEALTH_PASS);
	assert_outcome(&bench, "content", "ROM", HEALTH_PASS);
	assert_int_equal(bench.report->score, 100);
	assert_int_equal(bench.report->coverage.same, 0xc0000);

	second.data[0x20000] ^= 1;
	second.data[0x20010] ^= 1;
	second.data[0x40000] ^= 1;
	bench_judge(&bench, &options);
	assert_fails(&bench, "second-readback", NULL, HEALTH_ERROR);
	assert_outcome(&bench, "content", "ROM", HEALTH_UNKNOWN);
	assert_int_equal(bench.report->difference.bytes, 3);
	assert_int_equal(bench.report->difference.n_ranges, 2);
	assert_int_equal(bench.report->difference.ranges[0].offset, 0x20000);
	assert_int_equal(bench.report->difference.ranges[0].length, 0x11);
	assert_int_equal(bench.report->difference.ranges[1].offset, 0x40000);
	assert_false(health_is_good(bench.report));
}

static void misses_end_of_second_readback(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	const struct health_options options = { .second = bench.data, .second_size = 0x80000 };

	(void)state;
	bench_judge(&bench, &options);
	assert_fails(&bench, "second-readback", NULL, HEALTH_ERROR);
	assert_int_equal(bench.report->difference.missing, 0x40000);
}

static void bounds_list_of_differences(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	_cleanup_bench_ struct bench second = bench_new(MIB, "MT6261");
	const struct health_options options = { .second = second.data, .second_size = MIB };

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		second.data[0x10000 + 0x100 * i] ^= 1;
	bench_judge(&bench, &options);
	assert_int_equal(bench.report->difference.n_ranges, IMAGE_RANGES_MAX);
	assert_int_equal(bench.report->difference.n_ranges_left_out, 100 - IMAGE_RANGES_MAX);
	assert_int_equal(bench.report->difference.bytes, 100);
}

/* ---- Size ---- */

static void finds_blank(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	memset(bench.data, 0xff, bench.size);
	judge(&bench);
	assert_fails(&bench, "blank", NULL, HEALTH_FATAL);
	assert_false(health_can_rebuild(bench.report));
	assert_int_equal(bench.report->score, 0);
}

static void finds_odd_size(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	bench_resize(&bench, MIB + 5);
	judge(&bench);
	assert_fails(&bench, "size", NULL, HEALTH_NOTE);
	assert_true(health_is_good(bench.report));
}

static void finds_aliasing(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT6261");
	const struct health_check *check;

	(void)state;
	bench_repeat(&bench, 16 * MIB);
	judge(&bench);
	check = assert_fails(&bench, "aliasing", NULL, HEALTH_NOTE);
	assert_int_equal(check->offset, 4 * MIB);
	assert_string_equal(check->hint, "read 0x400000 bytes");
	assert_true(health_is_good(bench.report));
}

static void finds_truncation_in_rom(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(16 * MIB, "MT6261");

	(void)state;
	bench_resize(&bench, 2 * MIB);
	judge(&bench);
	assert_fails(&bench, "length", "ROM", HEALTH_FATAL);
	assert_string_equal(assert_fails(&bench, "needed-size", NULL, HEALTH_ERROR)->hint,
			    "read 0x1000000 bytes");
	assert_outcome(&bench, "end-mark", "ROM", HEALTH_UNKNOWN);
	assert_false(health_can_rebuild(bench.report));
}

static void finds_truncation_in_viva(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	struct layout_part viva = bench_part(&bench, "VIVA");

	(void)state;
	bench_resize(&bench, (viva.offset + viva.length) & ~0xfffULL);
	judge(&bench);
	assert_fails(&bench, "length", "VIVA", HEALTH_FATAL);
	assert_outcome(&bench, "alice-walk", "VIVA", HEALTH_UNKNOWN);
	assert_int_equal(bench.report->coverage.structure, 20 + 180);
	assert_outcome(&bench, "zimage", "VIVA", HEALTH_PASS);
	/* A packed part that is cut off is not one with damaged headers. */
	bench_resize(&bench, bench.layout->viva.zimage.offset + 0x100);
	judge(&bench);
	assert_outcome(&bench, "zimage", "VIVA", HEALTH_UNKNOWN);
}

/* An older firmware's VIVA, half of it overwritten, is no reason to keep the present one back. */
static void passes_over_old_files(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT6261");

	(void)state;
	bench_put_file(bench.data + 0x2c0000, GFH_FILE_VIVA, 0x1004c20c, 0x1000);
	put_le32(bench.data + 0x2c0020, 0x200000);
	judge(&bench);
	assert_fails(&bench, "length", "VIVA_2", HEALTH_ERROR);
	assert_true(health_can_rebuild(bench.report));
}

static void finds_truncated_user_area(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT6261");

	(void)state;
	bench_resize(&bench, 3 * MIB + 64 * KIB);
	judge(&bench);
	assert_fails(&bench, "user-area", NULL, HEALTH_ERROR);
	assert_fails(&bench, "control-block", NULL, HEALTH_NOTE);
	assert_string_equal(assert_fails(&bench, "needed-size", NULL, HEALTH_ERROR)->hint,
			    "read 0x400000 bytes");
	assert_true(health_can_rebuild(bench.report));
}

/* ---- Place ---- */

static void finds_begin_behind_the_begin(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	const struct health_check *check;

	(void)state;
	bench_lose(&bench, 0, 0x1000);
	judge(&bench);
	check = assert_fails(&bench, "shift", NULL, HEALTH_ERROR);
	assert_non_null(strstr(check->text, "0x1000 bytes too low"));
	/* The user area lies as much too low as the files; nothing is missing at the end. */
	assert_int_equal(bench.layout->shift, 0x1000);
	assert_int_equal(bench.layout->user_area.offset, MIB / 4 * 3 - 0x1000);
	assert_outcome(&bench, "needed-size", NULL, HEALTH_PASS);
	assert_fails(&bench, "boot-header", NULL, HEALTH_ERROR);
	assert_outcome(&bench, "boot-layout", NULL, HEALTH_UNKNOWN);
	assert_fails(&bench, "load-address", "EXT_BOOTLOADER", HEALTH_ERROR);
	assert_fails(&bench, "load-address", "ROM", HEALTH_ERROR);
	assert_fails(&bench, "load-address", "VIVA", HEALTH_ERROR);
}

static void finds_lost_bytes(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");
	const struct health_check *check;

	(void)state;
	bench_lose(&bench, 0x20000, 4);
	judge(&bench);
	check = assert_fails(&bench, "shift", "VIVA", HEALTH_ERROR);
	assert_non_null(strstr(check->text, "0x4 bytes too low"));
	assert_fails(&bench, "end-mark", "ROM", HEALTH_ERROR);
	assert_fails(&bench, "load-address", "VIVA", HEALTH_ERROR);
	assert_outcome(&bench, "load-address", "ROM", HEALTH_PASS);
	/* Only a part of the files is shifted, boot header or not. */
	memset(bench.data, 0xff, 0x800);
	judge(&bench);
	check = assert_fails(&bench, "shift", "VIVA", HEALTH_ERROR);
	assert_non_null(strstr(check->text, "VIVA lies 0x4 bytes too low"));
	assert_int_equal(bench.layout->user_area.offset, MIB / 4 * 3);
}

static void finds_bytes_before_the_begin(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	bench_resize(&bench, MIB + 0x200);
	memmove(bench.data + 0x200, bench.data, MIB);
	memset(bench.data, 0, 0x200);
	judge(&bench);
	assert_non_null(strstr(assert_fails(&bench, "shift", NULL, HEALTH_ERROR)->text,
			       "0x200 bytes too high"));
	assert_int_equal(bench.layout->user_area.offset, MIB / 4 * 3 + 0x200);
	assert_int_equal(bench.layout->control.offset, MIB - 0x2000 + 0x200);
	assert_outcome(&bench, "needed-size", NULL, HEALTH_PASS);
}

static void finds_added_bytes(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	memmove(bench.data + 0x21000, bench.data + 0x20000, 0x90000);
	judge(&bench);
	assert_non_null(strstr(assert_fails(&bench, "shift", "VIVA", HEALTH_ERROR)->text,
			       "0x1000 bytes too high"));
	assert_int_equal(assert_fails(&bench, "doubled-pages", "ROM", HEALTH_ERROR)->offset,
			 0x21000);
}

static void finds_overlap(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	put_le32(bench.data + ROM + 0x20, get_le32(bench.data + ROM + 0x20) + 0x800);
	judge(&bench);
	assert_fails(&bench, "overlap", "VIVA", HEALTH_ERROR);
	assert_fails(&bench, "end-mark", "ROM", HEALTH_ERROR);
}

static void finds_file_in_user_area(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(MIB, "MT6261");

	(void)state;
	bench_put_file(bench.data + 0xbf000, 0x103, 0x100bf000, 0x2000);
	judge(&bench);
	assert_fails(&bench, "below-user-area", "THIRD_ROM", HEALTH_ERROR);
	assert_outcome(&bench, "overlap", NULL, HEALTH_PASS);
}

static void finds_wrong_order(void **state)
{
	_cleanup_bench_ struct bench bench = bench_new(4 * MIB, "MT6261");

	(void)state;
	put_le16(bench.data + ROM + 0x18, GFH_FILE_VIVA);
	put_le16(bench.data + bench_part(&bench, "VIVA_2").offset + 0x18, GFH_FILE_PRIMARY_MAUI);
	judge(&bench);
	assert_fails(&bench, "order", "VIVA", HEALTH_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_whole_images),
		cmocka_unit_test(is_proven_by_second_readback),
		cmocka_unit_test(misses_end_of_second_readback),
		cmocka_unit_test(bounds_list_of_differences),
		cmocka_unit_test(finds_blank),
		cmocka_unit_test(finds_odd_size),
		cmocka_unit_test(finds_aliasing),
		cmocka_unit_test(finds_truncation_in_rom),
		cmocka_unit_test(finds_truncation_in_viva),
		cmocka_unit_test(passes_over_old_files),
		cmocka_unit_test(finds_truncated_user_area),
		cmocka_unit_test(finds_begin_behind_the_begin),
		cmocka_unit_test(finds_lost_bytes),
		cmocka_unit_test(finds_bytes_before_the_begin),
		cmocka_unit_test(finds_added_bytes),
		cmocka_unit_test(finds_overlap),
		cmocka_unit_test(finds_file_in_user_area),
		cmocka_unit_test(finds_wrong_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
