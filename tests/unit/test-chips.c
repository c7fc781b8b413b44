/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "protocol/base/strings.h"
#include "protocol/device/chips.h"
#include "protocol/device/errors.h"

static void test_variants(void **state)
{
	(void)state;
	assert_string_equal(chip_find(0x6261, 0x35C0)->name, "MT6261");
	assert_string_equal(chip_find(0x6261, 0x2640)->name, "MT2502");
	assert_string_equal(chip_find(0x6261, 0x3600)->name, "MT2503");
	assert_string_equal(chip_find(0x6261, 0x7640)->name, "MT2503");
	assert_string_equal(chip_find(0x6261, 0)->name, "MT6261");
	assert_string_equal(chip_find(0x6261, 0xBEEF)->name, "MT6261");
	assert_string_equal(chip_find(0x6260, 0)->name, "MT6260");
	assert_string_equal(chip_find(0x6260, 0x2640)->name, "MT6260");
	assert_null(chip_find(0x1234, 0));
	assert_null(chip_find(0x0000, 0));
	assert_ptr_equal(chip_by_name("mt2502"), chip_find(0x6261, 0x2640));
	assert_null(chip_by_name("MT"));
	assert_null(chip_by_name(""));
}

/* Registers stand in the table only where somebody confirms them. */
static void test_table(void **state)
{
	size_t n;
	const struct chip *chips = chip_table(&n);

	(void)state;
	assert_true(n > 30);
	for (size_t i = 0; i < n; i++) {
		const struct chip *chip = &chips[i];

		assert_non_null(chip->source);
		assert_ptr_equal(chip_find(chip->hw_code, chip->fuse), chip);
		assert_true(is_plain_name(chip->name, 15));
		if (chip->readable) {
			assert_int_equal(chip->watchdog, 0xA0030000);
			assert_int_equal(chip->watchdog_off, 0x2200);
			assert_int_equal(chip->reset, 0xA003001C);
			assert_int_equal(chip->reset_key, 0x1209);
			assert_int_equal(chip->flash_map, 0xA0510000);
		} else {
			assert_int_equal(chip->watchdog | chip->reset | chip->flash_map, 0);
			assert_int_equal(chip->fuse_register, 0);
			assert_false(chip->power_sequence);
			assert_false(chip_allows_write(chip, 0xA0030000));
			assert_false(chip_allows_write(chip, 0xA0140000));
		}
		assert_false(chip_allows_write(chip, 0));
	}
}

static void test_writes(void **state)
{
	const struct chip *mt6261 = chip_find(0x6261, 0x35C0), *mt2502 = chip_find(0x6261, 0x2640);
	static const uint32_t power[] = { 0xA0700A00, 0xA0700A08, 0xA0700A14, 0xA0700A24,
					  0xA0700A28, 0xA0710000, 0xA0710008, 0xA071000C,
					  0xA0710010, 0xA0710050, 0xA0710054, 0xA0710068,
					  0xA0710074 };

	(void)state;
	assert_true(chip_allows_write(mt6261, 0xA0510000));
	assert_true(chip_allows_write(mt6261, 0xA0140FFC));
	assert_false(chip_allows_write(mt6261, 0xA0141000));
	assert_false(chip_allows_write(mt6261, 0xA013FFFC));
	assert_false(chip_allows_write(mt6261, 0xA0030004));
	assert_false(chip_allows_write(mt6261, 0x70007000));
	assert_false(chip_allows_write(NULL, 0xA0030000));
	for (size_t i = 0; i < ARRAY_SIZE(power); i++) {
		assert_true(chip_allows_write(mt6261, power[i]));
		assert_false(chip_allows_write(mt2502, power[i]));
	}
}

static void test_errors(void **state)
{
	(void)state;
	assert_string_equal(device_error_find(0x1D0D)->name, "authentication-required");
	assert_non_null(device_error_find(0x1D0D)->hint);
	assert_int_equal(device_error_find(0x1D12)->first, 0x1D12);
	assert_string_equal(device_error_find(0x0001)->name, "success");
	assert_string_equal(device_error_find(0x00FF)->name, "success");
	assert_string_equal(device_error_find(0x0100)->name, "unknown-status");
	for (unsigned int status = 0; status <= 0xFFFF; status++) {
		const struct device_error *error = device_error_find((uint16_t)status);

		assert_non_null(error->name);
		assert_int_equal(error->meaning[strlen(error->meaning) - 1], '.');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_writes),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
