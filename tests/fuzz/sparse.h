/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An image in few bytes: one byte that counts its pages of 4 KiB (0 is one), one that it is filled
 * with, then pieces of offset (3 bytes), length (2 bytes) and content. Little-endian.
 */

#include "tests/fuzz/fuzz.h"

#define SPARSE_PAGE  4096U
#define SPARSE_HEAD  2U
#define SPARSE_PIECE 5U

/* A new image of at most pages_max pages; pieces are cut off at its end. NULL: too little input. */
static inline uint8_t *sparse_expand(const uint8_t *data, size_t size, size_t pages_max,
				     size_t *ret_size)
{
	size_t length, at = SPARSE_HEAD;
	uint8_t *image;

	if (size < SPARSE_HEAD)
		return NULL;
	length = MIN_OF((size_t)data[0] + 1, pages_max) * SPARSE_PAGE;
	image = malloc(length);
	fuzz_require(image);
	memset(image, data[1], length);
	while (size - at >= SPARSE_PIECE) {
		size_t offset = data[at] | (size_t)data[at + 1] << 8 | (size_t)data[at + 2] << 16;
		size_t n = data[at + 3] | (size_t)data[at + 4] << 8;

		at += SPARSE_PIECE;
		n = MIN_OF(n, size - at);
		if (offset < length)
			memcpy(image + offset, data + at, MIN_OF(n, length - offset));
		at += n;
	}
	*ret_size = length;
	return image;
}
