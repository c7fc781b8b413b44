/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The serial flash of the virtual watch: the bytes of an image, and what lies behind its end. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define FLASH_SIZE_MIN 4096U
#define FLASH_SIZE_MAX (256U << 20) /* the window of one bank */

/* A read behind the end. The sources do not say what a real watch does; a serial NOR wraps. */
enum flash_past_end {
	FLASH_WRAP,
	FLASH_FF,
	FLASH_ERROR, /* READ32 is refused with 1D12 */
	FLASH_STALL, /* the stream stops for good */
};

struct flash {
	const uint8_t *data;
	uint64_t size;
	uint64_t period; /* the window repeats with it; what lies between size and period is FF */
	enum flash_past_end past_end;
};

/* "wrap", "ff", "error", "stall"; -EINVAL. */
_must_check_ int flash_past_end_parse(const char *name, enum flash_past_end *ret);

/*
 * Maps an image file. -EFBIG or -EINVAL when its size is not a multiple of 4 between FLASH_SIZE_MIN
 * and FLASH_SIZE_MAX. The file must not shrink while it is mapped.
 */
_must_check_ int flash_map(const char *path, const uint8_t **ret_data, uint64_t *ret_size);
void flash_unmap(const uint8_t *data, uint64_t size);

/*
 * The bytes at an offset of the window: a pointer into the image, or NULL for FF; *ret_length says
 * how many are contiguous there.
 */
const uint8_t *flash_at(const struct flash *flash, uint64_t offset, uint64_t *ret_length);
