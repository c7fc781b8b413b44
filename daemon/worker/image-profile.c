/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/image-profile.h"

#include "protocol/base/bytes.h"

#define IMAGE_BYTES_MAX (256ULL << 20)

/*
 * log2 of a count to 16 binary places, each found by one squaring. libm's would do the same, but
 * costs every worker half a mebibyte for this one picture.
 */
static double log2_of(uint32_t n)
{
	unsigned int whole = 31U - (unsigned int)__builtin_clz(n);
	double rest = (double)n / (double)(1U << whole), result = whole, place = 1;

	for (unsigned int i = 0; i < 16; i++) {
		place /= 2;
		rest *= rest;
		if (rest < 2)
			continue;
		rest /= 2;
		result += place;
	}
	return result;
}

/* Shannon's: log2(n) - sum(c * log2(c)) / n. */
static float entropy_of(const uint32_t counts[256], uint32_t n)
{
	double sum = 0;

	for (size_t i = 0; i < 256; i++)
		if (counts[i] > 0)
			sum += counts[i] * log2_of(counts[i]);
	sum = log2_of(n) - sum / n;
	return sum > 0 ? (float)sum : 0;
}

static struct profile_cell measure(const uint8_t *data, uint32_t size)
{
	struct profile_cell cell = { .size = size };
	uint32_t counts[256] = { 0 };

	for (uint32_t at = 0; at < size; at += PROFILE_PAGE_SIZE) {
		uint32_t length = MIN_OF(PROFILE_PAGE_SIZE, size - at);

		if (data[at] == 0xff && bytes_are_uniform(data + at, length)) {
			cell.erased += length;
			counts[0xff] += length;
			continue;
		}
		for (uint32_t i = 0; i < length; i++)
			counts[data[at + i]]++;
	}
	cell.entropy = entropy_of(counts, size);
	return cell;
}

void image_profile_make(const uint8_t *image, uint64_t size, struct image_profile *ret)
{
	*ret = (struct image_profile){ .cell_size = PROFILE_CELL_SIZE };
	size = MIN_OF(size, IMAGE_BYTES_MAX);
	while (size > ret->cell_size * PROFILE_CELLS_MAX)
		ret->cell_size *= 2;
	for (uint64_t at = 0; at < size; at += ret->cell_size) {
		struct profile_cell *cell = &ret->cells[ret->n_cells++];

		*cell = measure(image + at, (uint32_t)MIN_OF(ret->cell_size, size - at));
		ret->erased += cell->erased;
	}
}
