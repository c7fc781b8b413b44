/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/readback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/time.h"

#define STRIKES_MAX           3U /* failures in a row that rule out a block size that once worked */
#define SAMPLE_DIVISOR        50U /* one block of 50 is 2 % */
#define SAMPLES_MIN           64U
#define PROGRESS_INTERVAL     (100 * USEC_PER_MSEC)
#define RATE_WINDOW           (2 * USEC_PER_SEC)
#define CHECKPOINT_INTERVAL   (1 * USEC_PER_SEC)
#define CHECKPOINT_COST_RATIO 100U /* a slow disk may cost 1 % of the time, not more */

struct readback {
	struct reader *reader;
	const struct readback_target *target;
	void *userdata;
	uint8_t *buffer; /* block_max bytes: what the watch sent */
	uint8_t *other;  /* block_max bytes: what it is compared with */

	size_t block;      /* to try next */
	size_t limit;      /* largest worth trying */
	size_t largest_ok; /* largest that ever worked */
	unsigned int strikes;

	uint64_t retries, mismatches;
	struct readback_failure failure;

	uint64_t done, total;
	uint64_t begun, reported_at, reported_done, next_checkpoint;
	double rate; /* bytes per second, smoothed over RATE_WINDOW */
};

int readback_new(struct reader *reader, const struct readback_target *target, void *userdata,
		 struct readback **ret)
{
	_cleanup_(readback_freep) struct readback *readback = calloc(1, sizeof(*readback));
	const struct reader_class *class = reader->class;

	if (class->alignment == 0 || class->block_min < class->alignment ||
	    class->block_min > class->block_max || class->block_min % class->alignment != 0)
		return -EINVAL;
	if (!readback)
		return -ENOMEM;
	readback->buffer = malloc(class->block_max);
	readback->other = malloc(class->block_max);
	if (!readback->buffer || !readback->other)
		return -ENOMEM;
	readback->reader = reader;
	readback->target = target;
	readback->userdata = userdata;
	readback->block = class->block_min;
	readback->limit = class->block_max;
	readback_begin(readback, 0, 0);
	*ret = TAKE_PTR(readback);
	return 0;
}

void readback_free(struct readback *readback)
{
	if (!readback)
		return;
	free(readback->buffer);
	free(readback->other);
	free(readback);
}

uint64_t readback_retries(const struct readback *readback)
{
	return readback->retries;
}

uint64_t readback_mismatches(const struct readback *readback)
{
	return readback->mismatches;
}

const struct readback_failure *readback_failure(const struct readback *readback)
{
	return &readback->failure;
}

void readback_begin(struct readback *readback, uint64_t total, uint64_t done)
{
	readback->total = total;
	readback->done = done;
	readback->begun = time_now();
	readback->reported_at = readback->begun;
	readback->reported_done = done;
	readback->next_checkpoint = readback->begun + CHECKPOINT_INTERVAL;
	readback->rate = 0;
}

static void report_progress(struct readback *rb, uint64_t now)
{
	double passed = (double)(now - rb->reported_at);
	double rate = (double)(rb->done - rb->reported_done) * (double)USEC_PER_SEC / passed;
	/* In the first seconds the window is the time since the beginning. */
	double window = MIN_OF((double)RATE_WINDOW, (double)(now - rb->begun));
	double weight = MIN_OF(passed / window, 1.0);
	double left = rb->total > rb->done ? (double)(rb->total - rb->done) : 0;

	rb->rate += (rate - rb->rate) * weight;
	rb->reported_at = now;
	rb->reported_done = rb->done;
	rb->target->progress(rb->userdata, rb->done, (uint64_t)rb->rate,
			     rb->rate >= 1 ? left / rb->rate : -1);
}

static int checkpoint(struct readback *rb)
{
	uint64_t before = time_now(), after;
	int r = rb->target->checkpoint(rb->userdata);

	after = time_now();
	rb->next_checkpoint =
		after + MAX_OF(CHECKPOINT_INTERVAL, (after - before) * CHECKPOINT_COST_RATIO);
	return r;
}

/* After every block: tells and saves when it is time. */
static int advance(struct readback *rb, uint64_t bytes)
{
	uint64_t now = time_now();

	rb->done += bytes;
	if (now - rb->reported_at >= PROGRESS_INTERVAL)
		report_progress(rb, now);
	return now >= rb->next_checkpoint ? checkpoint(rb) : 0;
}

/* A phase ends with its last figures told and saved, however it went; keeps the first error. */
static int finish(struct readback *rb, int r)
{
	uint64_t now = time_now();
	int saved;

	if (r >= 0 && now > rb->reported_at)
		report_progress(rb, now);
	saved = checkpoint(rb);
	return r < 0 ? r : saved;
}

static void grow(struct readback *rb, size_t size)
{
	rb->largest_ok = MAX_OF(rb->largest_ok, size);
	if (size < rb->block)
		return;
	if (size == rb->limit)
		rb->strikes = 0;
	rb->block = MIN_OF(rb->block * 2, rb->limit);
}

static void shrink(struct readback *rb, size_t size)
{
	const size_t min = rb->reader->class->block_min;

	if (size <= min)
		return;
	while (rb->block >= size && rb->block > min)
		rb->block = MAX_OF(rb->block / 2, min);
	if (size > rb->largest_ok || (size >= rb->limit && ++rb->strikes >= STRIKES_MAX)) {
		rb->limit = rb->block;
		rb->strikes = 0;
	}
}

static void note_failure(struct readback *rb, uint64_t address, int error)
{
	const struct reader_class *class = rb->reader->class;

	rb->retries++;
	rb->failure.address = address;
	rb->failure.error = error;
	(void)class->describe(rb->reader, error, rb->failure.words, sizeof(rb->failure.words));
}

/* Errors after which there is nobody left to ask again. */
static bool is_final(int error)
{
	return error == -ENODEV || error == -ECANCELED || error == -ENOMEM;
}

/* Makes the line usable again after a failed read. */
static int recover(struct readback *rb)
{
	for (unsigned int i = 0; i < READBACK_TRIES_TO_RESYNC; i++) {
		int r = reader_resync(rb->reader);

		if (r >= 0 || is_final(r))
			return r;
	}
	return -EHOSTDOWN;
}

/* Reads one piece that need not be aligned; *ret points into the buffer. */
static int read_piece(struct readback *rb, uint64_t address, size_t size, const uint8_t **ret)
{
	const size_t alignment = rb->reader->class->alignment;
	size_t before = (size_t)(address % alignment);
	size_t whole = (before + size + alignment - 1) / alignment * alignment;
	int r = reader_read(rb->reader, address - before, rb->buffer, whole);

	if (r >= 0)
		*ret = rb->buffer + before;
	return r;
}

/* Reads at most want bytes, as many as the watch takes at once, and does not give up easily. */
static int fetch(struct readback *rb, uint64_t address, uint64_t want, const uint8_t **ret,
		 size_t *ret_size)
{
	const struct reader_class *class = rb->reader->class;
	unsigned int tries = 0;

	for (;;) {
		/* Up to a multiple of the block: files are written in whole pages then. */
		size_t room = rb->block - (size_t)(address % rb->block);
		size_t size = (size_t)MIN_OF(want, room);
		int r = read_piece(rb, address, size, ret);

		if (r >= 0) {
			grow(rb, size);
			*ret_size = size;
			return 0;
		}
		if (is_final(r))
			return r;
		note_failure(rb, address, r);
		r = recover(rb);
		if (r < 0)
			return r;
		if (size <= class->block_min && ++tries >= READBACK_TRIES_PER_PLACE)
			return -EIO;
		shrink(rb, size);
	}
}

/* Reads exactly size bytes, at most a smallest block, to where the buffer is not. */
static int fetch_small(struct readback *rb, uint64_t address, uint8_t *to, size_t size)
{
	while (size > 0) {
		const uint8_t *data;
		size_t n;
		int r = fetch(rb, address, size, &data, &n);

		if (r < 0)
			return r;
		memcpy(to, data, n);
		address += n;
		to += n;
		size -= n;
	}
	return 0;
}

/* Two reads of a small place differed; reads it until two in a row agree, and writes that. */
static int settle(struct readback *rb, uint64_t address, uint64_t offset, size_t size)
{
	uint8_t *last = rb->other, *next = rb->other + size;
	int r = fetch_small(rb, address, last, size);

	rb->mismatches++;
	for (unsigned int i = 1; r >= 0 && i < READBACK_TRIES_TO_SETTLE; i++) {
		rb->retries++;
		r = fetch_small(rb, address, next, size);
		if (r >= 0 && memcmp(last, next, size) == 0)
			return rb->target->write(rb->userdata, offset, next, size);
		memcpy(last, next, size);
	}
	if (r < 0)
		return r;
	rb->failure.address = address;
	rb->failure.error = -EILSEQ;
	snprintf(rb->failure.words, sizeof(rb->failure.words), "%u reads, no two in a row agree",
		 READBACK_TRIES_TO_SETTLE);
	return -EILSEQ;
}

/* Only the small places that differ are settled: a long block on a noisy line may never agree. */
static int compare(struct readback *rb, uint64_t address, uint64_t offset, const uint8_t *data,
		   size_t size)
{
	const size_t step = rb->reader->class->block_min / 2;
	uint64_t differs_at[2] = { 0, 0 };
	int r = rb->target->load(rb->userdata, offset, rb->other, size);

	if (r < 0)
		return r;
	if (memcmp(rb->other, data, size) == 0)
		return 0;
	/* Settling uses both buffers, so find the ends of what differs before. */
	for (size_t at = 0; at < size; at++)
		if (rb->other[at] != data[at]) {
			if (differs_at[1] == 0)
				differs_at[0] = at;
			differs_at[1] = at + 1;
		}
	for (uint64_t at = differs_at[0]; at < differs_at[1]; at += step) {
		r = settle(rb, address + at, offset + at, (size_t)MIN_OF(step, differs_at[1] - at));
		if (r < 0)
			return r;
	}
	return 0;
}

/* Compares a piece of the flash with the file; *ret_size is how much of it was done. */
static int verify_piece(struct readback *rb, uint64_t start, uint64_t offset, uint64_t want,
			size_t *ret_size)
{
	const uint8_t *data;
	int r = fetch(rb, start + offset, want, &data, ret_size);

	return r < 0 ? r : compare(rb, start + offset, offset, data, *ret_size);
}

/* Sees whether it is still the same content where an earlier session left off. */
static int check_overlap(struct readback *rb, uint64_t start, const struct read_map *map)
{
	uint64_t gap, missing, want;
	size_t size;

	if (!read_map_gap(map, 0, &gap, &missing) || gap == 0)
		return 0;
	want = MIN_OF(gap, rb->reader->class->block_min);
	return verify_piece(rb, start, gap - want, want, &size);
}

static int read_gaps(struct readback *rb, uint64_t start, struct read_map *map)
{
	uint64_t gap, missing;

	while (read_map_gap(map, 0, &gap, &missing)) {
		const uint8_t *data;
		size_t size;
		int r = fetch(rb, start + gap, missing, &data, &size);

		if (r >= 0)
			r = rb->target->write(rb->userdata, gap, data, size);
		if (r >= 0)
			r = read_map_add(map, gap, size);
		if (r >= 0)
			r = advance(rb, size);
		if (r < 0)
			return r;
	}
	return 0;
}

int readback_read(struct readback *readback, uint64_t start, struct read_map *map)
{
	int r = check_overlap(readback, start, map);

	if (r >= 0)
		r = read_gaps(readback, start, map);
	return finish(readback, r);
}

static int verify_gaps(struct readback *rb, uint64_t start, struct read_map *map)
{
	uint64_t gap, missing;

	while (read_map_gap(map, 0, &gap, &missing)) {
		size_t size;
		int r = verify_piece(rb, start, gap, missing, &size);

		if (r >= 0)
			r = read_map_add(map, gap, size);
		if (r >= 0)
			r = advance(rb, size);
		if (r < 0)
			return r;
	}
	return 0;
}

int readback_verify(struct readback *readback, uint64_t start, struct read_map *map)
{
	return finish(readback, verify_gaps(readback, start, map));
}

/* How many blocks a sample has; as many as there are when it would be all of them. */
static uint64_t sample_count(uint64_t blocks)
{
	return MIN_OF(MAX_OF(blocks / SAMPLE_DIVISOR, SAMPLES_MIN) + 2, blocks);
}

static uint64_t count_blocks(const struct readback *rb, uint64_t length)
{
	const size_t size = rb->reader->class->block_min;

	return length / size + (length % size != 0);
}

/* The index-th of count blocks, spread evenly: the first is the first, the last the last. */
static uint64_t sample_offset(const struct readback *rb, uint64_t blocks, uint64_t count,
			      uint64_t index)
{
	uint64_t block = count > 1 ? (blocks - 1) * index / (count - 1) : 0;

	return block * rb->reader->class->block_min;
}

uint64_t readback_sample_bytes(const struct readback *readback, uint64_t length)
{
	const size_t size = readback->reader->class->block_min;
	uint64_t blocks = count_blocks(readback, length);
	uint64_t count = sample_count(blocks);
	uint64_t short_of = blocks * size - length; /* the last block may be shorter */

	return count * size - short_of;
}

static int verify_samples(struct readback *rb, uint64_t start, struct read_map *map)
{
	const uint64_t length = read_map_size(map), block = rb->reader->class->block_min;
	const uint64_t blocks = count_blocks(rb, length), count = sample_count(blocks);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t offset = sample_offset(rb, blocks, count, i);
		uint64_t end = MIN_OF(offset + block, length);

		while (offset < end) {
			size_t size = (size_t)(end - offset);
			int r = 0;

			if (!read_map_covers(map, offset, size)) {
				r = verify_piece(rb, start, offset, end - offset, &size);
				if (r >= 0)
					r = read_map_add(map, offset, size);
				if (r >= 0)
					r = advance(rb, size);
			}
			if (r < 0)
				return r;
			offset += size;
		}
	}
	return 0;
}

int readback_sample(struct readback *readback, uint64_t start, struct read_map *map)
{
	return finish(readback, verify_samples(readback, start, map));
}
