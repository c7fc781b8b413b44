/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/boot-layout.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/firmware/gfh.h"

#define ENTRY_SIZE   20U
#define ENTRY_EXISTS 0x42424242U
#define EFUSE_MARK   0xababababU

int boot_header_parse(const uint8_t *data, size_t size, struct boot_header *ret)
{
	bool serial;

	if (size < BOOT_HEADER_SIZE)
		return -ENOENT;
	serial = memcmp(data, "SF_BOOT", 8) == 0;
	if (!serial && memcmp(data, "NOR_BOOT", 8) != 0)
		return -ENOENT;
	*ret = (struct boot_header){
		.serial = serial,
		.version = get_le32(data + 0x0c),
		.layout = get_le32(data + 0x10) & GFH_OFFSET_MASK,
	};
	return 0;
}

int boot_layout_parse(const uint8_t *data, size_t size, struct boot_layout *ret)
{
	struct boot_layout layout = { 0 };

	if (size < BOOT_LAYOUT_SIZE || memcmp(data, "BRLYT", 6) != 0)
		return -ENOENT;
	layout.version = get_le32(data + 8);
	for (size_t i = 0; i < BOOT_LAYOUT_ENTRIES; i++) {
		const uint8_t *entry = data + 0x14 + i * ENTRY_SIZE;

		if (get_le32(entry) == ENTRY_EXISTS)
			layout.entries[layout.n_entries++] = (struct boot_entry){
				.type = get_le16(entry + 6),
				.begin = get_le32(entry + 8) & GFH_OFFSET_MASK,
				.boundary = get_le32(entry + 12) & GFH_OFFSET_MASK,
			};
	}
	*ret = layout;
	return 0;
}

bool efuse_record_is_there(const uint8_t *data, size_t size)
{
	return size >= EFUSE_RECORD_SIZE && get_le32(data) == EFUSE_MARK &&
	       memcmp(data + 4, data + 12, 8) == 0;
}
