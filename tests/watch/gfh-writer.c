/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/gfh-writer.h"

#include "protocol/base/bytes.h"

#define CONTENT_OFFSET 0x28
#define JUMP_OFFSET    0x30
#define FLASH_DEV_SF   7

uint8_t *gfh_writer_add(struct gfh_writer *writer, uint16_t type, uint8_t version, uint16_t size)
{
	uint8_t *record = writer->file + writer->length;

	memcpy(record, "MMM", 3);
	record[3] = version;
	put_le16(record + 4, size);
	put_le16(record + 6, type);
	memset(record + 8, 0, size - 8U);
	writer->length += size;
	put_le32(writer->file + CONTENT_OFFSET, writer->length);
	put_le32(writer->file + JUMP_OFFSET, writer->length);
	return record;
}

void gfh_writer_begin(struct gfh_writer *writer, uint8_t *file, const struct gfh_file *info)
{
	uint8_t *record;

	*writer = (struct gfh_writer){ .file = file };
	record = gfh_writer_add(writer, 0, 1, GFH_FILE_INFO_SIZE);
	memcpy(record + 0x08, "FILE_INFO", 9);
	put_le32(record + 0x14, 1);
	put_le16(record + 0x18, info->type);
	record[0x1A] = FLASH_DEV_SF;
	record[0x1B] = info->signature_type;
	put_le32(record + 0x1C, info->load_address);
	put_le32(record + 0x20, info->length);
	put_le32(record + 0x24, info->max_size);
	put_le32(record + 0x2C, info->signature_length);
	put_le32(record + 0x34, info->attributes);
}
