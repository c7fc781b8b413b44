/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The policy of reading a flash, on top of any reader: how large a block the watch takes, what
 * happens when a read fails, how what was read is proved. Where the bytes go is the target's
 * business. One readback is one session with one watch; it may read several ranges.
 *
 * Blocks begin at the reader's smallest, double after each success and halve on failure; none
 * crosses a multiple of its size. A size that never worked, or failed three times in a row, is not
 * tried again in this session.
 *
 * Errors: -ENODEV and -ECANCELED as in transport.h; -EIO a place cannot be read, -EILSEQ its reads
 * never agree, -EHOSTDOWN the watch no longer answers anything (readback_failure tells where, of
 * these three); or what the target returned.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/device/read-map.h"
#include "protocol/device/reader.h"

#define READBACK_TRIES_PER_PLACE 8U /* of the smallest block */
#define READBACK_TRIES_TO_SETTLE 5U
#define READBACK_TRIES_TO_RESYNC 3U

struct readback;

/* Offsets count from the start of the range being read. All return negative errno on failure. */
struct readback_target {
	int (*write)(void *userdata, uint64_t offset, const void *data, size_t size);
	/* Gives back what was written. */
	int (*load)(void *userdata, uint64_t offset, void *data, size_t size);
	/* Makes everything so far durable, the map last. Called at most once a second. */
	int (*checkpoint)(void *userdata);
	/* At most ten a second; done counts from readback_begin, eta in seconds, -1 unknown. */
	void (*progress)(void *userdata, uint64_t done, uint64_t rate, double eta);
};

struct readback_failure {
	uint64_t address; /* in the flash */
	int error;        /* of the last read */
	char words[160];  /* the reader's description of it */
};

/* Borrows reader, target and userdata. */
_must_check_ int readback_new(struct reader *reader, const struct readback_target *target,
			      void *userdata, struct readback **ret);
void readback_free(struct readback *readback);
DEFINE_CLEANUP(struct readback *, readback_free);

/* Starts counting progress: total bytes, of which done are there already. */
void readback_begin(struct readback *readback, uint64_t total, uint64_t done);

/*
 * Reads what the map still lacks of a range whose first byte is at start in the flash. Where an
 * earlier session left off, the last block before the gap is read again and compared first.
 */
_must_check_ int readback_read(struct readback *readback, uint64_t start, struct read_map *map);

/*
 * Reads what the map of verified bytes lacks a second time and compares. Blocks that differ are
 * read until two reads in a row agree; that content wins and is written.
 */
_must_check_ int readback_verify(struct readback *readback, uint64_t start, struct read_map *map);

/* The same for blocks spread evenly: about 2 %, at least 64, the first and the last. */
_must_check_ int readback_sample(struct readback *readback, uint64_t start, struct read_map *map);

/* How many bytes readback_sample compares of a range of length bytes. */
uint64_t readback_sample_bytes(const struct readback *readback, uint64_t length);

/* Reads that had to be repeated, so far. */
uint64_t readback_retries(const struct readback *readback);

/* Places where two reads differed, so far. */
uint64_t readback_mismatches(const struct readback *readback);

const struct readback_failure *readback_failure(const struct readback *readback);
