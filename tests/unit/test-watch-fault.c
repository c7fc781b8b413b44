/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every fault that the virtual watch can have, and how they are written. */

#include <errno.h>

#include "tests/unit/watch-bench.h"

static void test_alias(void **state)
{
	struct bench *b = *state;

	start(b, "alias=16K");
	open_flash(b);
	read32(b, 0x4000 + 0x100, 16);
	expect_data(b, b->flash + 0x100, 64);
	read32(b, 0x4000 - 32, 16);
	assert_int_equal(b->answer_size, 68);
	bytes_swap_words(b->answer + 2, 64);
	assert_memory_equal(b->answer + 2, b->flash + 0x4000 - 32, 32);
	assert_memory_equal(b->answer + 2 + 32, b->flash, 32);
}

static void test_flip_and_short(void **state)
{
	struct bench *b = *state;
	uint8_t expected[64];

	start(b, "flip@0x105");
	assert_int_equal(faults_add(&b->faults, "short@0x20a"), 0);
	open_flash(b);
	memcpy(expected, b->flash + 0x100, sizeof(expected));
	expected[5] ^= 0x10;
	read32(b, 0x100, 16);
	expect_data(b, expected, sizeof(expected));
	read32(b, 0x100, 16);
	expect_data(b, b->flash + 0x100, 64);

	read32(b, 0x200, 4);
	assert_int_equal(b->answer_size, 2 + 15 + 2);
	assert_int_equal(b->answer[2 + 8], b->flash[0x20B]);
	assert_int_equal(b->answer[2 + 9], b->flash[0x209]);
	read32(b, 0x200, 4);
	expect_data(b, b->flash + 0x200, 16);
}

/* Of a word its end, of the next all, of the third its beginning. */
static void test_gap(void **state)
{
	struct bench *b = *state;

	start(b, "short@0x203:8");
	open_flash(b);
	read32(b, 0x200, 4);
	assert_int_equal(b->answer_size, 2 + 8 + 2);
	/* The words come turned round: 203 is the first byte of its word, 208 to 20a the last. */
	assert_int_equal(b->answer[2], b->flash[0x202]);
	assert_int_equal(b->answer[2 + 2], b->flash[0x200]);
	assert_int_equal(b->answer[2 + 3], b->flash[0x20B]);
	assert_int_equal(b->answer[2 + 4], b->flash[0x20F]);
	assert_non_null(strstr(b->log, "fault short\n"));
	read32(b, 0x200, 4);
	expect_data(b, b->flash + 0x200, 16);
}

static void test_insert(void **state)
{
	struct bench *b = *state;

	start(b, "insert@0x20a");
	open_flash(b);
	read32(b, 0x200, 4);
	assert_int_equal(b->answer_size, 2 + 17 + 2);
	/* The words come turned round: the byte behind 0x20b, then the rest of its word. */
	assert_int_equal(b->answer[2 + 8], b->flash[0x20B]);
	assert_int_equal(b->answer[2 + 10], b->flash[0x20A]);
	assert_int_equal(b->answer[2 + 11], b->flash[0x209]);
	read32(b, 0x200, 4);
	expect_data(b, b->flash + 0x200, 16);
}

static void test_unplug(void **state)
{
	struct bench *b = *state;

	start(b, "unplug@0x108");
	open_flash(b);
	read32(b, 0x100, 16);
	assert_int_equal(b->answer_size, 2 + 8);
	assert_false(boot_rom_is_up(b->rom));
	boot_rom_power_on(b->rom);
	open_flash(b);
	read32(b, 0x100, 16);
	expect_data(b, b->flash + 0x100, 64);
}

static void test_stall(void **state)
{
	struct bench *b = *state;

	start(b, "stall@0x120:500");
	open_flash(b);
	read32(b, 0x100, 16);
	assert_int_equal(b->answer_size, 2 + 32);
	assert_true(boot_rom_deadline(b->rom) == 500 * USEC_PER_MSEC);
	boot_rom_tick(b->rom, 500 * USEC_PER_MSEC - 1);
	talk(b, "", "");
	boot_rom_tick(b->rom, 500 * USEC_PER_MSEC);
	send(b, NULL, 0);
	assert_int_equal(b->answer_size, 32 + 2);
}

static void test_refusing_faults(void **state)
{
	struct bench *b = *state;

	start(b, "nack@2");
	assert_int_equal(faults_add(&b->faults, "nack@3"), 0);
	assert_int_equal(faults_add(&b->faults, "max-block=1K"), 0);
	open_flash(b);
	read32(b, 0, 256);
	expect_data(b, b->flash, 1024);
	read32(b, 0, 4);
	expect_refusal(b, 0x1D12);
	read32(b, 0, 4);
	expect_refusal(b, 0x1D12);
	read32(b, 0, 257);
	expect_refusal(b, 0x1D12);
	read32(b, 0, 256);
	expect_data(b, b->flash, 1024);
}

static void test_secure(void **state)
{
	struct bench *b = *state;

	start(b, "secure");
	open_flash(b);
	talk(b, "d8", "d8000000060000");
	talk(b, "d7700070000000000500000000", "d77000700000000005000000001d0d");
	talk(b, "d570007000", "d5700070001d0d");
	read32(b, 0, 16);
	expect_data(b, b->flash, 64);
}

static void test_handshake_faults(void **state)
{
	struct bench *b = *state;

	start(b, "garbage");
	talk(b, "a0", "00fe1337c0800041540d0aff7ee01b5f");
	talk(b, "a00a5005", "5ff5affa");
	boot_rom_free(b->rom);

	b->faults.n_items = 0;
	start(b, "echo");
	talk(b, "a00a5005", "a05f0af550af05fa");
	talk(b, "ff", "05");
	boot_rom_free(b->rom);

	b->faults.n_items = 0;
	start(b, "preloader");
	talk(b, "", "5245414459");
	shake_hands(b);
	talk(b, "fe", "01");
}

/* A boot ROM at first, a preloader after the next power-on. */
static void test_comes_back_as_preloader(void **state)
{
	struct bench *b = *state;

	b->config.replug_as_preloader = true;
	start(b, NULL);
	shake_hands(b);
	talk(b, "fe", "fe");
	boot_rom_power_on(b->rom);
	talk(b, "", "5245414459");
	shake_hands(b);
	talk(b, "fe", "01");
}

/* Reads of the flash are refused, those of registers are not. */
static void test_requires_an_agent(void **state)
{
	struct bench *b = *state;

	b->config.require_agent = true;
	start(b, NULL);
	open_flash(b);
	talk(b, "d10000000000000001", "d100000000000000011d01");
	talk(b, "d00000000000000001", "d000000000000000011d01");
	talk(b, "d1a051000000000001",
	     "d1a05100000000000100000000"
	     "00020000");
}

static void test_other_faults(void **state)
{
	struct bench *b = *state;

	start(b, "mute");
	talk(b, "a00a5005", "");
	boot_rom_free(b->rom);

	b->faults.n_items = 0;
	start(b, "ff");
	talk(b, "a00a5005d1", "ffffffffff");
	boot_rom_free(b->rom);

	b->faults.n_items = 0;
	start(b, "no-combine");
	talk(b, "a00a5005", "5ff5affa");
	talk(b, "d1a01c010800000001", "d1");
	talk(b, "a01c010800000001", "a01c0108");
	talk(b, "00000001",
	     "00000001"
	     "0000"
	     "35c00000"
	     "0000");
	boot_rom_free(b->rom);

	b->faults.n_items = 0;
	start(b, "stream");
	open_flash(b);
	read32(b, 0, 4);
	assert_int_equal(b->answer_size, BENCH_ANSWER_MAX - 9);
	bytes_swap_words(b->answer + 2, BENCH_FLASH_SIZE);
	assert_memory_equal(b->answer + 2, b->flash, BENCH_FLASH_SIZE);
}

static void test_fault_specs(void **state)
{
	static const char *const wrong[] = {
		"",           "flip",   "flip@",    "flip@-1",  "flip@x",
		"mutex",      "mute@1", "stall@1",  "stall@1:", "stall@:1",
		"stall@1:1x", "alias",  "short@1:", "unplug=1", "nack@1 ",
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(faults_add(&b->faults, wrong[i]), -EINVAL);
	assert_int_equal(faults_add(&b->faults, "nack@0"), -ERANGE);
	assert_int_equal(faults_add(&b->faults, "short@1:0"), -ERANGE);
	assert_int_equal(faults_add(&b->faults, "alias=5000"), -ERANGE);
	assert_int_equal(faults_add(&b->faults, "flip@99999999999999999999"), -ERANGE);
	assert_int_equal(b->faults.n_items, 0);
	for (size_t i = 0; i < FAULTS_MAX; i++)
		assert_int_equal(faults_add(&b->faults, "flip@1M"), 0);
	assert_int_equal(faults_add(&b->faults, "flip@1M"), -ENOSPC);
	assert_true(b->faults.items[0].value == 1 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_alias),
		BENCH_TEST(test_flip_and_short),
		BENCH_TEST(test_gap),
		BENCH_TEST(test_insert),
		BENCH_TEST(test_unplug),
		BENCH_TEST(test_stall),
		BENCH_TEST(test_refusing_faults),
		BENCH_TEST(test_secure),
		BENCH_TEST(test_handshake_faults),
		BENCH_TEST(test_comes_back_as_preloader),
		BENCH_TEST(test_requires_an_agent),
		BENCH_TEST(test_other_faults),
		BENCH_TEST(test_fault_specs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
