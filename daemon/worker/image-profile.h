/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How an image looks from afar: its entropy and its erased pages, cell by cell, in one pass. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define PROFILE_CELL_SIZE (64U << 10) /* of a cell; doubled until the image has at most … */
#define PROFILE_CELLS_MAX 256U
#define PROFILE_PAGE_SIZE 4096U /* the smallest piece that serial flashes erase */

struct profile_cell {
	float entropy;   /* bits a byte: 0 all bytes the same, 8 noise or packed */
	uint32_t erased; /* bytes of it in pages that are only FF */
	uint32_t size;   /* = cell_size, less in the last one */
};

struct image_profile {
	struct profile_cell cells[PROFILE_CELLS_MAX];
	size_t n_cells;
	uint64_t cell_size;
	uint64_t erased; /* bytes in pages that are only FF */
};

/* size is at most 256 MiB (the window of a flash bank); what is behind is left out. */
void image_profile_make(const uint8_t *image, uint64_t size, struct image_profile *ret);
