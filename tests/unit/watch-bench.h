/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A boot ROM of the virtual watch on a bench: a pattern in its flash, faults, and its log. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "tests/watch/boot-rom.h"

#define BENCH_FLASH_SIZE (64 * 1024)
#define BENCH_ANSWER_MAX (192 * 1024)
#define BENCH_WATCHDOG   3500000ULL

struct bench {
	struct boot_rom_config config;
	struct boot_rom *rom;
	struct faults faults;
	uint8_t flash[BENCH_FLASH_SIZE];
	uint8_t answer[BENCH_ANSWER_MAX];
	size_t answer_size;
	char log[4096];
};

_unused_ static void keep_log(void *userdata, const char *line)
{
	struct bench *b = userdata;
	size_t n = strlen(b->log);

	assert_true(n + strlen(line) + 2 < sizeof(b->log));
	strcpy(b->log + n, line);
	strcat(b->log, "\n");
}

_unused_ static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	for (size_t i = 0; i < BENCH_FLASH_SIZE; i++)
		b->flash[i] = (uint8_t)(i * 7 + i / 256);
	b->config = (struct boot_rom_config){
		.me_id = "0123456789abcdef",
		.flash = b->flash,
		.flash_size = BENCH_FLASH_SIZE,
		.watchdog_usec = BENCH_WATCHDOG,
		.faults = &b->faults,
		.log = keep_log,
		.userdata = b,
	};
	*state = b;
	return chip_find("MT6261", &b->config.chip);
}

_unused_ static int teardown(void **state)
{
	struct bench *b = *state;

	boot_rom_free(b->rom);
	free(b);
	return 0;
}

_unused_ static void start(struct bench *b, const char *fault)
{
	if (fault)
		assert_int_equal(faults_add(&b->faults, fault), 0);
	assert_int_equal(boot_rom_new(&b->config, &b->rom), 0);
}

/* Sends bytes as one write of the host and keeps all that is answered. */
_unused_ static void send(struct bench *b, const uint8_t *data, size_t size)
{
	size_t n, taken;

	b->answer_size = 0;
	do {
		taken = boot_rom_push(b->rom, data, size);
		data += taken;
		size -= taken;
		do {
			n = boot_rom_pull(b->rom, b->answer + b->answer_size,
					  MIN_OF(1000, BENCH_ANSWER_MAX - b->answer_size));
			b->answer_size += n;
		} while (n > 0 && b->answer_size < BENCH_ANSWER_MAX);
	} while (size > 0 && taken > 0);
}

/* One write of the host and the whole answer to it, both in hexadecimal. */
_unused_ static void talk(struct bench *b, const char *host, const char *answer)
{
	uint8_t data[128];
	char got[513];

	assert_true(strlen(host) / 2 <= sizeof(data));
	assert_int_equal(hex_decode(host, data, strlen(host) / 2), 0);
	send(b, data, strlen(host) / 2);
	assert_true(b->answer_size <= 256);
	hex_encode(b->answer, b->answer_size, got);
	assert_string_equal(got, answer);
}

_unused_ static void shake_hands(struct bench *b)
{
	talk(b, "a00a5005", "5ff5affa");
}

/* As a reader does: synchronised, watchdog off, the flash at 0. */
_unused_ static void open_flash(struct bench *b)
{
	shake_hands(b);
	talk(b, "d2a0030000000000012200",
	     "d2a00300000000000100012200"
	     "0001");
	talk(b, "d4a05100000000000100000002",
	     "d4a0510000000000010001"
	     "00000002"
	     "0001");
}

/* READ32; the bytes that came between the statuses, in flash order, lie in answer. */
_unused_ static void read32(struct bench *b, uint32_t address, uint32_t count)
{
	uint8_t command[9] = { 0xD1 };

	put_be32(command + 1, address);
	put_be32(command + 5, count);
	send(b, command, sizeof(command));
	assert_true(b->answer_size >= sizeof(command) + 2);
	assert_memory_equal(b->answer, command, sizeof(command));
	b->answer_size -= sizeof(command);
	memmove(b->answer, b->answer + sizeof(command), b->answer_size);
}

_unused_ static void expect_data(struct bench *b, const uint8_t *expected, size_t size)
{
	assert_int_equal(b->answer_size, size + 4);
	assert_int_equal(get_be16(b->answer), 0x0000);
	assert_int_equal(get_be16(b->answer + 2 + size), 0x0000);
	bytes_swap_words(b->answer + 2, size);
	assert_memory_equal(b->answer + 2, expected, size);
}

_unused_ static void expect_refusal(struct bench *b, uint16_t status)
{
	assert_int_equal(b->answer_size, 2);
	assert_int_equal(get_be16(b->answer), status);
}

#define BENCH_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
