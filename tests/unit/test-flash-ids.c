/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/base/flash-ids.h"
#include "protocol/base/strings.h"

static void assert_words(uint32_t id, size_t length, const char *words)
{
	const uint8_t bytes[8] = { (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id };
	char text[FLASH_ID_TEXT_SIZE];

	assert_string_equal(flash_id_describe(bytes, length, text), words);
}

static void test_words(void **state _unused_)
{
	assert_words(0xC22536, 3, "c22536 = Macronix MX25U3235E/F, 4.0 MiB");
	assert_words(0xEF6018, 3, "ef6018 = Winbond W25Q128.W, 16.0 MiB");
	assert_words(0xBF2628, 3, "bf2628 = SST, 1.0 MiB");
	assert_words(0xC22533, 3, "c22533 = Macronix, 512.0 KiB");
	assert_words(0xC22500, 3, "c22500 = Macronix, size not known");
	assert_words(0x112216, 3, "112216 = unknown part, 4.0 MiB");
	assert_words(0xC22536, 2, "c225 = unknown part, size not known");
	assert_words(0xC22536, 8, "c225360000000000 = Macronix MX25U3235E/F, 4.0 MiB");
}

static void test_sizes(void **state _unused_)
{
	static const uint8_t sst[3] = { 0xBF, 0x26, 0x16 }, none[3] = { 0xFF, 0xFF, 0xFF };
	static const uint8_t small[3] = { 0xC2, 0x20, 0x0F }, large[3] = { 0xC2, 0x20, 0x1D };

	assert_int_equal(flash_id_size(sst), 0);
	assert_int_equal(flash_id_size(none), 0);
	assert_int_equal(flash_id_size(small), 0);
	assert_int_equal(flash_id_size(large), 0);
}

/* Each id once; a size that the third byte would give, except SST's. */
static void test_table(void **state _unused_)
{
	size_t n;
	const struct flash_id *table = flash_id_table(&n);

	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(flash_id_find(table[i].id), &table[i]);
		assert_non_null(table[i].manufacturer);
		assert_int_equal(table[i].size & (table[i].size - 1), 0);
		/* Macronix' 1.8 V parts count from another number. */
		if (table[i].id[0] != 0xBF && (table[i].id[2] & 0xF0) == 0x10)
			assert_int_equal(table[i].size, 1ULL << table[i].id[2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
