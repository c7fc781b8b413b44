/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/flash-layout.h"

#include <string.h>

#include "protocol/base/cleanup.h"

#define MIB           (1U << 20)
#define FILE_MAX_SIZE (4U * MIB) /* no firmware of this family is larger */

/* The parts are those of the vendor's flash table, with their names in flashrom. */
static const struct {
	uint32_t mib;
	unsigned int n_ids;
	uint8_t ids[FLASH_LAYOUT_IDS_MAX][3];
} parts[] = {
	{ 1, 3, { { 0xC2, 0x25, 0x34 }, { 0xEF, 0x60, 0x14 }, { 0xC2, 0x28, 0x14 } } },
	{ 2, 3, { { 0xC2, 0x25, 0x35 }, { 0xEF, 0x60, 0x15 }, { 0xC8, 0x60, 0x15 } } },
	{ 4, 3, { { 0xC2, 0x25, 0x36 }, { 0xEF, 0x40, 0x16 }, { 0xC8, 0x60, 0x16 } } },
	{ 8, 3, { { 0xC2, 0x25, 0x37 }, { 0xEF, 0x60, 0x17 }, { 0xC8, 0x60, 0x17 } } },
	{ 16, 3, { { 0xC2, 0x25, 0x38 }, { 0xEF, 0x60, 0x18 }, { 0xC8, 0x60, 0x18 } } },
	{ 32, 3, { { 0xC2, 0x25, 0x39 }, { 0xEF, 0x40, 0x19 }, { 0xC8, 0x60, 0x19 } } },
	{ 64, 2, { { 0xC2, 0x25, 0x3A }, { 0xC2, 0x20, 0x1A } } },
};

bool flash_layout_get(uint64_t size, struct flash_layout *ret)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(parts) && (uint64_t)parts[i].mib * MIB != size)
		i++;
	if (i == ARRAY_SIZE(parts))
		return false;
	*ret = (struct flash_layout){
		.size = (uint32_t)size,
		.arm_bl_length = 0x1B5C,
		.ext_bl_length = 0x7328,
		.rom_length = MIN_OF((uint32_t)size / 8 * 3, FILE_MAX_SIZE) + 0x344,
		.viva_target = MIN_OF((uint32_t)size / 4, FILE_MAX_SIZE),
		.fat_begin = (uint32_t)size / 4 * 3,
		.n_ids = parts[i].n_ids,
	};
	ret->viva = FLASH_LAYOUT_ROM + ret->rom_length + FLASH_LAYOUT_GAP;
	ret->fat_length = ret->size - ret->fat_begin - FLASH_LAYOUT_CBR;
	memcpy(ret->ids, parts[i].ids, sizeof(ret->ids));
	return true;
}
