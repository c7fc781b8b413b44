/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/image-compare.h"

#include <string.h>

#define BLOCK 4096U /* equal blocks are passed over as a whole */

static void add_byte(struct image_difference *difference, uint64_t offset)
{
	struct image_range *range = NULL;

	difference->bytes++;
	if (difference->n_ranges > 0)
		range = &difference->ranges[difference->n_ranges - 1];
	if (range && offset - difference->end < IMAGE_RANGE_GAP) {
		if (difference->n_ranges_left_out == 0)
			range->length = offset + 1 - range->offset;
	} else if (difference->n_ranges == IMAGE_RANGES_MAX) {
		difference->n_ranges_left_out++;
	} else {
		difference->ranges[difference->n_ranges++] = (struct image_range){ offset, 1 };
	}
	difference->end = offset + 1;
}

void image_compare(const uint8_t *a, uint64_t a_size, const uint8_t *b, uint64_t b_size,
		   uint64_t limit, struct image_difference *ret)
{
	uint64_t common = MIN_OF(MIN_OF(a_size, b_size), limit);
	uint64_t larger = MIN_OF(MAX_OF(a_size, b_size), limit);

	*ret = (struct image_difference){ .compared = common, .missing = larger - common };
	for (uint64_t at = 0; at < common; at += BLOCK) {
		uint64_t end = MIN_OF(at + BLOCK, common);

		if (memcmp(a + at, b + at, end - at) == 0)
			continue;
		for (uint64_t i = at; i < end; i++) {
			if (a[i] == b[i])
				continue;
			add_byte(ret, i);
			ret->erased_a += a[i] == 0xff;
			ret->erased_b += b[i] == 0xff;
		}
	}
}
