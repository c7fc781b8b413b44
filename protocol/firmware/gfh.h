/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * GFH, the chain of records in front of every file that a MediaTek feature phone or watch carries
 * in its flash. Layouts are those of U-Boot's mtk_image.h, AJScorp's MediatekInfo and real firmware
 * packages. A chain is untrusted: nothing outside the given bytes is looked at.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define GFH_FILE_INFO_SIZE 0x38U
#define GFH_CHAIN_MAX      (16U * 1024U) /* of real chains the longest is below 4 KiB */

/* Offset in the flash of a load address; both 1… and 9… mean the flash window. */
#define GFH_OFFSET_MASK 0x0fffffffU

/* Types of records that we read. */
enum gfh_type {
	GFH_FILE_INFO = 0x000,
	GFH_CMEM_ID_INFO = 0x102,
	GFH_CMEM_NOR_INFO = 0x103,
	GFH_MAUI_INFO = 0x200,
	GFH_MAUI_SEC = 0x201,
	GFH_FLASH_INFO = 0x207,
	GFH_ARM_BL_INFO = 0x209,
};

/* Types of files that we speak of. */
enum gfh_file_type {
	GFH_FILE_ARM_BL = 0x001,
	GFH_FILE_ARM_EXT_BL = 0x002,
	GFH_FILE_PRIMARY_MAUI = 0x100,
	GFH_FILE_THIRD_ROM = 0x103,
	GFH_FILE_VIVA = 0x108,
	GFH_FILE_CUSTOMER = 0x7000, /* and the 255 behind it, by their numbers */
};

/* How a file is signed. */
enum gfh_signature {
	GFH_SIGNATURE_NONE = 0,
	GFH_SIGNATURE_PHASH =
		1, /* SHA-1 of all before the last GFH_PHASH_SIZE bytes stands there */
};

#define GFH_PHASH_SIZE 0x20U
#define GFH_END_MARK   0x454e4400U

struct gfh_file {
	uint16_t type;
	uint8_t flash_device; /* 7: serial flash */
	uint8_t signature_type;
	uint32_t load_address;
	uint32_t length;         /* of the whole file, chain and signature included */
	uint32_t content_offset; /* length of the chain */
};

struct gfh_record {
	uint16_t type;
	uint8_t version;
	uint16_t size;       /* of the whole record, its 8-byte head included */
	const uint8_t *data; /* the whole record; borrowed */
};

/*
 * Reads the FILE_INFO that a file begins with. -ENOENT when there is none at data, -EBADMSG when
 * its figures cannot be: no length, a chain longer than the file or than GFH_CHAIN_MAX.
 */
_must_check_ int gfh_parse_file(const uint8_t *data, size_t size, struct gfh_file *ret);

/*
 * The record at *offset of a chain of size bytes, and moves on to the next. 1 with a record, 0 at
 * the end, -EBADMSG when it does not hold together. Always advances, so a walk ends.
 */
_must_check_ int gfh_next(const uint8_t *chain, size_t size, size_t *offset,
			  struct gfh_record *ret);

/* "ARM_BL", "ROM", …; NULL for other types. */
const char *gfh_file_type_to_string(uint16_t type);
