/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/gfh.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/bytes.h"

#define HEAD_SIZE 8U

/* The ident has 12 bytes, but a real dump has 01 in the last; 10 say it all. */
static const char file_info_ident[] = "FILE_INFO";

int gfh_parse_file(const uint8_t *data, size_t size, struct gfh_file *ret)
{
	struct gfh_file file;

	if (size < GFH_FILE_INFO_SIZE || memcmp(data, "MMM", 3) != 0 ||
	    get_le16(data + 4) != GFH_FILE_INFO_SIZE || get_le16(data + 6) != GFH_FILE_INFO ||
	    memcmp(data + 8, file_info_ident, sizeof(file_info_ident)) != 0)
		return -ENOENT;
	file = (struct gfh_file){
		.type = get_le16(data + 0x18),
		.flash_device = data[0x1a],
		.signature_type = data[0x1b],
		.load_address = get_le32(data + 0x1c),
		.length = get_le32(data + 0x20),
		.content_offset = get_le32(data + 0x28),
	};
	if (file.length == 0 || file.length == UINT32_MAX || file.content_offset > file.length ||
	    file.content_offset < GFH_FILE_INFO_SIZE || file.content_offset > GFH_CHAIN_MAX)
		return -EBADMSG;
	*ret = file;
	return 0;
}

int gfh_next(const uint8_t *chain, size_t size, size_t *offset, struct gfh_record *ret)
{
	const uint8_t *record = chain + *offset;
	uint16_t length;

	if (*offset == size)
		return 0;
	if (!bytes_inside(size, *offset, HEAD_SIZE) || memcmp(record, "MMM", 3) != 0)
		return -EBADMSG;
	length = get_le16(record + 4);
	if (length < HEAD_SIZE || !bytes_inside(size, *offset, length))
		return -EBADMSG;
	*ret = (struct gfh_record){
		.type = get_le16(record + 6),
		.version = record[3],
		.size = length,
		.data = record,
	};
	*offset += length;
	return 1;
}

const char *gfh_file_type_to_string(uint16_t type)
{
	switch (type) {
	case GFH_FILE_ARM_BL:
		return "ARM_BL";
	case GFH_FILE_ARM_EXT_BL:
		return "ARM_EXT_BL";
	case GFH_FILE_PRIMARY_MAUI:
		return "ROM";
	case GFH_FILE_THIRD_ROM:
		return "THIRD_ROM";
	case GFH_FILE_VIVA:
		return "VIVA";
	default:
		return NULL;
	}
}
