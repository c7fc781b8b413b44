/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* User areas that are built here: whole ones, and with one thing wrong at a time. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/user-area-bench.h"

struct content {
	char text[2048];
	size_t size;
};

static int gather(void *userdata, const void *data, size_t size)
{
	struct content *content = userdata;

	assert_true(content->size + size <= sizeof(content->text));
	memcpy(content->text + content->size, data, size);
	content->size += size;
	return 0;
}

/* ---- Whole ones ---- */

static void check_content(const struct fat *fat)
{
	struct content content = { .size = 0 };

	assert_int_equal(fat->n_entries, 3);
	assert_string_equal(fat->entries[0].path, "HELLO.TXT");
	assert_string_equal(fat->entries[1].path, "DIR");
	assert_true(fat->entries[1].directory);
	assert_string_equal(fat->entries[2].path, "DIR/a long name.txt");
	assert_int_equal(fat_read(fat, &fat->entries[0], gather, &content), 0);
	assert_int_equal(content.size, 600);
	assert_int_equal(content.text[511], 'a');
	assert_int_equal(content.text[512], 'b');
	assert_int_equal(fat_read(fat, &fat->entries[2], gather, &content), 0);
	assert_int_equal(content.size, 603);
	assert_memory_equal(content.text + 600, "ccc", 3);
}

static void test_whole(void **state)
{
	_cleanup_free_ struct disk *disk = new_disk();
	_cleanup_free_ uint8_t *data = spread(disk, 0, 0);
	_cleanup_(user_area_freep) struct user_area *area = NULL;
	struct user_area_refusal refusal;

	(void)state;
	assert_int_equal(user_area_open(data, BLOCKS * USER_AREA_BLOCK_SIZE, &area, &refusal), 0);
	assert_int_equal(area->order, USER_AREA_IN_PLACE);
	assert_int_equal(area->n_used, BLOCKS);
	assert_int_equal(area->n_volumes, 2);
	assert_int_equal(area->volumes[0]->bits, 12);
	assert_int_equal(area->volumes[1]->n_entries, 0);
	check_content(area->volumes[0]);
}

/* Erased blocks in between that stand for nothing. */
static void test_skipping(void **state)
{
	_cleanup_free_ struct disk *disk = new_disk();
	_cleanup_free_ uint8_t *data = spread(disk, 1, 5);
	_cleanup_(user_area_freep) struct user_area *area = NULL;
	struct user_area_refusal refusal;

	(void)state;
	assert_int_equal(user_area_open(data, (BLOCKS + 5) * USER_AREA_BLOCK_SIZE, &area, &refusal),
			 0);
	assert_int_equal(area->order, USER_AREA_USED);
	assert_int_equal(area->n_blocks, BLOCKS);
	check_content(area->volumes[0]);
}

/* Only the content of a file tells the guesses apart: nobody can say which is right. */
static void test_ambiguous(void **state)
{
	_cleanup_free_ struct disk *disk = new_disk();
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(user_area_freep) struct user_area *area = NULL;
	struct user_area_refusal refusal;

	(void)state;
	/* The second volume has no files; erased blocks may lie anywhere behind its begin. */
	put_partition(disk, 1, 0x01, SECOND, SECTORS - SECOND - 70);
	put_le16(disk->sectors[SECOND] + 19, (uint16_t)(SECTORS - SECOND - 70));
	data = spread(disk, 50, 5);
	assert_int_equal(user_area_open(data, (BLOCKS + 5) * USER_AREA_BLOCK_SIZE, &area, &refusal),
			 -EBADMSG);
	assert_int_equal(refusal.state, USER_AREA_AMBIGUOUS);
}

/* A name whose long form belongs to another entry is the short one. */
static void test_orphan_long_name(void **state)
{
	_cleanup_free_ struct disk *disk = new_disk();
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(user_area_freep) struct user_area *area = NULL;
	struct user_area_refusal refusal;

	(void)state;
	put_long_name(disk, FIRST + DATA + 1, 2, 0x11);
	data = spread(disk, 0, 0);
	assert_int_equal(user_area_open(data, BLOCKS * USER_AREA_BLOCK_SIZE, &area, &refusal), 0);
	assert_string_equal(area->volumes[0]->entries[2].path, "DIR/LONGNA~1.TXT");
}

/* ---- One thing wrong ---- */

static void no_mbr(struct disk *disk)
{
	disk->sectors[0][511] = 0;
}

static void no_partition(struct disk *disk)
{
	memset(disk->sectors[0] + 446, 0, 64);
}

static void huge_partition(struct disk *disk)
{
	put_partition(disk, 1, 0x01, SECOND, 0xffffffff);
}

static void overlapping(struct disk *disk)
{
	put_partition(disk, 1, 0x01, SECOND - 1, 100);
}

static void other_type(struct disk *disk)
{
	put_partition(disk, 1, 0x83, SECOND, 100);
}

static void no_boot_sector(struct disk *disk)
{
	disk->sectors[SECOND][510] = 0;
}

static void no_cluster_size(struct disk *disk)
{
	disk->sectors[FIRST][13] = 3;
}

static void huge_volume(struct disk *disk)
{
	put_le16(disk->sectors[FIRST] + 19, 71);
}

static void small_table(struct disk *disk)
{
	put_le16(disk->sectors[SECOND] + 22, 1);
}

static void other_copy(struct disk *disk)
{
	disk->sectors[FIRST + 1][30] ^= 1;
}

static void other_medium(struct disk *disk)
{
	disk->sectors[FIRST][21] = 0xf0;
}

static void free_cluster(struct disk *disk)
{
	put_link(disk, FIRST, 2, 0);
}

static void far_cluster(struct disk *disk)
{
	put_link(disk, FIRST, 2, 0xf00);
}

static void far_begin(struct disk *disk)
{
	put_le16(record_at(disk, FIRST + ROOT, 1) + 26, 0xffff);
}

static void loop(struct disk *disk)
{
	put_link(disk, FIRST, 4, 2);
}

static void directory_loop(struct disk *disk)
{
	put_link(disk, FIRST, 3, 3);
}

static void directory_in_itself(struct disk *disk)
{
	put_record(cluster_at(disk, FIRST, 3) + 160, "AGAIN      ", 0x10, 3, 0);
}

static void cross_link(struct disk *disk)
{
	put_link(disk, FIRST, 5, 4);
}

static void huge_file(struct disk *disk)
{
	put_le32(record_at(disk, FIRST + ROOT, 1) + 28, 0xffffffff);
}

static void long_file(struct disk *disk)
{
	put_le32(record_at(disk, FIRST + ROOT, 1) + 28, 1025);
}

static void empty_directory(struct disk *disk)
{
	put_le16(record_at(disk, FIRST + ROOT, 2) + 26, 0);
}

static void slash(struct disk *disk)
{
	memcpy(record_at(disk, FIRST + ROOT, 1), "../ETC  ", 8);
}

static void attributes(struct disk *disk)
{
	record_at(disk, FIRST + ROOT, 1)[11] = 0xe0;
}

static void lost(struct disk *disk)
{
	put_link(disk, SECOND, 9, 0xfff);
}

/* Each directory in the one before, one deeper than allowed. */
static void deep(struct disk *disk)
{
	for (uint16_t i = 0; i <= FAT_DEPTH_MAX; i++) {
		put_record(i == 0 ? record_at(disk, SECOND + ROOT, 0)
				  : cluster_at(disk, SECOND, i + 1U),
			   "D          ", 0x10, (uint16_t)(i + 2), 0);
		put_link(disk, SECOND, i + 2U, 0xfff);
	}
}

static const struct {
	const char *name;
	void (*spoil)(struct disk *disk);
	enum user_area_state state;
	enum fat_fault fault;
} faults[] = {
	{ "no MBR", no_mbr, USER_AREA_NO_MBR, FAT_GOOD },
	{ "no partition", no_partition, USER_AREA_PARTITIONS, FAT_GOOD },
	{ "huge partition", huge_partition, USER_AREA_PARTITIONS, FAT_GOOD },
	{ "overlapping", overlapping, USER_AREA_PARTITIONS, FAT_GOOD },
	{ "other type", other_type, USER_AREA_PARTITIONS, FAT_GOOD },
	{ "no boot sector", no_boot_sector, USER_AREA_FILE_SYSTEM, FAT_NO_SIGNATURE },
	{ "cluster size", no_cluster_size, USER_AREA_FILE_SYSTEM, FAT_GEOMETRY },
	{ "huge volume", huge_volume, USER_AREA_FILE_SYSTEM, FAT_OUTSIDE },
	{ "small table", small_table, USER_AREA_FILE_SYSTEM, FAT_GEOMETRY },
	{ "other copy", other_copy, USER_AREA_FILE_SYSTEM, FAT_COPIES },
	{ "other medium", other_medium, USER_AREA_FILE_SYSTEM, FAT_MEDIA },
	{ "free cluster", free_cluster, USER_AREA_FILE_SYSTEM, FAT_BROKEN },
	{ "far cluster", far_cluster, USER_AREA_FILE_SYSTEM, FAT_BROKEN },
	{ "far begin", far_begin, USER_AREA_FILE_SYSTEM, FAT_BROKEN },
	{ "loop", loop, USER_AREA_FILE_SYSTEM, FAT_LOOP },
	{ "directory loop", directory_loop, USER_AREA_FILE_SYSTEM, FAT_LOOP },
	{ "directory in itself", directory_in_itself, USER_AREA_FILE_SYSTEM, FAT_CROSS_LINK },
	{ "cross-link", cross_link, USER_AREA_FILE_SYSTEM, FAT_CROSS_LINK },
	{ "huge file", huge_file, USER_AREA_FILE_SYSTEM, FAT_SIZE },
	{ "long file", long_file, USER_AREA_FILE_SYSTEM, FAT_SIZE },
	{ "empty directory", empty_directory, USER_AREA_FILE_SYSTEM, FAT_BROKEN },
	{ "slash", slash, USER_AREA_FILE_SYSTEM, FAT_DIRECTORY },
	{ "attributes", attributes, USER_AREA_FILE_SYSTEM, FAT_DIRECTORY },
	{ "lost", lost, USER_AREA_FILE_SYSTEM, FAT_LOST },
	{ "deep", deep, USER_AREA_FILE_SYSTEM, FAT_LIMIT },
};

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		_cleanup_free_ struct disk *disk = new_disk();
		_cleanup_free_ uint8_t *data = NULL;
		_cleanup_(user_area_freep) struct user_area *area = NULL;
		struct user_area_refusal refusal = { 0 };

		faults[i].spoil(disk);
		data = spread(disk, 0, 0);
		if (user_area_open(data, BLOCKS * USER_AREA_BLOCK_SIZE, &area, &refusal) !=
			    -EBADMSG ||
		    refusal.state != faults[i].state || refusal.fault != faults[i].fault)
			fail_msg("%s: %s, %s", faults[i].name,
				 user_area_state_to_string(refusal.state),
				 fat_fault_to_string(refusal.fault));
		assert_null(area);
	}
}

static void check_refused(const uint8_t *data, uint64_t size, enum user_area_state expected)
{
	struct user_area *area = NULL;
	struct user_area_refusal refusal;

	assert_int_equal(user_area_open(data, size, &area, &refusal), -EBADMSG);
	assert_int_equal(refusal.state, expected);
	assert_true(strlen(user_area_describe(refusal.state)) > 10);
}

static void test_no_area(void **state)
{
	_cleanup_free_ struct disk *disk = new_disk();
	_cleanup_free_ uint8_t *data = spread(disk, 0, 0);

	(void)state;
	check_refused(data, 0, USER_AREA_EMPTY);
	check_refused(data, USER_AREA_BLOCK_SIZE - 1, USER_AREA_EMPTY);
	/* Cut off: the second partition reaches behind the end. */
	check_refused(data, (BLOCKS - 1) * USER_AREA_BLOCK_SIZE, USER_AREA_PARTITIONS);
	memset(data, 0xff, BLOCKS * USER_AREA_BLOCK_SIZE);
	check_refused(data, BLOCKS * USER_AREA_BLOCK_SIZE, USER_AREA_ERASED);
	memset(data, 0x5a, BLOCKS * USER_AREA_BLOCK_SIZE);
	check_refused(data, BLOCKS * USER_AREA_BLOCK_SIZE, USER_AREA_NO_BLOCKS);
}

/* Two blocks that changed places are seen when they hold a table or a directory. */
static void test_swapped(void **state)
{
	_cleanup_free_ struct disk *disk = new_disk();
	_cleanup_free_ uint8_t *data = spread(disk, 0, 0);
	uint8_t block[USER_AREA_BLOCK_SIZE];

	(void)state;
	memcpy(block, data + USER_AREA_BLOCK_SIZE, sizeof(block));
	memcpy(data + USER_AREA_BLOCK_SIZE, data + 2 * USER_AREA_BLOCK_SIZE, sizeof(block));
	memcpy(data + 2 * USER_AREA_BLOCK_SIZE, block, sizeof(block));
	check_refused(data, BLOCKS * USER_AREA_BLOCK_SIZE, USER_AREA_FILE_SYSTEM);
}

/* Any byte of what describes the disk, wrong: refused or read, never more than that. */
static void test_noise(void **state)
{
	_cleanup_free_ struct disk *disk = new_disk();
	_cleanup_free_ uint8_t *data = spread(disk, 0, 0);
	uint32_t seed = 1;

	(void)state;
	for (unsigned int i = 0; i < 4000; i++) {
		struct user_area *area = NULL;
		struct user_area_refusal refusal;
		size_t at;
		uint8_t old;
		int r;

		seed = seed * 1664525 + 1013904223;
		at = (seed >> 8) % (3 * USER_AREA_BLOCK_SIZE);
		old = data[at];
		data[at] = (uint8_t)(seed >> 3);
		r = user_area_open(data, BLOCKS * USER_AREA_BLOCK_SIZE, &area, &refusal);
		assert_true(r == 0 || r == -EBADMSG);
		for (size_t j = 0; r == 0 && j < area->volumes[0]->n_entries; j++) {
			struct content content = { .size = 0 };

			assert_int_equal(fat_read(area->volumes[0], &area->volumes[0]->entries[j],
						  gather, &content),
					 0);
		}
		user_area_free(area);
		data[at] = old;
	}
}

/* ---- FAT16 ---- */

#define LARGE_SECTORS 4200U

static const uint8_t *large_sector(const void *userdata, uint64_t number)
{
	assert_true(number < LARGE_SECTORS);
	return (const uint8_t *)userdata + number * FAT_SECTOR_SIZE;
}

static void test_fat16(void **state)
{
	_cleanup_free_ uint8_t *data = calloc(LARGE_SECTORS, FAT_SECTOR_SIZE);
	_cleanup_(fat_freep) struct fat *fat = NULL;
	const struct fat_disk disk = { large_sector, data, LARGE_SECTORS };
	struct content content = { .size = 0 };
	enum fat_fault fault;

	(void)state;
	assert_non_null(data);
	put_le16(data + 11, FAT_SECTOR_SIZE);
	data[13] = 1;
	put_le16(data + 14, 1);
	data[16] = 1;
	put_le16(data + 17, 16);
	put_le32(data + 32, LARGE_SECTORS);
	data[21] = 0xf8;
	put_le16(data + 22, 17);
	data[510] = 0x55;
	data[511] = 0xaa;
	put_le16(data + 512, 0xfff8);
	put_le16(data + 512 + 2 * 4100, 4101);
	put_le16(data + 512 + 2 * 4101, 0xffff);
	put_record(data + 18 * 512, "BIG     BIN", 0x20, 4100, 1024);
	memset(data + (19 + 4098) * 512, 'x', 1024);
	assert_int_equal(fat_open(&disk, 0, LARGE_SECTORS, &fat, &fault), 0);
	assert_int_equal(fat->bits, 16);
	assert_string_equal(fat->entries[0].path, "BIG.BIN");
	assert_int_equal(fat_read(fat, &fat->entries[0], gather, &content), 0);
	assert_int_equal(content.size, 1024);
	assert_int_equal(content.text[1023], 'x');
	assert_int_equal(fat_open(&disk, 1, LARGE_SECTORS, &fat, &fault), -EBADMSG);
	assert_int_equal(fault, FAT_OUTSIDE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),     cmocka_unit_test(test_skipping),
		cmocka_unit_test(test_ambiguous), cmocka_unit_test(test_orphan_long_name),
		cmocka_unit_test(test_faults),    cmocka_unit_test(test_no_area),
		cmocka_unit_test(test_swapped),   cmocka_unit_test(test_noise),
		cmocka_unit_test(test_fat16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
