/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes the chain of GFH records at the begin of a firmware file: "MMM", version, size, type. */

#include <stddef.h>
#include <stdint.h>

#define GFH_FILE_INFO_SIZE 0x38U

struct gfh_file {
	uint16_t type;          /* 1 ARM_BL, 2 ARM_EXT_BL, 100 PRIMARY_MAUI, 108 VIVA */
	uint8_t signature_type; /* 0 none, 1 PHASH */
	uint32_t load_address;
	uint32_t length; /* of the file, header and signature included */
	uint32_t max_size;
	uint32_t signature_length;
	uint32_t attributes;
};

struct gfh_writer {
	uint8_t *file;   /* borrowed, zeroed where the chain goes */
	uint32_t length; /* of the chain so far */
};

/* Begins the chain with FILE_INFO; the content begins where the chain will end. */
void gfh_writer_begin(struct gfh_writer *writer, uint8_t *file, const struct gfh_file *info);

/* Appends a record of size bytes (8 of header included); returns it, its payload zero. */
uint8_t *gfh_writer_add(struct gfh_writer *writer, uint16_t type, uint8_t version, uint16_t size);
