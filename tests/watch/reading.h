/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The data of one read command on its way to the host, in pieces, with the faults of the stream. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/watch/fault.h"
#include "tests/watch/memory.h"

#define READING_SIZE_MIN 5U /* room that reading_next() needs: the largest unit, a byte too many */

struct reading {
	uint32_t address;
	uint64_t remaining; /* units */
	unsigned int width; /* of a unit, 2 or 4 bytes */
	bool endless;       /* it never comes to its end */
};

enum reading_step {
	READING_DATA,
	READING_END,
	READING_STALL, /* for *ret microseconds, or for good: USEC_NEVER */
	READING_UNPLUG,
};

/*
 * Puts the next bytes, big-endian by unit, into data, which has room for size bytes, at least
 * READING_SIZE_MIN. *ret is their number for READING_DATA. Marks the faults that it applies.
 */
enum reading_step reading_next(struct reading *reading, const struct memory *memory,
			       struct faults *faults, uint8_t *data, size_t size, uint64_t *ret);
