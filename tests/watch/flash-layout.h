/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where things lie in a made flash image of a size: the boot header and the bootloaders where real
 * dumps have them, then ROM, VIVA behind a gap of 0x400, the user area in the last quarter, and the
 * control block region in the last 0x2000 bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLASH_LAYOUT_BRLYT   0x200U
#define FLASH_LAYOUT_EFUSE   0x400U
#define FLASH_LAYOUT_ARM_BL  0x800U
#define FLASH_LAYOUT_EXT_BL  0x2800U
#define FLASH_LAYOUT_ROM     0xA000U
#define FLASH_LAYOUT_GAP     0x400U
#define FLASH_LAYOUT_CBR     0x2000U /* at the end */
#define FLASH_LAYOUT_IDS_MAX 3

struct flash_layout {
	uint32_t size;
	uint32_t arm_bl_length;
	uint32_t ext_bl_length;
	uint32_t rom_length;
	uint32_t viva;        /* offset */
	uint32_t viva_target; /* length to aim at; the real one comes out of packing */
	uint32_t fat_begin;
	uint32_t fat_length;
	/* JEDEC ids of real serial flash parts of this size; the first is the one on board. */
	uint8_t ids[FLASH_LAYOUT_IDS_MAX][3];
	unsigned int n_ids;
};

/* False when size is none of 1, 2, 4, ... 64 MiB. */
bool flash_layout_get(uint64_t size, struct flash_layout *ret);
