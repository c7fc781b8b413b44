/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Images that the virtual watch makes, with one thing changed at a time, and noise. */

#include "tests/unit/image-bench.h"
#include "tests/unit/user-area-bench.h"

#include "protocol/firmware/image-diff.h"

struct pair {
	struct bench a, b;
	struct image_diff *diff;
};

static void pair_clear(struct pair *pair)
{
	image_diff_free(pair->diff);
	bench_clear(&pair->a);
	bench_clear(&pair->b);
}

static struct pair pair_new(uint64_t a, uint64_t b)
{
	return (struct pair){ bench_new(a, "MT6261"), bench_new(b, "MT6261"), NULL };
}

static const struct image_diff *compare(struct pair *pair)
{
	image_diff_free(TAKE_PTR(pair->diff));
	assert_int_equal(image_diff_new(bench_look(&pair->a), bench_look(&pair->b), &pair->diff),
			 0);
	return pair->diff;
}

static const struct image_diff_region *region(const struct image_diff *diff, const char *name)
{
	for (size_t i = 0; i < diff->n_regions; i++)
		if (streq(diff->regions[i].name, name))
			return &diff->regions[i];
	fail_msg("no region %s", name);
	return NULL;
}

/* All regions but this one are the same and where they were. */
static void assert_only(const struct image_diff *diff, const char *name)
{
	for (size_t i = 0; i < diff->n_regions; i++)
		if (!name || !streq(diff->regions[i].name, name)) {
			assert_int_equal(diff->regions[i].result, IMAGE_SAME);
			assert_false(diff->regions[i].moved);
		}
}

static void test_same(void **state _unused_)
{
	_cleanup_(pair_clear) struct pair pair = pair_new(4 * MIB, 4 * MIB);
	const struct image_diff *diff = compare(&pair);
	uint64_t covered = diff->gaps.compared;

	assert_true(diff->same);
	assert_only(diff, NULL);
	for (size_t i = 0; i < diff->n_regions; i++)
		covered += diff->regions[i].bytes.compared;
	assert_int_equal(covered, 4 * MIB); /* every byte was looked at, once */
	assert_int_equal(diff->gaps.differing + diff->only_a + diff->only_b, 0);
}

static void test_bytes(void **state _unused_)
{
	_cleanup_(pair_clear) struct pair pair = pair_new(4 * MIB, 4 * MIB);
	const struct image_diff_region *rom;
	const struct image_diff *diff;

	/* Three bytes; one of them erased in each. */
	pair.a.data[ROM + 0x7000] = 1;
	pair.b.data[ROM + 0x7000] = 2;
	pair.a.data[ROM + 0x7010] = 0xff;
	pair.b.data[ROM + 0x7010] = 0;
	pair.a.data[ROM + 0x90000] = 0;
	pair.b.data[ROM + 0x90000] = 0xff;
	diff = compare(&pair);
	rom = region(diff, "ROM");
	assert_false(diff->same);
	assert_only(diff, "ROM");
	assert_int_equal(rom->result, IMAGE_DIFFERS);
	assert_false(rom->moved);
	assert_int_equal(rom->a.offset, ROM);
	assert_int_equal(rom->bytes.differing, 3);
	assert_int_equal(rom->bytes.first, 0x7000);
	assert_int_equal(rom->bytes.end, 0x90001);
	assert_int_equal(rom->bytes.erased_a, 1);
	assert_int_equal(rom->bytes.erased_b, 1);
}

/* Another size of flash has its files elsewhere: the same things are compared. */
static void test_moved(void **state _unused_)
{
	_cleanup_(pair_clear) struct pair pair = pair_new(4 * MIB, 8 * MIB);
	const struct image_diff *diff = compare(&pair);
	const struct image_diff_region *viva = region(diff, "VIVA");

	assert_false(diff->same);
	assert_true(viva->moved);
	assert_true(viva->a.offset != viva->b.offset);
	assert_false(region(diff, "EXT_BOOTLOADER")->moved);
	assert_true(region(diff, "user area")->moved);
}

/* A file whose header is gone is only in the other one. */
static void test_only_in_one(void **state _unused_)
{
	_cleanup_(pair_clear) struct pair pair = pair_new(4 * MIB, 4 * MIB);
	const struct image_diff *diff = compare(&pair);
	struct layout_span span = region(diff, "EXT_BOOTLOADER")->a;

	memset(pair.b.data + span.offset, 0, HEADERS);
	diff = compare(&pair);
	assert_int_equal(region(diff, "EXT_BOOTLOADER")->result, IMAGE_ONLY_A);
	assert_int_equal(region(diff, "EXT_BOOTLOADER")->b.length, 0);
	/* What is there instead is unknown, and not erased. */
	assert_true(diff->only_b > span.length / 2 && diff->only_b <= span.length);
	assert_int_equal(diff->only_a, 0);
}

static void test_between(void **state _unused_)
{
	_cleanup_(pair_clear) struct pair pair = pair_new(4 * MIB, 4 * MIB);
	const struct layout *layout = bench_look(&pair.a);
	const struct image_diff *diff;
	uint64_t at = 0;

	for (size_t i = 0; i < layout->n_regions; i++)
		if (layout->regions[i].kind == REGION_ERASED && layout->regions[i].length > 0x10000)
			at = layout->regions[i].offset + 0x8000;
	assert_true(at > 0);
	memset(pair.b.data + at, 0, 16);
	diff = compare(&pair);
	assert_only(diff, NULL);
	assert_int_equal(diff->gaps.differing, 16);
	assert_int_equal(diff->gaps.first, at);
	assert_int_equal(diff->gaps.end, at + 16);
	assert_int_equal(diff->gaps.erased_a, 16);
	assert_int_equal(diff->gaps.erased_b, 0);
}

/* One that was read too short is not the same, although nothing in it differs. */
static void test_shorter(void **state _unused_)
{
	_cleanup_(pair_clear) struct pair pair = pair_new(4 * MIB, 4 * MIB);

	pair.b.size = 3 * MIB + 512 * KIB;
	assert_false(compare(&pair)->same);
	assert_int_equal(region(pair.diff, "user area")->result, IMAGE_DIFFERS);
	assert_int_equal(region(pair.diff, "user area")->bytes.differing, 0);
	assert_int_equal(region(pair.diff, "control block")->result, IMAGE_ONLY_A);
}

/* ---- Files ---- */

static void put_area(struct bench *bench, const struct disk *disk)
{
	const struct layout_span *span = &bench_look(bench)->user_area;
	_cleanup_free_ uint8_t *area = spread(disk, 0, 0);

	memset(bench->data + span->offset, 0xff, span->length);
	memcpy(bench->data + span->offset, area, BLOCKS * USER_AREA_BLOCK_SIZE);
}

static void test_files(void **state _unused_)
{
	_cleanup_(pair_clear) struct pair pair = pair_new(4 * MIB, 4 * MIB);
	_cleanup_free_ struct disk *disk = new_disk();
	const struct image_diff *diff;

	assert_false(compare(&pair)->files_known); /* made of noise */
	put_area(&pair.a, disk);
	put_area(&pair.b, disk);
	diff = compare(&pair);
	assert_true(diff->files_known);
	assert_int_equal(diff->n_files, 0);
	assert_int_equal(diff->n_files_same, 2);

	memset(cluster_at(disk, FIRST, 4), 'x', 10);
	put_record(record_at(disk, FIRST + ROOT, 3), "NEW     TXT", 0x20, 0, 0);
	put_area(&pair.b, disk);
	diff = compare(&pair);
	assert_int_equal(diff->n_files, 2);
	assert_string_equal(diff->files[0].path, "0:/HELLO.TXT");
	assert_int_equal(diff->files[0].result, IMAGE_DIFFERS);
	assert_string_equal(diff->files[1].path, "0:/NEW.TXT");
	assert_int_equal(diff->files[1].result, IMAGE_ONLY_B);
	assert_int_equal(diff->n_files_same, 1);
}

/* Nothing is known of noise but that it differs. */
static void test_noise(void **state _unused_)
{
	_cleanup_(pair_clear) struct pair pair = pair_new(1 * MIB, 2 * MIB);
	uint32_t seed = 1;

	for (size_t i = 0; i < pair.a.size; i++) {
		seed = seed * 1664525 + 1013904223;
		pair.a.data[i] = (uint8_t)(seed >> 24);
	}
	assert_false(compare(&pair)->same);
	for (size_t i = 0; i < pair.diff->n_regions; i++)
		assert_int_equal(pair.diff->regions[i].result, IMAGE_ONLY_B);
	assert_true(pair.diff->only_a > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),    cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_moved),   cmocka_unit_test(test_only_in_one),
		cmocka_unit_test(test_between), cmocka_unit_test(test_shorter),
		cmocka_unit_test(test_files),   cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests_name("image-diff", tests, NULL, NULL);
}
