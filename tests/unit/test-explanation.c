/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/view/explanation.h"
#include "protocol/base/strings.h"
#include "protocol/control/failure-words.h"

static size_t lookup(const char *typed, const struct device_error **ret)
{
	return device_error_lookup(typed, ret, DEVICE_ERROR_MATCHES_MAX);
}

static void assert_one(const char *typed, enum device_error_family family, const char *name)
{
	const struct device_error *found[DEVICE_ERROR_MATCHES_MAX];

	if (lookup(typed, found) != 1)
		fail_msg("%s: not one match", typed);
	assert_int_equal(found[0]->family, family);
	assert_string_equal(found[0]->name, name);
}

static void test_numbers(void **state _unused_)
{
	assert_one("1D0D", DEVICE_ERROR_BROM, "authentication-required");
	assert_one("0x1d0d", DEVICE_ERROR_BROM, "authentication-required");
	assert_one("7437", DEVICE_ERROR_BROM, "authentication-required");
	assert_one("7015", DEVICE_ERROR_BROM, "agent-unproven");
	assert_one("3039", DEVICE_ERROR_FLASHTOOL, "S_DA_INVALID_RANGE");
	assert_one("0xBDF", DEVICE_ERROR_FLASHTOOL, "S_DA_INVALID_RANGE");
	assert_one("bdf", DEVICE_ERROR_FLASHTOOL, "S_DA_INVALID_RANGE");
	assert_one("2012", DEVICE_ERROR_FLASHTOOL, "S_BROM_CMD_MEMORY_FAIL");
	assert_one("6019", DEVICE_ERROR_FLASHTOOL, "S_SECURITY_SF_ACCESS_FORBIDDEN");
	assert_one("4032", DEVICE_ERROR_SP_FLASHTOOL, "ENABLE_DRAM_FAIL");
	assert_one("4034", DEVICE_ERROR_FLASHTOOL, "S_FT_ENABLE_DRAM_FAIL");
	assert_one("0xC0060001", DEVICE_ERROR_SP_FLASHTOOL, "BROM_CMD_STARTCMD_FAIL");
	assert_one("C0020099", DEVICE_ERROR_SP_FLASHTOOL, "SP_SECURITY");
}

/* One number, several families. */
static void test_ambiguous_numbers(void **state _unused_)
{
	const struct device_error *found[DEVICE_ERROR_MATCHES_MAX];

	assert_int_equal(lookup("3179", found), 2);
	assert_int_equal(found[0]->family, DEVICE_ERROR_FLASHTOOL);
	assert_int_equal(found[1]->family, DEVICE_ERROR_SP_FLASHTOOL);
	/* Decimal for FlashTool, hexadecimal for a boot ROM. */
	assert_int_equal(lookup("2001", found), 2);
	assert_int_equal(found[0]->first, 2001);
	assert_int_equal(found[1]->first, 0x2001);
	assert_int_equal(lookup("6012", found), 2);
	assert_int_equal(device_error_lookup("6012", found, 1), 1);
}

static void test_symbols(void **state _unused_)
{
	assert_one("S_DA_NOR_FLASH_NOT_FOUND", DEVICE_ERROR_FLASHTOOL, "S_DA_NOR_FLASH_NOT_FOUND");
	assert_one("s_da_nor_flash_not_found", DEVICE_ERROR_FLASHTOOL, "S_DA_NOR_FLASH_NOT_FOUND");
	assert_one("Nor-Flash-Not-Found", DEVICE_ERROR_FLASHTOOL, "S_DA_NOR_FLASH_NOT_FOUND");
	assert_one("com_port_open_fail", DEVICE_ERROR_FLASHTOOL, "S_COM_PORT_OPEN_FAIL");
	assert_one("sla_error", DEVICE_ERROR_BROM, "authentication-required");
	assert_one("AUTHENTICATION_REQUIRED", DEVICE_ERROR_BROM, "authentication-required");
}

static void test_nothing(void **state _unused_)
{
	static const char *const typed[] = { "",
					     "0x",
					     "0",
					     "-1",
					     " 3039",
					     "3039 ",
					     "0x1g",
					     "999999",
					     "S_DA",
					     "FLASH",
					     "99999999999999999999" };
	const struct device_error *found[DEVICE_ERROR_MATCHES_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(typed); i++)
		if (lookup(typed[i], found) != 0)
			fail_msg("'%s' is found", typed[i]);
}

/* The numbers that protocol captures, agents and lists name: none may be missing. */
static void test_all_are_there(void **state _unused_)
{
	static const uint16_t status[] = {
		0x1A1D, 0x1D00, 0x1D01, 0x1D02, 0x1D0C, 0x1D0D, 0x1D0E, 0x1D0F, 0x1D10, 0x1D11,
		0x1D12, 0x1D13, 0x1D14, 0x1D15, 0x1D16, 0x1D17, 0x1D21, 0x2001, 0x5A5B, 0x7000,
		0x7001, 0x7002, 0x7003, 0x7004, 0x7015, 0x7017, 0x7024, 0x703A, 0x7054,
	};
	static const uint16_t code[] = {
		1011, 1016, 1018, 1020, 1022, 1030, 1031, 1032, 1033, 1034, 1037, 1038, 2000, 2001,
		2002, 2003, 2004, 2005, 2006, 2009, 2018, 2022, 2023, 2026, 2034, 2036, 3000, 3001,
		3004, 3005, 3006, 3007, 3008, 3009, 3011, 3012, 3020, 3021, 3035, 3036, 3037, 3038,
		3039, 3051, 3061, 3062, 3063, 3064, 3065, 3066, 3070, 3073, 3074, 3075, 3081, 3082,
		3085, 3179, 3182, 3214, 3234, 4001, 4002, 4003, 4004, 4006, 4010, 4012, 4013, 4017,
		4018, 4034, 4050, 4061, 4062, 4068, 5000, 5001, 5002, 5003, 5054, 5066, 6001, 6002,
		6003, 6004, 6005, 6006, 6010, 6011, 6012, 6013, 6014, 6015, 6016, 6017, 6018, 6019,
	};
	static const uint16_t seen[] = { 1031, 3009, 3011, 3021, 3039, 3051, 3074, 3179, 3234 };

	for (size_t i = 0; i < ARRAY_SIZE(status); i++)
		assert_non_null(device_error_of(DEVICE_ERROR_BROM, status[i]));
	for (size_t i = 0; i < ARRAY_SIZE(code); i++)
		if (!device_error_of(DEVICE_ERROR_FLASHTOOL, code[i]))
			fail_msg("%u is missing", code[i]);
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		assert_int_equal(device_error_of_agent(seen[i])->proof, DEVICE_ERROR_SEEN);
	assert_string_equal(device_error_of_agent(0xDEADBEEF)->name, "unknown-code");
}

/* Every row can be found by what it is called, and says something. */
static void test_table(void **state _unused_)
{
	size_t n;
	const struct device_error *rows = device_error_table(&n);

	for (size_t i = 0; i < n; i++) {
		const struct device_error *found[DEVICE_ERROR_MATCHES_MAX];
		size_t n_found = lookup(rows[i].name, found);
		bool there = false;

		for (size_t j = 0; j < n_found; j++)
			there = there || found[j] == &rows[i];
		if (!there || !rows[i].meaning || rows[i].first > rows[i].last)
			fail_msg("%s", rows[i].name);
		assert_int_equal(rows[i].meaning[strlen(rows[i].meaning) - 1], '.');
		for (size_t j = 0; j < i; j++)
			if (rows[j].family == rows[i].family && rows[j].first == rows[i].first &&
			    rows[j].last == rows[i].last)
				fail_msg("%s is there twice", rows[i].name);
	}
}

static void test_our_words(void **state _unused_)
{
	for (int code = FAILURE_NONE + 1; code < _FAILURE_MAX; code++) {
		const char *word = failure_code_to_string((enum failure_code)code);
		struct explanation found[EXPLANATION_MATCHES_MAX];
		char number[EXPLANATION_CODE_SIZE];

		/* "timeout" is also what an agent says; ours comes first. */
		assert_true(explanation_find(word, found) >= 1);
		assert_string_equal(explanation_name(&found[0]), word);
		assert_string_equal(explanation_family(&found[0]), "mtkrbd");
		assert_non_null(explanation_meaning(&found[0]));
		assert_non_null(explanation_hint(&found[0]));
		assert_string_equal(explanation_code(&found[0], number), "");
	}
	assert_null(failure_words(FAILURE_NONE));
}

/* A failure without a hint of its own has that of its code. */
static void test_hints(void **state _unused_)
{
	_cleanup_(failure_clear) struct failure failure = { 0 };

	assert_int_equal(failure_set(&failure, FAILURE_UNSUPPORTED_CHIP, NULL, "x"), 0);
	assert_non_null(strstr(failure.hint, "MT6261"));
}

static void test_suggestions(void **state _unused_)
{
	const char *near[3];
	size_t n = explanation_suggest("handshak-timout", near, 3);

	assert_true(n >= 1);
	assert_string_equal(near[0], "handshake-timeout");
	n = explanation_suggest("NOR_FLASH_NOT_FUND", near, 3);
	assert_true(n >= 1);
	assert_string_equal(near[0], "S_DA_NOR_FLASH_NOT_FOUND");
	n = explanation_suggest("readback", near, 3);
	assert_true(n >= 1);
	assert_string_equal(near[0], "S_FT_READBACK_FAIL");
	assert_int_equal(explanation_suggest("xyzzyx", near, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),       cmocka_unit_test(test_ambiguous_numbers),
		cmocka_unit_test(test_symbols),       cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_all_are_there), cmocka_unit_test(test_table),
		cmocka_unit_test(test_our_words),     cmocka_unit_test(test_hints),
		cmocka_unit_test(test_suggestions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
