/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where two images differ: two readbacks of one watch that are the same prove each other. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define IMAGE_RANGES_MAX 64U
#define IMAGE_RANGE_GAP  64U /* differences closer than this many bytes are one range */

struct image_range {
	uint64_t offset, length; /* from the first differing byte to the last */
};

struct image_difference {
	uint64_t compared; /* bytes that both images have, below the limit */
	uint64_t missing;  /* bytes below the limit that only one image has */
	uint64_t bytes;    /* of those compared, how many differ */
	uint64_t end;      /* offset behind the last that differs, 0: none does */
	uint64_t erased_a; /* of those that differ, how many are FF in the first image */
	uint64_t erased_b; /* and in the second */
	struct image_range ranges[IMAGE_RANGES_MAX];
	size_t n_ranges;
	uint64_t n_ranges_left_out;
};

/* Compares below limit (UINT64_MAX: all of both). */
void image_compare(const uint8_t *a, uint64_t a_size, const uint8_t *b, uint64_t b_size,
		   uint64_t limit, struct image_difference *ret);
