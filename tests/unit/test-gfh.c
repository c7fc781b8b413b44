/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "protocol/firmware/gfh.h"

static void put_head(uint8_t *record, uint8_t version, uint16_t size, uint16_t type)
{
	memcpy(record, "MMM", 3);
	record[3] = version;
	put_le16(record + 4, size);
	put_le16(record + 6, type);
}

/* FILE_INFO of a ROM as SIM800C has it. */
static void put_file_info(uint8_t *data)
{
	memset(data, 0, GFH_FILE_INFO_SIZE);
	put_head(data, 1, GFH_FILE_INFO_SIZE, GFH_FILE_INFO);
	memcpy(data + 8, "FILE_INFO\0\0\1", 12);
	put_le32(data + 0x14, 1);
	put_le16(data + 0x18, GFH_FILE_PRIMARY_MAUI);
	data[0x1a] = 7;
	put_le32(data + 0x1c, 0x1000a000);
	put_le32(data + 0x20, 0x15468c);
	put_le32(data + 0x28, 0x400);
}

static void test_file(void **state)
{
	uint8_t data[GFH_FILE_INFO_SIZE];
	struct gfh_file file;

	(void)state;
	put_file_info(data);
	assert_int_equal(gfh_parse_file(data, sizeof(data), &file), 0);
	assert_int_equal(file.type, GFH_FILE_PRIMARY_MAUI);
	assert_int_equal(file.flash_device, 7);
	assert_int_equal(file.load_address, 0x1000a000);
	assert_int_equal(file.length, 0x15468c);
	assert_int_equal(file.content_offset, 0x400);
	assert_string_equal(gfh_file_type_to_string(file.type), "ROM");
	assert_null(gfh_file_type_to_string(0x7777));
}

static void test_not_a_file(void **state)
{
	static const size_t touched[] = { 0, 2, 4, 5, 6, 8, 16 };
	uint8_t data[GFH_FILE_INFO_SIZE];
	struct gfh_file file;

	(void)state;
	put_file_info(data);
	assert_int_equal(gfh_parse_file(data, sizeof(data) - 1, &file), -ENOENT);
	assert_int_equal(gfh_parse_file(data, 0, &file), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(touched); i++) {
		put_file_info(data);
		data[touched[i]] ^= 0x80;
		assert_int_equal(gfh_parse_file(data, sizeof(data), &file), -ENOENT);
	}
}

static void test_impossible_figures(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
	} cases[] = {
		{ 0x20, 0 },                 /* no length */
		{ 0x20, UINT32_MAX },        /* a stub that was never finished */
		{ 0x20, 0x3ff },             /* chain longer than the file */
		{ 0x28, 0x37 },              /* chain shorter than FILE_INFO */
		{ 0x28, GFH_CHAIN_MAX + 1 }, /* chain beyond all reason */
	};
	uint8_t data[GFH_FILE_INFO_SIZE];
	struct gfh_file file;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_file_info(data);
		put_le32(data + cases[i].at, cases[i].value);
		assert_int_equal(gfh_parse_file(data, sizeof(data), &file), -EBADMSG);
	}
}

static void test_walk(void **state)
{
	uint8_t chain[0x38 + 12 + 8];
	struct gfh_record record;
	size_t offset = 0;

	(void)state;
	memset(chain, 0, sizeof(chain));
	put_file_info(chain);
	put_head(chain + 0x38, 2, 12, GFH_FLASH_INFO);
	put_head(chain + 0x38 + 12, 1, 8, 0x20e);
	assert_int_equal(gfh_next(chain, sizeof(chain), &offset, &record), 1);
	assert_int_equal(record.type, GFH_FILE_INFO);
	assert_int_equal(gfh_next(chain, sizeof(chain), &offset, &record), 1);
	assert_int_equal(record.type, GFH_FLASH_INFO);
	assert_int_equal(record.version, 2);
	assert_int_equal(record.size, 12);
	assert_ptr_equal(record.data, chain + 0x38);
	assert_int_equal(gfh_next(chain, sizeof(chain), &offset, &record), 1);
	assert_int_equal(gfh_next(chain, sizeof(chain), &offset, &record), 0);
	assert_int_equal(gfh_next(chain, sizeof(chain), &offset, &record), 0);
}

static void test_broken_chain(void **state)
{
	uint8_t chain[0x38 + 12];
	struct gfh_record record;

	(void)state;
	for (uint16_t size = 0; size < 64; size++) {
		size_t offset = 0x38;
		int expected = size >= 8 && size <= 12 ? 1 : -EBADMSG;

		memset(chain, 0, sizeof(chain));
		put_file_info(chain);
		put_head(chain + 0x38, 1, size, 0x207);
		assert_int_equal(gfh_next(chain, sizeof(chain), &offset, &record), expected);
		assert_int_equal(offset, expected > 0 ? 0x38U + size : 0x38U);
	}
	/* Cut off within a head. */
	for (size_t size = 0x39; size < 0x38 + 8; size++) {
		size_t offset = 0x38;

		assert_int_equal(gfh_next(chain, size, &offset, &record), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_not_a_file),
		cmocka_unit_test(test_impossible_figures),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_broken_chain),
	};

	return cmocka_run_group_tests_name("gfh", tests, NULL, NULL);
}
