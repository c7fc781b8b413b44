/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The download agent of the virtual watch; its start and finish are in test-watch-replay.c. */

#include "tests/unit/watch-bench.h"

#define CONFIG "5a05fe0008007007ffff0200000002"
#define ROW    "1201000054200410640104104c1904100100c2002000160000000000cc18041034190410"
#define OTHER  "d2000000dc17041064010410000000000100bf0026000100000000006817041000000000"

/* Up to the report, which is left in the answer. */
static void run_agent(struct bench *b, const char *fault)
{
	static const uint8_t bmt[4];

	b->config.agent.jedec[0] = 0xC2;
	b->config.agent.jedec[1] = 0x20;
	b->config.agent.jedec[2] = 0x16;
	start(b, fault);
	open_flash(b);
	talk(b, "d7700070000000000400000000", "d77000700000000004000000000000");
	talk(b, "01020304", "06020000");
	talk(b, "d570007000", "d5700070000000c003028e");
	talk(b, CONFIG, "5a");
	talk(b, OTHER, "69");
	talk(b, ROW, b->config.agent.newer ? "5aa569" : "5aa5");
	send(b, bmt, sizeof(bmt));
}

static void test_jump(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	open_flash(b);
	/* Nothing was uploaded there. */
	talk(b, "d570007000", "d5700070001d16");
	talk(b, "d7700070000000000400000000", "d77000700000000004000000000000");
	talk(b, "01020304", "06020000");
	talk(b, "d570008000", "d5700080001d16");
	talk(b, "d570007000", "d5700070000000c003028e");
	/* It is the agent that listens now, and it wants its configuration. */
	talk(b, "a00a5005", "");
}

static void test_reports(void **state)
{
	struct bench *b = *state;

	run_agent(b, NULL);
	assert_int_equal(b->answer_size, AGENT_REPORT_SIZE);
	assert_int_equal(get_be32(b->answer + 4), 0);
	assert_int_equal(get_be16(b->answer + 10), 0x0112);
	assert_int_equal(get_be32(b->answer + 12), BENCH_FLASH_SIZE);
	assert_int_equal(b->answer[AGENT_REPORT_SIZE - 1], 0xC1);
	boot_rom_free(b->rom);

	b->config.agent.newer = true;
	b->config.agent.nor_size = 1 << 20;
	run_agent(b, NULL);
	assert_int_equal(b->answer_size, AGENT_REPORT_SIZE + AGENT_EXTRA_SIZE);
	assert_int_equal(get_be32(b->answer + 12), 1 << 20);
	assert_int_equal(b->answer[b->answer_size - 1], 0xC1);
}

static void test_unknown_flash(void **state)
{
	struct bench *b = *state;

	start(b, NULL);
	open_flash(b);
	talk(b, "d7700070000000000400000000", "d77000700000000004000000000000");
	talk(b, "01020304", "06020000");
	talk(b, "d570007000", "d5700070000000c003028e");
	talk(b, CONFIG, "5a");
	talk(b, OTHER, "69");
	/* The second of two rows is the last. */
	talk(b, OTHER, "69a5");
	send(b, (const uint8_t[4]){ 0 }, 4);
	assert_int_equal(b->answer_size, AGENT_REPORT_SIZE);
	assert_int_equal(get_be32(b->answer + 4), 3009);
	assert_int_equal(get_be32(b->answer + 12), 0);
	/* Without its flash it reads nothing. */
	talk(b, "d6000000000000000400", "a500000bdf");
}

static void send_hex(struct bench *b, const char *hex)
{
	uint8_t data[32];

	assert_int_equal(hex_decode(hex, data, strlen(hex) / 2), 0);
	send(b, data, strlen(hex) / 2);
}

/* The answer is a packet of that place of the flash, with zeros behind real bytes of it. */
static void expect_packet(struct bench *b, size_t offset, size_t real, size_t packet)
{
	uint32_t sum = 0;

	assert_int_equal(b->answer_size, packet + 2);
	assert_memory_equal(b->answer, b->flash + offset, real);
	for (size_t i = 0; i < packet; i++) {
		sum += b->answer[i];
		if (i >= real)
			assert_int_equal(b->answer[i], 0);
	}
	assert_int_equal(get_be16(b->answer + packet), sum & 0xFFFF);
}

static void test_read(void **state)
{
	struct bench *b = *state;

	run_agent(b, NULL);
	talk(b, "d6000000010000000a00", "5a");
	send_hex(b, "00000400");
	expect_packet(b, 0x100, 1024, 1024);
	talk(b, "13", ""); /* ignored */
	send_hex(b, "a5");
	expect_packet(b, 0x100, 1024, 1024);
	send_hex(b, "5a");
	expect_packet(b, 0x500, 1024, 1024);
	send_hex(b, "5a");
	expect_packet(b, 0x900, 512, 1024); /* filled up */
	talk(b, "5a", "");
	/* The packet length in the same write. */
	send_hex(b, "d6000000fc000000040000000400");
	assert_int_equal(b->answer[0], 0x5A);
	assert_int_equal(b->answer_size, 1 + 1024 + 2);
	assert_memory_equal(b->answer + 1, b->flash + 0xFC00, 1024);
	talk(b, "5a", "");
	talk(b, "d6000000000000000000", "a500000bdf");
	talk(b, "d6000000fc0000000401", "a500000bdf");
	talk(b, "d60000010000000000010000000400", "a500000bdf");
	talk(b, "d6010000000000000400", ""); /* another storage */
}

static void test_other_commands(void **state)
{
	struct bench *b = *state;

	run_agent(b, NULL);
	talk(b, "da", "5a0000");
	talk(b, "d20f01", "a5");
	talk(b, "d20101", "5a");
	talk(b, "c0c0", "c0c0");
	talk(b, "5a", "5a");
	for (unsigned int i = 0; i < 256; i++) {
		send(b, &(uint8_t){ (uint8_t)i }, 1);
		assert_int_equal(b->answer_size, 1);
		assert_int_equal(b->answer[0], i);
	}
	send_hex(b, "ef");
	assert_int_equal(b->answer_size, 4 + 64);
	send_hex(b, "f0");
	assert_int_equal(b->answer_size, 4 + 24);
	talk(b, "b856a00a", ""); /* not known here */
	assert_non_null(strstr(b->log, "agent ignores b8"));
	talk(b, "d9", "5a");
	talk(b, "00000000", "a5");
	talk(b, "b9", "5a");
	talk(b, "c9", "5a");
	assert_true(boot_rom_is_up(b->rom));
	talk(b, "db014000000000", "5a");
	assert_false(boot_rom_is_up(b->rom));
	assert_non_null(strstr(b->log, "agent switches off"));
}

static void test_faults(void **state)
{
	static const struct {
		const char *fault, *answer;
	} refusals[] = {
		{ "da-range", "a500000bdf" },
		{ "da-security", "a50000177c" },
		{ "da-nack@1", "a500000bcc" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		run_agent(b, refusals[i].fault);
		talk(b, "d6000000000000000400", refusals[i].answer);
		boot_rom_free(b->rom);
		b->faults.n_items = 0;
	}
	run_agent(b, "da-sum@2");
	talk(b, "d6000000000000000800", "5a");
	send_hex(b, "00000400");
	expect_packet(b, 0, 1024, 1024);
	send_hex(b, "5a");
	assert_int_equal(b->answer_size, 1026);
	assert_memory_equal(b->answer, b->flash + 1024, 1024);
	b->answer[1025] ^= 1;
	expect_packet(b, 1024, 1024, 1024);
	send_hex(b, "a5");
	expect_packet(b, 1024, 1024, 1024);
}

/* The faults of the boot ROM's stream do the same to packets. */
static void test_stream_faults(void **state)
{
	struct bench *b = *state;

	assert_int_equal(faults_add(&b->faults, "flip@0x10"), 0);
	assert_int_equal(faults_add(&b->faults, "short@0x410:4"), 0);
	run_agent(b, "unplug@0x810");
	talk(b, "d6000000000000000c00", "5a");
	send_hex(b, "00000400");
	assert_int_equal(b->answer_size, 1026);
	assert_int_equal(b->answer[0x10], b->flash[0x10] ^ 0x10);
	b->answer[0x10] ^= 0x10;
	expect_packet(b, 0, 1024, 1024);
	send_hex(b, "5a");
	assert_int_equal(b->answer_size, 1022);
	assert_memory_equal(b->answer + 0x10, b->flash + 0x414, 1024 - 0x14);
	send_hex(b, "a5");
	expect_packet(b, 0x400, 1024, 1024);
	send_hex(b, "5a");
	assert_int_equal(b->answer_size, 0x10);
	assert_false(boot_rom_is_up(b->rom));
}

static void test_refused_upload(void **state)
{
	struct bench *b = *state;

	start(b, "da-refuse");
	open_flash(b);
	talk(b, "d8", "d8000000000000");
	talk(b, "d7700070000000000400000000", "d77000700000000004000000001d0d");
	talk(b, "d570007000", "d5700070001d16");
	boot_rom_free(b->rom);
	b->faults.n_items = 0;
	start(b, "da-stage");
	open_flash(b);
	talk(b, "d7700070000000000400000000", "d77000700000000004000000000000");
	talk(b, "01020304", "06020000");
	talk(b, "d570007000", "d5700070000000c000000b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_jump),           BENCH_TEST(test_reports),
		BENCH_TEST(test_unknown_flash),  BENCH_TEST(test_read),
		BENCH_TEST(test_other_commands), BENCH_TEST(test_faults),
		BENCH_TEST(test_stream_faults),  BENCH_TEST(test_refused_upload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
