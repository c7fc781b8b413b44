/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a flash begins with: the boot header, and BRLYT, the table of boot loaders that it leads to.
 * The figures are those that a download agent checks (disassembly) and U-Boot's mtk_image.h has.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define BOOT_HEADER_SIZE    20U
#define BOOT_LAYOUT_SIZE    180U
#define BOOT_LAYOUT_ENTRIES 8U
#define BOOT_HEADER_VERSION 1U
#define BOOT_LAYOUT_VERSION 1U

/* The record that the download agent leaves behind BRLYT: two copies of two eFuse words. */
#define EFUSE_RECORD_OFFSET 0x400U
#define EFUSE_RECORD_SIZE   20U

struct boot_header {
	bool serial; /* SF_BOOT; else NOR_BOOT */
	uint32_t version;
	uint64_t layout; /* offset of BRLYT */
};

struct boot_entry {
	uint16_t type;     /* enum gfh_file_type */
	uint64_t begin;    /* offset */
	uint64_t boundary; /* offset of the first byte behind its room */
};

struct boot_layout {
	uint32_t version;
	struct boot_entry entries[BOOT_LAYOUT_ENTRIES]; /* those that exist */
	size_t n_entries;
};

/* -ENOENT when there is none at data. */
_must_check_ int boot_header_parse(const uint8_t *data, size_t size, struct boot_header *ret);
_must_check_ int boot_layout_parse(const uint8_t *data, size_t size, struct boot_layout *ret);

/* True for an eFuse record: its mark is there and both copies are equal. */
bool efuse_record_is_there(const uint8_t *data, size_t size);
