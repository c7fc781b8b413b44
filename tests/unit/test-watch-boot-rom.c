/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The boot ROM of the virtual watch: handshake, statuses, registers, the flash map. */

#include <errno.h>

#include "tests/unit/watch-bench.h"

static void test_handshake(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	talk(b, "", "");
	talk(b, "41540d00ffd1", "");
	talk(b, "a0", "5f");
	talk(b, "a0", "5f");
	talk(b, "0a", "f5");
	talk(b, "05", "");
	talk(b, "50", "");
	talk(b, "a00aa0", "5ff55f");
	talk(b, "0a5005", "f5affa");
	talk(b, "a0", "a0");
	assert_string_equal(b->log, "unknown 41\nunknown 54\nunknown 0d\nunknown 00\nunknown ff\n"
				    "unknown d1\nunknown 05\nunknown 50\nhandshake\necho a0\n");
}

static void test_identity(void **state)
{
	static const struct {
		const char *chip, *code, *version, *fuse;
	} chips[] = {
		{ "mt6261", "6261", "cb01", "000035c0" }, { "MT6260", "6260", "cb00", "00000000" },
		{ "mt2501", "6261", "cb01", "00002640" }, { "MT2502", "6261", "cb01", "00002640" },
		{ "mt2503", "6261", "cb01", "00003600" }, { "0x6572", "6572", "cb01", "00000000" },
	};
	struct bench *b = *state;
	char answer[64];

	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		assert_int_equal(chip_find(chips[i].chip, &b->config.chip), 0);
		boot_rom_free(b->rom);
		start(b, NULL);
		shake_hands(b);
		snprintf(answer, sizeof(answer), "a28000000800000001%s", chips[i].code);
		talk(b, "a28000000800000001", answer);
		snprintf(answer, sizeof(answer), "a28000000000000001%s", chips[i].version);
		talk(b, "a28000000000000001", answer);
		snprintf(answer, sizeof(answer), "a2a01c010800000002%s", chips[i].fuse);
		talk(b, "a2a01c010800000002", answer);
	}
	assert_int_equal(chip_find("mt9999", &b->config.chip), -EINVAL);
	assert_int_equal(chip_find("0x12345", &b->config.chip), -EINVAL);
}

static void test_plain_commands(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	shake_hands(b);
	talk(b, "ff", "05");
	talk(b, "fe", "fe");
	talk(b, "e1", "e100000010303132333435363738396162636465660000");
	talk(b, "d8", "d8000000000000");
	talk(b, "fd", "fd");
	talk(b, "fc", "fc");
	talk(b, "12", "12");
	talk(b, "a28000000800000001", "a280000008000000016261");
	assert_string_equal(b->log, "handshake\nget-version\nget-bl-version\nget-me-id\n"
				    "get-target-config\necho fd\necho fc\necho 12\n"
				    "read16-legacy 80000008 00000001\n");
}

/* Byte by byte: every field is echoed when it is complete, not before. */
static void test_echo_by_field(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	shake_hands(b);
	talk(b, "d1", "d1");
	talk(b, "a0", "");
	talk(b, "1c01", "");
	talk(b, "08", "a01c0108");
	talk(b, "000000", "");
	talk(b, "01",
	     "00000001"
	     "0000"
	     "35c00000"
	     "0000");
	talk(b, "d2", "d2");
	talk(b, "70000100", "70000100");
	talk(b, "00000002",
	     "00000002"
	     "0001");
	talk(b, "12", "");
	talk(b, "34", "1234");
	talk(b, "5678",
	     "5678"
	     "0001");
	talk(b, "d17000010000000001",
	     "d17000010000000001"
	     "0000"
	     "56781234"
	     "0000");
	talk(b, "d07000010000000002",
	     "d07000010000000002"
	     "0000"
	     "12345678"
	     "0000");
	talk(b,
	     "a170000100"
	     "00000001"
	     "abcd",
	     "a170000100"
	     "00000001"
	     "abcd");
	talk(b, "a27000010000000001",
	     "a27000010000000001"
	     "abcd");
}

static void test_refused_ranges(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	open_flash(b);
	talk(b, "d10000000200000001",
	     "d10000000200000001"
	     "1d11");
	talk(b, "d00000000100000001",
	     "d00000000100000001"
	     "1d11");
	talk(b, "d10000000000000000",
	     "d10000000000000000"
	     "1d13");
	talk(b, "d1fffffffc00000002",
	     "d1fffffffc00000002"
	     "1d12");
	talk(b, "d1fffffffc00000001",
	     "d1fffffffc00000001"
	     "0000"
	     "00000000"
	     "0000");
	talk(b, "d4a005100100000001",
	     "d4a005100100000001"
	     "1d11");
	talk(b, "d2a003000000000000",
	     "d2a003000000000000"
	     "1d13");
	talk(b, "a20000000000000000", "a20000000000000000");
	talk(b, "ff", "05");
}

static void test_send_da(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	open_flash(b);
	talk(b, "d7700070000000000500000000", "d77000700000000005000000000000");
	talk(b, "0102", "");
	talk(b, "030405", "06070000"); /* 0201 ^ 0403 ^ 0005, big-endian: 0607 */
}

static void test_map(void **state)
{
	struct bench *b = *state;
	uint8_t boot_rom[64];

	start(b, NULL);
	shake_hands(b);
	read32(b, 0xFFF00000, 16);
	memcpy(boot_rom, b->answer + 2, sizeof(boot_rom));
	bytes_swap_words(boot_rom, sizeof(boot_rom));
	read32(b, 0, 16);
	expect_data(b, boot_rom, sizeof(boot_rom));
	assert_memory_not_equal(boot_rom, b->flash, sizeof(boot_rom));

	talk(b, "d4a05100000000000100000002",
	     "d4a0510000000000010001"
	     "00000002"
	     "0001");
	talk(b, "d1a051000000000001",
	     "d1a051000000000001"
	     "0000"
	     "00000002"
	     "0000");
	read32(b, 0x100, 16);
	expect_data(b, b->flash + 0x100, 64);

	talk(b, "d4a05100000000000100000003",
	     "d4a0510000000000010001"
	     "00000003"
	     "0001");
	read32(b, 0x10000100, 16);
	expect_data(b, b->flash + 0x100, 64);
	talk(b, "d40000010000000001deadbeef",
	     "d400000100000000010001"
	     "deadbeef"
	     "0001");
	talk(b, "d10000010000000001",
	     "d10000010000000001"
	     "0000"
	     "deadbeef"
	     "0000");
}

static void test_whole_flash(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	open_flash(b);
	read32(b, 0, BENCH_FLASH_SIZE / 4);
	expect_data(b, b->flash, BENCH_FLASH_SIZE);
	talk(b, "d00000010000000002",
	     "d00000010000000002"
	     "0000"
	     "0801160f"
	     "0000");
	assert_null(strstr(b->log, "refused"));
}

static void test_past_end(void **state)
{
	struct bench *b = *state;
	uint8_t ff[64];

	memset(ff, 0xFF, sizeof(ff));
	start(b, NULL);
	open_flash(b);
	read32(b, BENCH_FLASH_SIZE + 0x100, 16);
	expect_data(b, b->flash + 0x100, 64);
	boot_rom_free(b->rom);

	b->config.past_end = FLASH_FF;
	start(b, NULL);
	open_flash(b);
	read32(b, BENCH_FLASH_SIZE, 16);
	expect_data(b, ff, 64);
	boot_rom_free(b->rom);

	b->config.past_end = FLASH_ERROR;
	start(b, NULL);
	open_flash(b);
	read32(b, BENCH_FLASH_SIZE - 64, 16);
	expect_data(b, b->flash + BENCH_FLASH_SIZE - 64, 64);
	read32(b, BENCH_FLASH_SIZE - 32, 16);
	expect_refusal(b, 0x1D12);
	boot_rom_free(b->rom);

	b->config.past_end = FLASH_STALL;
	start(b, NULL);
	open_flash(b);
	read32(b, BENCH_FLASH_SIZE - 32, 16);
	assert_int_equal(b->answer_size, 2 + 32);
	boot_rom_tick(b->rom, 3600 * USEC_PER_SEC);
	talk(b, "a0", "");
}

static void test_watchdog(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	boot_rom_tick(b->rom, 10 * BENCH_WATCHDOG);
	assert_true(boot_rom_deadline(b->rom) == USEC_NEVER);
	shake_hands(b);
	assert_true(boot_rom_deadline(b->rom) == 11 * BENCH_WATCHDOG);

	/* Without its key the register does not change. */
	talk(b, "d2a0030000000000010000",
	     "d2a00300000000000100010000"
	     "0001");
	boot_rom_tick(b->rom, 11 * BENCH_WATCHDOG - 1);
	assert_true(boot_rom_is_up(b->rom));
	talk(b, "d2a0030008000000011971",
	     "d2a00300080000000100011971"
	     "0001");
	boot_rom_tick(b->rom, 11 * BENCH_WATCHDOG);
	assert_true(boot_rom_is_up(b->rom));
	boot_rom_tick(b->rom, 12 * BENCH_WATCHDOG);
	assert_false(boot_rom_is_up(b->rom));
	talk(b, "a0", "");

	boot_rom_power_on(b->rom);
	open_flash(b);
	boot_rom_tick(b->rom, 100 * BENCH_WATCHDOG);
	assert_true(boot_rom_is_up(b->rom));
	talk(b, "d0a003000000000001",
	     "d0a003000000000001"
	     "0000"
	     "2200"
	     "0000");
	talk(b, "d2a0030000000000012205",
	     "d2a00300000000000100012205"
	     "0001");
	boot_rom_tick(b->rom, 101 * BENCH_WATCHDOG);
	assert_false(boot_rom_is_up(b->rom));
}

static void test_reset(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	open_flash(b);
	talk(b, "d2a003001c000000011208",
	     "d2a003001c0000000100011208"
	     "0001");
	assert_true(boot_rom_is_up(b->rom));
	talk(b, "d2a003001c000000011209", "d2a003001c0000000100011209");
	assert_false(boot_rom_is_up(b->rom));
	assert_non_null(strstr(b->log, "write16 a003001c 1209\nreset\n"));

	/* Fresh after power-on: synchronisation, map and registers are gone. */
	boot_rom_power_on(b->rom);
	talk(b, "ff", "");
	shake_hands(b);
	talk(b, "d1a051000000000001",
	     "d1a051000000000001"
	     "0000"
	     "00000000"
	     "0000");
}

static void test_clock_registers(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	shake_hands(b);
	talk(b,
	     "d2a07100500000000"
	     "1a357",
	     "d2a0710050000000010001a3570001");
	talk(b, "d0a071005000000001", "d0a0710050000000010000ff5f0000");
	talk(b,
	     "d2a07100740000000"
	     "10001",
	     "d2a071007400000001000100010001");
	talk(b, "d0a071005000000001", "d0a0710050000000010000a3570000");
	talk(b,
	     "d2a07100000000000"
	     "1120e",
	     "d2a0710000000000010001120e0001");
	talk(b,
	     "d2a07100740000000"
	     "10001",
	     "d2a071007400000001000100010001");
	talk(b, "d0a071000000000001",
	     "d0a07100000000000100000005"
	     "0000");
}

/* A buffer smaller than a unit must not change what is sent. */
static void test_small_pulls(void **state)
{
	static const uint8_t command[] = { 0xD1, 0, 0, 1, 0, 0, 0, 0, 16 };
	struct bench *b = *state;
	uint8_t got[sizeof(command) + 68];
	size_t n = 0;

	start(b, NULL);
	open_flash(b);
	assert_int_equal(boot_rom_push(b->rom, command, sizeof(command)), sizeof(command));
	while (n < sizeof(got) && boot_rom_pull(b->rom, got + n, 1) == 1)
		n++;
	assert_int_equal(n, sizeof(got));
	bytes_swap_words(got + sizeof(command) + 2, 64);
	assert_memory_equal(got + sizeof(command) + 2, b->flash + 0x100, 64);
	assert_int_equal(boot_rom_pull(b->rom, got, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_handshake),
		BENCH_TEST(test_identity),
		BENCH_TEST(test_plain_commands),
		BENCH_TEST(test_echo_by_field),
		BENCH_TEST(test_refused_ranges),
		BENCH_TEST(test_send_da),
		BENCH_TEST(test_map),
		BENCH_TEST(test_whole_flash),
		BENCH_TEST(test_past_end),
		BENCH_TEST(test_watchdog),
		BENCH_TEST(test_reset),
		BENCH_TEST(test_clock_registers),
		BENCH_TEST(test_small_pulls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
