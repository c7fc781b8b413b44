/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bytes that look like data and are the same every time (xorshift64*, Vigna). */

#include <stddef.h>
#include <stdint.h>

struct noise {
	uint64_t state; /* never 0 */
};

static inline uint32_t noise_next(struct noise *noise)
{
	uint64_t x = noise->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	noise->state = x;
	return (uint32_t)((x * 0x2545F4914F6CDD1DULL) >> 32);
}

static inline void noise_fill(struct noise *noise, uint8_t *data, size_t size)
{
	uint32_t word = 0;

	for (size_t i = 0; i < size; i++) {
		if (i % 4 == 0)
			word = noise_next(noise);
		data[i] = (uint8_t)(word >> 8 * (i % 4));
	}
}
