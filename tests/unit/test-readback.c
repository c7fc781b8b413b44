/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The policy against a reader of memory with faults on demand. */

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

#include "protocol/device/readback.h"

#define FLASH_BYTES (512U * 1024U)
#define BLOCK_MIN   1024U
#define BLOCK_MAX   (32U * 1024U)

struct bench {
	struct reader reader; /* first, so that a reader is a bench */
	uint8_t flash[FLASH_BYTES];
	uint8_t file[FLASH_BYTES];
	struct read_map *map, *verified;
	struct readback *readback;

	size_t largest; /* longest read seen */
	unsigned int reads, resyncs, checkpoints, writes;
	unsigned int too_long; /* reads refused because of max_block */

	size_t max_block;     /* longer reads fail, 0: none */
	uint64_t bad_address; /* reads over it fail bad_times times */
	unsigned int bad_times;
	uint64_t flip_address; /* a wrong byte there flip_times times */
	unsigned int flip_times;
	bool flip_differs;     /* each time another wrong byte */
	uint64_t lost_address; /* a read over it ends with -ENODEV, 0: none */
	int resync_result;
	int write_result;
	uint64_t misaligned;
};

static bool covers(uint64_t start, size_t size, uint64_t address)
{
	return address >= start && address - start < size;
}

static int bench_read(struct reader *reader, uint64_t address, void *data, size_t size)
{
	struct bench *bench = (struct bench *)reader;
	uint8_t *bytes = data;

	bench->reads++;
	bench->misaligned += address % 4 != 0 || size % 4 != 0;
	if (address + size > FLASH_BYTES || size > BLOCK_MAX)
		return -EINVAL;
	if (bench->lost_address && covers(address, size, bench->lost_address))
		return -ENODEV;
	if (bench->max_block && size > bench->max_block) {
		bench->too_long++;
		return -EREMOTEIO;
	}
	if (bench->bad_times && covers(address, size, bench->bad_address)) {
		bench->bad_times--;
		return -ETIMEDOUT;
	}
	memcpy(data, bench->flash + address, size);
	if (bench->flip_times && covers(address, size, bench->flip_address)) {
		bench->flip_times--;
		bytes[bench->flip_address - address] ^=
			bench->flip_differs ? (uint8_t)(1 + bench->flip_times % 250) : 0x40;
	}
	bench->largest = MAX_OF(bench->largest, size);
	return 0;
}

static int bench_resync(struct reader *reader)
{
	struct bench *bench = (struct bench *)reader;

	bench->resyncs++;
	return bench->resync_result;
}

static const char *bench_describe(struct reader *reader, int error, char *buf, size_t size)
{
	(void)reader;
	snprintf(buf, size, "error %d", -error);
	return buf;
}

static const struct reader_class bench_class = {
	.method = "bench",
	.block_min = BLOCK_MIN,
	.block_max = BLOCK_MAX,
	.alignment = 4,
	.read = bench_read,
	.resync = bench_resync,
	.describe = bench_describe,
};

static int on_write(void *userdata, uint64_t offset, const void *data, size_t size)
{
	struct bench *bench = userdata;

	assert_true(offset + size <= FLASH_BYTES);
	memcpy(bench->file + offset, data, size);
	bench->writes++;
	return bench->write_result;
}

static int on_load(void *userdata, uint64_t offset, void *data, size_t size)
{
	struct bench *bench = userdata;

	assert_true(offset + size <= FLASH_BYTES);
	memcpy(data, bench->file + offset, size);
	return 0;
}

static int on_checkpoint(void *userdata)
{
	((struct bench *)userdata)->checkpoints++;
	return 0;
}

static void on_progress(void *userdata, uint64_t done, uint64_t rate, double eta)
{
	(void)userdata;
	(void)rate;
	assert_true(done <= FLASH_BYTES);
	assert_true(eta >= -1);
}

static const struct readback_target target = {
	.write = on_write,
	.load = on_load,
	.checkpoint = on_checkpoint,
	.progress = on_progress,
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	uint32_t random = 1;

	assert_non_null(bench);
	for (size_t i = 0; i < FLASH_BYTES; i++) {
		random = random * 1664525U + 1013904223U;
		bench->flash[i] = (uint8_t)(random >> 24);
	}
	bench->reader.class = &bench_class;
	assert_int_equal(read_map_new(FLASH_BYTES, &bench->map), 0);
	assert_int_equal(read_map_new(FLASH_BYTES, &bench->verified), 0);
	assert_int_equal(readback_new(&bench->reader, &target, bench, &bench->readback), 0);
	readback_begin(bench->readback, FLASH_BYTES, 0);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	read_map_free(bench->map);
	read_map_free(bench->verified);
	readback_free(bench->readback);
	free(bench);
	return 0;
}

static void assert_whole(const struct bench *bench)
{
	assert_int_equal(read_map_done(bench->map), FLASH_BYTES);
	assert_memory_equal(bench->file, bench->flash, FLASH_BYTES);
	assert_int_equal(bench->misaligned, 0);
}

static void test_growth(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(readback_read(bench->readback, 0, bench->map), 0);
	assert_whole(bench);
	assert_int_equal(bench->largest, BLOCK_MAX);
	/* 1 + 2 + 4 + 8 + 16 KiB, then 32 KiB each. */
	assert_int_equal(bench->reads, 5 + 15 + 1);
	assert_int_equal(readback_retries(bench->readback), 0);
	assert_true(bench->checkpoints >= 1);
}

static void test_max_block(void **state)
{
	struct bench *bench = *state;

	bench->max_block = 4096;
	assert_int_equal(readback_read(bench->readback, 0, bench->map), 0);
	assert_whole(bench);
	assert_int_equal(bench->largest, 4096);
	assert_int_equal(bench->too_long, 1); /* a size that never worked is not tried again */
	assert_int_equal(bench->resyncs, 1);
}

static void test_shrink_and_grow_back(void **state)
{
	struct bench *bench = *state;

	bench->bad_address = 200 * 1024 + 1;
	bench->bad_times = 3;
	assert_int_equal(readback_read(bench->readback, 0, bench->map), 0);
	assert_whole(bench);
	assert_int_equal(readback_retries(bench->readback), 3);
	assert_true(bench->reads < 40); /* large blocks again after it */
}

static void test_bad_place(void **state)
{
	struct bench *bench = *state;
	const struct readback_failure *failure = readback_failure(bench->readback);

	bench->bad_address = 300 * 1024 + 5;
	bench->bad_times = UINT32_MAX;
	assert_int_equal(readback_read(bench->readback, 0, bench->map), -EIO);
	assert_true(covers(failure->address, BLOCK_MIN, bench->bad_address));
	assert_int_equal(failure->error, -ETIMEDOUT);
	assert_non_null(strstr(failure->words, "error"));
	assert_true(bench->reads < 60);
	assert_true(read_map_covers(bench->map, 0, 299 * 1024));
	assert_true(bench->checkpoints >= 1);
}

static void test_dead_line(void **state)
{
	struct bench *bench = *state;

	bench->bad_address = 100 * 1024;
	bench->bad_times = UINT32_MAX;
	bench->resync_result = -EPROTO;
	assert_int_equal(readback_read(bench->readback, 0, bench->map), -EHOSTDOWN);
	assert_int_equal(bench->resyncs, READBACK_TRIES_TO_RESYNC);
}

static void test_lost_and_resumed(void **state)
{
	struct bench *bench = *state;
	struct readback *second = NULL;
	uint64_t before;

	bench->lost_address = 400 * 1024;
	assert_int_equal(readback_read(bench->readback, 0, bench->map), -ENODEV);
	assert_true(bench->checkpoints >= 1);
	before = read_map_done(bench->map);
	assert_true(before > 300 * 1024 && before < FLASH_BYTES);

	/* The last block before the stop came out wrong; the overlap shows it. */
	bench->file[before - 1] ^= 1;
	bench->lost_address = 0;
	assert_int_equal(readback_new(&bench->reader, &target, bench, &second), 0);
	assert_int_equal(readback_read(second, 0, bench->map), 0);
	assert_whole(bench);
	assert_int_equal(readback_mismatches(second), 1);
	readback_free(second);
}

static void test_flip_without_verify(void **state)
{
	struct bench *bench = *state;

	bench->flip_address = 77777;
	bench->flip_times = 1;
	assert_int_equal(readback_read(bench->readback, 0, bench->map), 0);
	assert_memory_not_equal(bench->file, bench->flash, FLASH_BYTES);
}

static void test_flip_with_verify(void **state)
{
	struct bench *bench = *state;

	bench->flip_address = 77777;
	bench->flip_times = 1;
	assert_int_equal(readback_read(bench->readback, 0, bench->map), 0);
	readback_begin(bench->readback, FLASH_BYTES, 0);
	assert_int_equal(readback_verify(bench->readback, 0, bench->verified), 0);
	assert_whole(bench);
	assert_int_equal(read_map_done(bench->verified), FLASH_BYTES);
	assert_int_equal(readback_mismatches(bench->readback), 1);
	assert_true(readback_retries(bench->readback) >= 1);
}

/* The second read is the wrong one: the file stays as it is. */
static void test_flip_in_verify(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(readback_read(bench->readback, 0, bench->map), 0);
	bench->flip_address = 5000;
	bench->flip_times = 2;
	readback_begin(bench->readback, FLASH_BYTES, 0);
	assert_int_equal(readback_verify(bench->readback, 0, bench->verified), 0);
	assert_whole(bench);
}

static void test_never_agrees(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(readback_read(bench->readback, 0, bench->map), 0);
	bench->flip_address = 5000;
	bench->flip_times = 1000;
	readback_begin(bench->readback, FLASH_BYTES, 0);
	bench->flip_differs = true;
	assert_int_equal(readback_verify(bench->readback, 0, bench->verified), -EILSEQ);
	assert_int_equal(readback_failure(bench->readback)->address, 5000);
	assert_memory_equal(bench->file, bench->flash, FLASH_BYTES);
}

static void test_sample(void **state)
{
	struct bench *bench = *state;
	uint64_t bytes = readback_sample_bytes(bench->readback, FLASH_BYTES);

	assert_int_equal(bytes, 66 * BLOCK_MIN);
	assert_int_equal(readback_read(bench->readback, 0, bench->map), 0);
	readback_begin(bench->readback, bytes, 0);
	assert_int_equal(readback_sample(bench->readback, 0, bench->verified), 0);
	assert_int_equal(read_map_done(bench->verified), bytes);
	assert_true(read_map_covers(bench->verified, 0, BLOCK_MIN));
	assert_true(read_map_covers(bench->verified, FLASH_BYTES - BLOCK_MIN, BLOCK_MIN));
	assert_int_equal(readback_mismatches(bench->readback), 0);
}

static void test_sample_sizes(void **state)
{
	struct bench *bench = *state;

	/* Small ones are read whole; of large ones it is 2 %. */
	assert_int_equal(readback_sample_bytes(bench->readback, 1), 1);
	assert_int_equal(readback_sample_bytes(bench->readback, 5000), 5000);
	assert_int_equal(readback_sample_bytes(bench->readback, 64 << 20), (1310 + 2) * 1024);
	assert_int_equal(readback_sample_bytes(bench->readback, (4 << 20) - 1), 82 * 1024 + 1023);
}

/* Neither start nor length are multiples of anything. */
static void test_odd_range(void **state)
{
	struct bench *bench = *state;
	struct read_map *map = NULL, *verified = NULL;

	assert_int_equal(read_map_new(70001, &map), 0);
	assert_int_equal(read_map_new(70001, &verified), 0);
	assert_int_equal(readback_read(bench->readback, 4099, map), 0);
	assert_memory_equal(bench->file, bench->flash + 4099, 70001);
	bench->flip_address = 4099 + 70000;
	bench->flip_times = 1;
	assert_int_equal(readback_verify(bench->readback, 4099, verified), 0);
	assert_memory_equal(bench->file, bench->flash + 4099, 70001);
	assert_int_equal(bench->misaligned, 0);
	assert_int_equal(bench->file[70001], 0);
	read_map_free(map);
	read_map_free(verified);
}

static void test_write_error(void **state)
{
	struct bench *bench = *state;

	bench->write_result = -ENOSPC;
	assert_int_equal(readback_read(bench->readback, 0, bench->map), -ENOSPC);
	assert_int_equal(read_map_done(bench->map), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_growth),
		TEST(test_max_block),
		TEST(test_shrink_and_grow_back),
		TEST(test_bad_place),
		TEST(test_dead_line),
		TEST(test_lost_and_resumed),
		TEST(test_flip_without_verify),
		TEST(test_flip_with_verify),
		TEST(test_flip_in_verify),
		TEST(test_never_agrees),
		TEST(test_sample),
		TEST(test_sample_sizes),
		TEST(test_odd_range),
		TEST(test_write_error),
	};

	return cmocka_run_group_tests_name("readback", tests, NULL, NULL);
}
