/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "protocol/firmware/flash-facts.h"
#include "protocol/firmware/gfh.h"

#define FLASH_BYTES (4U << 20)
#define ROM_AT      0xa000U
#define ROM_LENGTH  0x154000U
#define VIVA_LENGTH 0x80000U
#define CHAIN_BYTES (0x38U + 0x30U + 0x98U + 0x130U + 0x7cU)

/* An image like SIM800C's: two boot loaders, ROM at 0xa000, VIVA behind it. */
struct image {
	uint8_t *bytes;
	unsigned int reads;
	int error; /* of every read, 0: none */
};

static uint8_t *put_record(uint8_t *at, uint16_t size, uint16_t type)
{
	memset(at, 0, size);
	memcpy(at, "MMM\1", 4);
	put_le16(at + 4, size);
	put_le16(at + 6, type);
	return at + size;
}

static uint8_t *put_file(uint8_t *at, uint16_t type, uint32_t load, uint32_t length, uint32_t chain)
{
	uint8_t *next = put_record(at, 0x38, GFH_FILE_INFO);

	memcpy(at + 8, "FILE_INFO", 9);
	put_le16(at + 0x18, type);
	at[0x1a] = 7;
	put_le32(at + 0x1c, load);
	put_le32(at + 0x20, length);
	put_le32(at + 0x28, chain);
	return next;
}

static void put_part(uint8_t *record, unsigned int index, uint32_t id)
{
	uint8_t *part = record + 0x10 + (size_t)index * 10;

	part[0] = 3;
	part[1] = 3;
	part[2] = (uint8_t)(id >> 16);
	part[3] = (uint8_t)(id >> 8);
	part[4] = (uint8_t)id;
}

static void put_rom(uint8_t *rom)
{
	uint8_t *record = put_file(rom, GFH_FILE_PRIMARY_MAUI, 0x1000a000, ROM_LENGTH, CHAIN_BYTES);
	uint8_t *next = put_record(record, 0x30, GFH_CMEM_ID_INFO);

	put_le32(record + 0xc, 3);
	put_part(record, 0, 0xc22536);
	put_part(record, 1, 0xc22538);
	put_part(record, 2, 0xbf2602);
	record = next;
	next = put_record(record, 0x98, GFH_CMEM_NOR_INFO);
	put_le32(record + 0xc, 1);
	put_le32(record + 0x10 + 0x48, 0x300000);
	record = next;
	next = put_record(record, 0x130, GFH_MAUI_INFO);
	memcpy(record + 8, "SIM800C_MT6261_S00", 19);
	put_le32(record + 0xdc, 0x003fe000);
	put_le32(record + 0xe0, 0x2000);
	record = next;
	put_record(record, 0x7c, GFH_FLASH_INFO);
	put_le32(record + 0x1c, 0x00310000);
	put_le32(record + 0x20, 0xe0000);
}

static void put_boot(uint8_t *flash)
{
	static const struct {
		uint32_t begin;
		uint16_t type;
	} loaders[] = { { 0x800, GFH_FILE_ARM_BL }, { 0x2800, GFH_FILE_ARM_EXT_BL } };

	memcpy(flash, "SF_BOOT\0\0\0\0", 12);
	put_le32(flash + 0xc, 1);
	put_le32(flash + 0x10, 0x200);
	memset(flash + 0x200, 0, 0xb4);
	memcpy(flash + 0x200, "BRLYT", 6);
	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
		uint8_t *entry = flash + 0x200 + 0x14 + i * 20;

		memset(entry, 0x42, 4);
		entry[4] = 7;
		put_le16(entry + 6, loaders[i].type);
		put_le32(entry + 8, loaders[i].begin);
		put_le32(entry + 12, loaders[i].begin + 0x2000);
		put_file(flash + loaders[i].begin, loaders[i].type, 0x70000000, 0x1800, 0x38);
	}
}

static int set_up(void **state)
{
	struct image *image = calloc(1, sizeof(*image));

	assert_non_null(image);
	image->bytes = malloc(FLASH_BYTES);
	assert_non_null(image->bytes);
	memset(image->bytes, 0xff, FLASH_BYTES);
	put_boot(image->bytes);
	put_rom(image->bytes + ROM_AT);
	put_file(image->bytes + ROM_AT + ROM_LENGTH + 0x400, GFH_FILE_VIVA,
		 0x10000000 + ROM_AT + ROM_LENGTH + 0x400, VIVA_LENGTH, 0x38);
	*state = image;
	return 0;
}

static int tear_down(void **state)
{
	struct image *image = *state;

	free(image->bytes);
	free(image);
	return 0;
}

static int read_image(void *userdata, uint64_t offset, void *data, size_t size)
{
	struct image *image = userdata;

	image->reads++;
	if (image->error < 0)
		return image->error;
	if (!bytes_inside(FLASH_BYTES, offset, size))
		return -ENODATA;
	memcpy(data, image->bytes + offset, size);
	return 0;
}

static void test_whole_set(void **state)
{
	struct image *image = *state;
	struct flash_facts facts;

	assert_int_equal(flash_facts_find(read_image, image, &facts), 0);
	assert_true(facts.boot_header);
	assert_int_equal(facts.n_files, 4);
	assert_int_equal(facts.files[0].type, GFH_FILE_ARM_BL);
	assert_int_equal(facts.files[3].type, GFH_FILE_VIVA);
	assert_int_equal(flash_facts_files_end(&facts), ROM_AT + ROM_LENGTH + 0x400 + VIVA_LENGTH);
	assert_int_equal(facts.user_begin, 0x310000);
	assert_int_equal(facts.user_end, 0x3f0000);
	assert_int_equal(facts.control_end, 0x400000);
	assert_int_equal(facts.usable_end, 0x300000);
	assert_int_equal(flash_facts_lower_bound(&facts), 0x400000);
	assert_string_equal(facts.project, "SIM800C_MT6261_S00");
	assert_int_equal(facts.n_parts, 3);
	assert_int_equal(facts.parts[0].size, 4 << 20);
	assert_int_equal(facts.parts[1].size, 16 << 20);
	assert_int_equal(facts.parts[2].size, 4 << 20);
	assert_true(image->reads < 40);
}

static void test_no_firmware(void **state)
{
	struct image *image = *state;
	struct flash_facts facts;

	memset(image->bytes, 0xff, FLASH_BYTES);
	assert_int_equal(flash_facts_find(read_image, image, &facts), 0);
	assert_false(facts.boot_header);
	assert_int_equal(facts.n_files, 0);
	assert_int_equal(flash_facts_lower_bound(&facts), 0);
}

/* Without a boot header the main file is still found. */
static void test_no_boot_header(void **state)
{
	struct image *image = *state;
	struct flash_facts facts;

	memset(image->bytes, 0xff, ROM_AT);
	assert_int_equal(flash_facts_find(read_image, image, &facts), 0);
	assert_false(facts.boot_header);
	assert_int_equal(facts.n_files, 2);
	assert_int_equal(flash_facts_lower_bound(&facts), 0x400000);
}

static void test_figures_outside_of_the_window(void **state)
{
	struct image *image = *state;
	uint8_t *rom = image->bytes + ROM_AT;
	uint8_t *nor = rom + 0x38 + 0x30, *maui = nor + 0x98, *flash_info = maui + 0x130;
	struct flash_facts facts;

	put_le32(nor + 0x10 + 0x48, UINT32_MAX);
	put_le32(maui + 0xe0, 0x0fffffff);
	put_le32(flash_info + 0x20, 0x0fffffff);
	assert_int_equal(flash_facts_find(read_image, image, &facts), 0);
	assert_int_equal(facts.usable_end, 0);
	assert_int_equal(facts.control_end, 0);
	assert_int_equal(facts.user_end, 0);
}

/* A list that claims more entries than its record holds. */
static void test_long_part_list(void **state)
{
	struct image *image = *state;
	struct flash_facts facts;

	put_le32(image->bytes + ROM_AT + 0x38 + 0xc, UINT32_MAX);
	assert_int_equal(flash_facts_find(read_image, image, &facts), 0);
	assert_int_equal(facts.n_parts, 3);
}

/* Whatever a flash holds, the search ends and stays inside. */
static void test_noise(void **state)
{
	struct image *image = *state;
	uint32_t random = 7;

	for (unsigned int round = 0; round < 300; round++) {
		struct flash_facts facts;

		for (unsigned int i = 0; i < 20; i++) {
			random = random * 1664525U + 1013904223U;
			image->bytes[random >> 8 & 0xa3ffU] = (uint8_t)(random >> 24);
		}
		image->reads = 0;
		assert_int_equal(flash_facts_find(read_image, image, &facts), 0);
		assert_true(image->reads < 400);
		assert_true(flash_facts_lower_bound(&facts) <= 1U << 28);
	}
}

static void test_read_error(void **state)
{
	struct image *image = *state;
	struct flash_facts facts;

	image->error = -ENODEV;
	assert_int_equal(flash_facts_find(read_image, image, &facts), -ENODEV);
	assert_int_equal(image->reads, 1);
}

static void test_part_sizes(void **state)
{
	static const struct {
		uint8_t id[3];
		uint64_t size;
	} parts[] = {
		{ { 0xef, 0x60, 0x14 }, 1 << 20 },  { { 0xc2, 0x25, 0x36 }, 4 << 20 },
		{ { 0xc2, 0x25, 0x39 }, 32 << 20 }, { { 0xbf, 0x26, 0x28 }, 1 << 20 },
		{ { 0xbf, 0x26, 0x01 }, 2 << 20 },  { { 0xbf, 0x26, 0x23 }, 8 << 20 },
		{ { 0xbf, 0x26, 0x44 }, 0 },        { { 0xff, 0xff, 0xff }, 0 },
		{ { 0x00, 0x00, 0x00 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		assert_int_equal(flash_part_size(parts[i].id), parts[i].size);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole_set),      TEST(test_no_firmware),
		TEST(test_no_boot_header), TEST(test_figures_outside_of_the_window),
		TEST(test_long_part_list), TEST(test_noise),
		TEST(test_read_error),     cmocka_unit_test(test_part_sizes),
	};

	return cmocka_run_group_tests_name("flash-facts", tests, NULL, NULL);
}
