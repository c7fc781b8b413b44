/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What lies where in a flash image: found in one pass over its bytes, which are hostile. A map of
 * the whole image gives every byte to exactly one region. Nothing is judged here: a file that
 * claims too much, overlaps another or lies at the wrong place is in the list with its claims, and
 * health.h says what is wrong with it. Formats are those of gfh.h, boot-layout.h and alice.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/firmware/flash-facts.h"
#include "protocol/firmware/gfh.h"

#define LAYOUT_PARTS_MAX     64U /* no known watch has more than 8 files */
#define LAYOUT_NAME_SIZE     24U
#define LAYOUT_PLATFORM_SIZE 8U

/* What a ROM's information block begins with, and the offset in the ROM below which it lies. */
#define LAYOUT_ROM_INFO     "MTK_ROMINFO_v"
#define LAYOUT_ROM_INFO_END 0x1000U /* the highest seen is 0x8fc */

#define LAYOUT_NO_PART SIZE_MAX

enum layout_part_kind {
	LAYOUT_INT_BOOTLOADER,
	LAYOUT_EXT_BOOTLOADER,
	LAYOUT_ROM,
	LAYOUT_VIVA,
	LAYOUT_THIRD_ROM,
	LAYOUT_CUSTOMER,
	LAYOUT_OTHER,
};

/* A firmware file: a GFH chain that begins with FILE_INFO, and what it says belongs to it. */
struct layout_part {
	enum layout_part_kind kind;
	uint16_t type;               /* enum gfh_file_type, or one that has no name there */
	char name[LAYOUT_NAME_SIZE]; /* as a flasher's set calls it: "INT_BOOTLOADER",
					"EXT_BOOTLOADER", "ROM", "VIVA", "THIRD_ROM",
					"CUSTOMER_BIN1", "FILE_0104"; the second of one name gets
					"_2"; unique in the layout */
	uint64_t offset;             /* where it lies in the image */
	uint64_t length;             /* what it claims; may reach behind the image */
	uint64_t available;          /* of these, bytes that the image has */
	uint64_t expected;           /* offset that its load address names; = offset for the
					internal boot loader, which runs in on-chip memory */
	struct gfh_file gfh;
	uint64_t chain_length; /* bytes of the chain that hold together; = gfh.content_offset when
				  all of it does */
	bool listed;           /* BRLYT names it */
	bool paired;           /* ARM_BL_INFO is there, with: */
	uint32_t paired_version, features;
	bool secured; /* MAUI_SEC is there: its content may be encrypted */
};

/* An entry of BRLYT: where a boot loader should be, and where its room ends. */
struct layout_boot_entry {
	uint16_t type;
	uint64_t begin;
	uint64_t boundary; /* offset of the first byte behind its room */
	size_t part;       /* index of the file there, or LAYOUT_NO_PART */
};

#define LAYOUT_BOOT_ENTRIES_MAX 8U

struct layout_span {
	uint64_t offset, length; /* length 0: not there */
};

/* VIVA's table of five addresses and what they lead to; spans lie inside the file and the image. */
struct layout_viva {
	size_t part;           /* LAYOUT_NO_PART: no VIVA; of several, the first */
	bool has_table;        /* the five words lie inside the image */
	uint32_t addresses[5]; /* own load address, ZIMAGE, BOOT_ZIMAGE, DCM, ALICE; 0: absent */
	struct layout_span zimage, boot_zimage, dcm, alice;
};

enum layout_region_kind {
	REGION_BOOT_HEADER, /* SF_BOOT, 20 bytes at 0 */
	REGION_BOOT_LAYOUT, /* BRLYT */
	REGION_EFUSE,       /* the backup record of the eFuse; device specific */
	REGION_FILE,        /* a part, or what of VIVA has no region of its own */
	REGION_ZIMAGE,      /* in VIVA; BOOT_ZIMAGE too */
	REGION_DCM,         /* in VIVA */
	REGION_ALICE,       /* in VIVA */
	REGION_USER_AREA,   /* FAT and NVRAM, device specific */
	REGION_CONTROL,     /* control block region */
	REGION_ERASED,      /* only FF */
	REGION_UNKNOWN,
	REGION_REPEATED, /* behind the effective size: the same bytes once more */
	_REGION_KIND_MAX,
};

/* Regions lie behind one another without a gap from 0 to the image's end; none is empty. */
struct layout_region {
	enum layout_region_kind kind;
	const char *name; /* "boot header", a part's name, "ZIMAGE", "user area", "erased", …;
			     borrowed from the layout */
	uint64_t offset, length;
	size_t part; /* index of the file it belongs to, or LAYOUT_NO_PART */
};

struct layout {
	const uint8_t *image; /* borrowed; at most effective_size is looked at below */
	uint64_t size;
	uint64_t effective_size;    /* = size unless the end of the image repeats its begin */
	bool repeats_but_user_area; /* it repeats only below the user area */
	bool blank;                 /* all bytes are the same */

	bool boot_header; /* SF_BOOT (or NOR_BOOT) at 0 */
	uint32_t boot_header_version;
	uint64_t boot_layout; /* offset of BRLYT; meaningful when … */
	bool has_boot_layout; /* … this is set */
	uint32_t boot_layout_version;
	struct layout_boot_entry boot_entries[LAYOUT_BOOT_ENTRIES_MAX];
	size_t n_boot_entries;
	struct layout_span efuse; /* 20 bytes when the record is there */

	/* In the order of their offsets; not what lies in the user area and belongs elsewhere. */
	struct layout_part *parts;
	size_t n_parts;
	uint64_t n_parts_left_out; /* files that were found but are more than LAYOUT_PARTS_MAX */
	uint64_t n_stubs;          /* FILE_INFO without possible figures; not in parts */
	uint64_t first_stub;       /* offset of the first of them */
	struct layout_viva viva;

	/*
	 * User area, control block, flash parts (CMEM_ID_INFO, in its order), FLASH_INFO's id,
	 * project and version, of the ROM or, where it does not tell, of the other files.
	 */
	struct flash_facts facts;
	/*
	 * Bytes that all files lie below their load addresses, modulo 2^64; 0: none, or not all the
	 * same. facts, user_area and control have the places of the image: they are shifted too.
	 */
	uint64_t shift;
	char platform[LAYOUT_PLATFORM_SIZE]; /* "MT6261", from the project or else the ROM's
						information block; empty: not told. Firmware for
						the MT2503 says MT2502. */
	struct layout_span user_area;        /* clipped to the effective size */
	struct layout_span control;          /* clipped likewise */

	struct layout_region *regions;
	size_t n_regions;
};

/*
 * Looks through an image of size bytes, which must stay readable and unchanged for as long as the
 * layout lives. An image without any firmware is no error. Takes time linear in size, whatever the
 * bytes. -EINVAL when size is 0, -ENOMEM.
 */
_must_check_ int layout_new(const uint8_t *image, uint64_t size, struct layout **ret);
void layout_free(struct layout *layout);
DEFINE_CLEANUP(struct layout *, layout_free);

/* The first part of a kind, NULL when there is none. */
const struct layout_part *layout_find(const struct layout *layout, enum layout_part_kind kind);

/*
 * The information block that every ROM has which is not encrypted; NULL: none. *ret_size is what
 * the image has of the part from there on.
 */
const uint8_t *layout_find_rom_info(const struct layout *layout, const struct layout_part *part,
				    size_t *ret_size);

/* "boot-header", "file", "user-area", … as JSON and reports name a kind of region. */
const char *layout_region_kind_to_string(enum layout_region_kind kind);

/* Where the firmware ends and what a watch writes by itself begins; effective_size if not told. */
uint64_t layout_firmware_end(const struct layout *layout);

/* The image must have this many bytes by the firmware's word; 0 when it says nothing. */
uint64_t layout_needed_size(const struct layout *layout);
