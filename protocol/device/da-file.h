/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A file with download agents, as the user brings it. Two forms: the container that flash tools
 * ship (MTK_AllInOne_DA.bin: a head, then one entry of 0xDC or, in older files, 0xD8 bytes for each
 * chip, then what the entries point at), and the bare parts of one agent with no head, whose places
 * somebody has to name. The container was learnt from three files (v2.7.3, vv2.8.9, v7.1504); the
 * parsers of mtkclient agree.
 *
 * A file is hostile until checked: when da_file_open() succeeds every region lies inside of it.
 * Nothing of it is kept in memory but its table of contents.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define DA_FILE_MAX_BYTES   (64U << 20) /* the largest container we know has 4 MB */
#define DA_FILE_MAX_ENTRIES 512U        /* the longest that we know of has about fifty */
#define DA_ENTRY_REGIONS    10U
#define DA_TABLE_ROW_BYTES  36U /* of a NOR flash table */
#define DA_WHY_SIZE         192 /* for a sentence that says what is wrong */

/* Whose agents an entry holds: they share the file format but not the protocol. */
enum da_generation {
	DA_GENERATION_UNKNOWN,
	DA_GENERATION_FEATURE_PHONE, /* v3.2: MT6260, MT6261, MT2501, MT2502, MT2503 */
	DA_GENERATION_IOT,           /* MT2523, MT2625, MT5932, MT7682, MT7686 and relatives */
	DA_GENERATION_SMARTPHONE,    /* MT65xx, MT67xx, MT81xx, MT2601: never used by us */
	_DA_GENERATION_MAX,
};

enum da_region_kind {
	DA_REGION_OTHER,
	DA_REGION_EMPTY,      /* no bytes: a place that this chip does not use */
	DA_REGION_EPP,        /* environment image, before the agent; IoT only */
	DA_REGION_DA1,        /* first stage, into internal RAM; it is the one that is started */
	DA_REGION_DA2,        /* second stage, into external RAM */
	DA_REGION_NOR_TABLE,  /* load address F0000000: not code, rows of DA_TABLE_ROW_BYTES */
	DA_REGION_NAND_TABLE, /* load address F1000000: not code */
	_DA_REGION_KIND_MAX,
};

struct da_region {
	enum da_region_kind kind;
	uint64_t offset;           /* in the file */
	uint32_t length;           /* bytes, the signature at its end included */
	uint32_t load_address;     /* on the chip; 0 for a bare table */
	uint32_t signature_length; /* bytes, never over length */
};

struct da_entry {
	uint32_t hw_code; /* as the id register tells it, 0x6261; 0 in a bare file: whichever */
	uint16_t hw_sub;
	uint16_t hw_version; /* the lowest that it is for */
	uint16_t sw_version; /* the same; 0 in the 0xD8 form */
	uint16_t variant;    /* IoT: 0 or 1, an agent in RAM or in place */
	enum da_generation generation;
	struct da_region regions[DA_ENTRY_REGIONS];
	size_t n_regions;
};

struct da_file;

/*
 * Reads the table of contents of a regular file. fd stays the caller's, and open for as long as the
 * file is used; its position is neither used nor moved.
 *
 * layout is NULL for a container. For bare parts it names them, numbers in bytes as parse_size()
 * takes them: "da1=OFFSET:LENGTH:ADDRESS[:SIGNATURE],da2=OFFSET:LENGTH:ADDRESS[:SIGNATURE],
 * table=OFFSET:LENGTH[,chip=0xHWCODE]"; they are never guessed. A container takes no layout.
 *
 * -EBADMSG for content that breaks the form, -EINVAL for a layout that does or is missing or too
 * much, -EFBIG, -ENOMEM, or the error of the read. why gets a sentence on every error.
 */
_must_check_ int da_file_open(int fd, const char *layout, struct da_file **ret,
			      char why[DA_WHY_SIZE]);
void da_file_free(struct da_file *file);
DEFINE_CLEANUP(struct da_file *, da_file_free);

/* Text of the container's head ("MTK_AllInOne_DA_v2.7.3.00"), printable; NULL for a bare file. */
const char *da_file_version(const struct da_file *file);

/* All entries in the file's order; they live as long as the file. */
const struct da_entry *da_file_entries(const struct da_file *file, size_t *ret_n);

/* The entry's first region of that kind, NULL when it has none. */
const struct da_region *da_entry_region(const struct da_entry *entry, enum da_region_kind kind);

/*
 * Reads size bytes of a region of this file from offset (in the region) on. -ERANGE outside of the
 * region, -ENODATA when the file has shrunk since it was opened, or the error of the read.
 */
_must_check_ int da_file_read(const struct da_file *file, const struct da_region *region,
			      uint64_t offset, void *data, size_t size);

/* A whole region, in a buffer that the caller frees; -EFBIG over limit bytes, -ENOMEM, as above. */
_must_check_ int da_file_load(const struct da_file *file, const struct da_region *region,
			      size_t limit, uint8_t **ret);

/* "feature-phone", "iot", "smartphone", "unknown". */
const char *da_generation_to_string(enum da_generation generation);

/* "da1", "nor-table" and so on. */
const char *da_region_kind_to_string(enum da_region_kind kind);

/* Checks the form of a layout alone, before there is a file; as da_file_open(). */
_must_check_ int da_layout_check(const char *layout, char why[DA_WHY_SIZE]);
