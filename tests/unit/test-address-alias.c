/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The search for the wrap against a flash in memory that behaves in every way past its end. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/device/address-alias.h"

#define FLASH_BYTES (4U << 20)

enum behaviour { WRAPS, ERASED, FAILS, SILENT, HANGS };

struct bench {
	struct reader reader; /* first, so that a reader is a bench */
	uint8_t *flash;
	enum behaviour behaviour;
	bool hung;
	uint64_t highest; /* address read */
	unsigned int reads;
	unsigned int flips; /* reads that come with one wrong byte */
	uint64_t flip_from; /* from that address on */
	uint64_t noted[16]; /* by before() */
	size_t n_noted;
	int before_result;
};

static int read_past_end(struct bench *bench, uint64_t address, void *data, size_t size)
{
	switch (bench->behaviour) {
	case WRAPS:
		memcpy(data, bench->flash + address % FLASH_BYTES, size);
		return 0;
	case ERASED:
		memset(data, 0xff, size);
		return 0;
	case FAILS:
		return -EREMOTEIO;
	case HANGS:
		bench->hung = true;
		return -ETIMEDOUT;
	default:
		return -ETIMEDOUT;
	}
}

static int bench_read(struct reader *reader, uint64_t address, void *data, size_t size)
{
	struct bench *bench = (struct bench *)reader;
	int r = 0;

	bench->reads++;
	bench->highest = MAX_OF(bench->highest, address);
	if (address + size > FLASH_BYTES)
		r = read_past_end(bench, address, data, size);
	else
		memcpy(data, bench->flash + address, size);
	if (r >= 0 && bench->flips > 0 && address >= bench->flip_from) {
		bench->flips--;
		((uint8_t *)data)[size / 2] ^= 0x10;
	}
	return r;
}

static int bench_resync(struct reader *reader)
{
	return ((struct bench *)reader)->hung ? -EPROTO : 0;
}

static const char *bench_describe(struct reader *reader, int error, char *buf, size_t size)
{
	(void)reader;
	snprintf(buf, size, "error %d", -error);
	return buf;
}

static const struct reader_class bench_class = {
	.method = "bench",
	.block_min = 1024,
	.block_max = 4096,
	.alignment = 4,
	.read = bench_read,
	.resync = bench_resync,
	.describe = bench_describe,
};

static int note(void *userdata, uint64_t address)
{
	struct bench *bench = userdata;

	if (bench->n_noted < ARRAY_SIZE(bench->noted))
		bench->noted[bench->n_noted++] = address;
	return bench->before_result;
}

static void fill(uint8_t *flash, size_t from, size_t to)
{
	uint32_t random = (uint32_t)from + 1;

	for (size_t i = from; i < to; i++) {
		random = random * 1664525U + 1013904223U;
		flash[i] = (uint8_t)(random >> 24);
	}
}

/* Firmware in the first 1.5 MiB, the rest erased, as in many a watch. */
static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	bench->reader.class = &bench_class;
	bench->flash = malloc(FLASH_BYTES);
	assert_non_null(bench->flash);
	memset(bench->flash, 0xff, FLASH_BYTES);
	fill(bench->flash, 0, 3U << 19);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	free(bench->flash);
	free(bench);
	return 0;
}

static struct address_alias find(struct bench *bench, uint64_t last)
{
	struct address_alias_limits limits = {
		.last = last,
		.safe = FLASH_BYTES,
		.before = note,
		.userdata = bench,
	};
	struct address_alias alias;

	assert_int_equal(address_alias_find(&bench->reader, &limits, &alias), 0);
	return alias;
}

static void test_wrap(void **state)
{
	struct bench *bench = *state;
	struct address_alias alias = find(bench, 64U << 20);

	assert_int_equal(alias.size, FLASH_BYTES);
	assert_int_equal(alias.places, ADDRESS_ALIAS_PLACES);
	assert_int_equal(alias.past_end, PAST_END_UNKNOWN);
	/* Never past the first wrap, and said before the probe that might be behind the end. */
	assert_true(bench->highest < FLASH_BYTES + ADDRESS_ALIAS_FIRST);
	assert_int_equal(bench->n_noted, 1);
	assert_int_equal(bench->noted[0], FLASH_BYTES);
	assert_true(bench->reads < 50);
}

/* 512 KiB that hold the same twice, except for one place. */
static void test_copy_of_the_boot_area(void **state)
{
	struct bench *bench = *state;
	struct address_alias alias;

	memcpy(bench->flash + (1U << 20), bench->flash, 0x10000);
	alias = find(bench, 64U << 20);
	assert_int_equal(alias.size, FLASH_BYTES);
}

static void test_glitch(void **state)
{
	struct bench *bench = *state;
	struct address_alias alias;

	bench->flips = 1;
	bench->flip_from = FLASH_BYTES;
	alias = find(bench, 64U << 20);
	assert_int_equal(alias.size, FLASH_BYTES);
}

/* A wrong byte in what everything is compared with. */
static void test_glitch_at_the_start(void **state)
{
	struct bench *bench = *state;
	struct address_alias alias;

	bench->flips = 1;
	alias = find(bench, 64U << 20);
	assert_int_equal(alias.size, FLASH_BYTES);
}

static void test_blank_is_no_wrap(void **state)
{
	struct bench *bench = *state;
	struct address_alias alias;

	memset(bench->flash, 0xff, FLASH_BYTES);
	alias = find(bench, 64U << 20);
	assert_true(alias.blank);
	assert_int_equal(alias.size, 0);

	fill(bench->flash, 0, 1024); /* a boot header alone proves nothing either */
	alias = find(bench, 64U << 20);
	assert_true(alias.blank);
	assert_int_equal(alias.size, 0);
}

static void test_erased(void **state)
{
	struct bench *bench = *state;
	struct address_alias alias;

	bench->behaviour = ERASED;
	alias = find(bench, 17U << 20);
	assert_int_equal(alias.size, 0);
	assert_int_equal(alias.past_end, PAST_END_ERASED);
	assert_int_equal(alias.past_end_at, 2U << 20);
	assert_int_equal(alias.data_at, 1U << 20);
	assert_int_equal(alias.probed, 16U << 20);
}

static void test_error(void **state)
{
	struct bench *bench = *state;
	struct address_alias alias;

	bench->behaviour = FAILS;
	alias = find(bench, 64U << 20);
	assert_int_equal(alias.size, 0);
	assert_int_equal(alias.past_end, PAST_END_ERROR);
	assert_int_equal(alias.past_end_at, FLASH_BYTES);
	assert_int_equal(bench->highest, FLASH_BYTES);
}

static void test_silence(void **state)
{
	struct bench *bench = *state;
	struct address_alias alias;

	bench->behaviour = SILENT;
	alias = find(bench, 64U << 20);
	assert_int_equal(alias.past_end, PAST_END_SILENT);
	assert_int_equal(alias.past_end_at, FLASH_BYTES);
}

static void test_hang(void **state)
{
	struct bench *bench = *state;
	struct address_alias_limits limits = {
		.last = 64U << 20,
		.safe = 3U << 20,
		.before = note,
		.userdata = bench,
	};
	struct address_alias alias;

	bench->behaviour = HANGS;
	assert_int_equal(address_alias_find(&bench->reader, &limits, &alias), -EHOSTDOWN);
	assert_int_equal(bench->noted[bench->n_noted - 1], FLASH_BYTES);

	/* After a replug that address is left alone. */
	bench->hung = false;
	bench->highest = 0;
	limits.avoid = FLASH_BYTES;
	assert_int_equal(address_alias_find(&bench->reader, &limits, &alias), 0);
	assert_int_equal(alias.past_end, PAST_END_SILENT);
	assert_int_equal(alias.past_end_at, FLASH_BYTES);
	assert_true(bench->highest < FLASH_BYTES);
}

static void test_limits(void **state)
{
	struct bench *bench = *state;
	struct address_alias alias = find(bench, FLASH_BYTES);

	assert_int_equal(alias.size, 0);
	assert_int_equal(alias.probed, 2U << 20);
	assert_true(bench->highest < FLASH_BYTES);
	bench->reads = 0;
	alias = find(bench, 4096);
	assert_int_equal(alias.probed, 0);
	assert_int_equal(bench->reads, 0);
}

static void test_note_fails(void **state)
{
	struct bench *bench = *state;
	struct address_alias_limits limits = {
		.last = 64U << 20,
		.before = note,
		.userdata = bench,
	};
	struct address_alias alias;

	bench->before_result = -ENOSPC;
	assert_int_equal(address_alias_find(&bench->reader, &limits, &alias), -ENOSPC);
	assert_true(bench->highest < ADDRESS_ALIAS_FIRST);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wrap),       TEST(test_copy_of_the_boot_area),
		TEST(test_glitch),     TEST(test_glitch_at_the_start),
		TEST(test_erased),     TEST(test_blank_is_no_wrap),
		TEST(test_error),      TEST(test_silence),
		TEST(test_hang),       TEST(test_limits),
		TEST(test_note_fails),
	};

	return cmocka_run_group_tests_name("address-alias", tests, NULL, NULL);
}
