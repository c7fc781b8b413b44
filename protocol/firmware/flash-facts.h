/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the firmware in a flash says about that flash: how far its files, its user area and its
 * control block reach, and which parts it was built for. Read by a few small reads through a
 * callback, so it works on a watch as on an image. All figures are claims of the firmware; they are
 * masked to the flash window and checked against each other by whoever uses them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define FLASH_FACTS_PARTS_MAX 64U
#define FLASH_FACTS_FILES_MAX 16U

/* A flash part of CMEM_ID_INFO. */
struct flash_part {
	uint8_t type; /* 3: serial flash */
	uint8_t id[8];
	uint8_t id_length;
	uint64_t size; /* bytes, 0 when the id does not tell */
};

struct flash_fact_file {
	uint16_t type; /* enum gfh_file_type */
	uint64_t begin;
	uint64_t end;
};

/* Ends are offsets of the first byte behind; 0: not told. */
struct flash_facts {
	bool boot_header; /* SF_BOOT and BRLYT are there */
	struct flash_fact_file files[FLASH_FACTS_FILES_MAX];
	size_t n_files;
	uint64_t user_begin, user_end; /* FLASH_INFO: FAT and NVRAM */
	uint64_t control_begin;        /* MAUI_INFO: control block region */
	uint64_t control_end;
	uint64_t usable_end; /* CMEM_NOR_INFO */
	struct flash_part parts[FLASH_FACTS_PARTS_MAX];
	size_t n_parts;
	uint32_t n_parts_told; /* the number that CMEM_ID_INFO gives; above n_parts: it is cut */
	uint16_t flash_id[4];  /* FLASH_INFO: maker, device and extensions of the part for the user
				  area, a byte in each word; all 0: not told */
	char project[129];     /* MAUI_INFO, printable characters only */
	char version[65];      /* likewise */
};

/* Reads size bytes of flash at offset; its errors end the search, but -ENODATA means "not there". */
typedef int (*flash_facts_reader)(void *userdata, uint64_t offset, void *data, size_t size);

/* Finds out what there is; a flash without any firmware is no error. -ENOMEM or the reader's. */
_must_check_ int flash_facts_find(flash_facts_reader read, void *userdata, struct flash_facts *ret);

/*
 * Adds what a file's chain of records tells, up to where it breaks; what was known before gives
 * way. For those who have the whole chain in memory.
 */
void flash_facts_add_chain(struct flash_facts *facts, const uint8_t *chain, size_t size);

#define FLASH_FACTS_FIRMWARE_SIZE 194U

/*
 * What the firmware calls itself: project and version with a space between them, or the one that is
 * told. Written into buf and returned; NULL when neither is.
 */
const char *flash_facts_firmware(const struct flash_facts *facts,
				 char buf[FLASH_FACTS_FIRMWARE_SIZE]);

/* End of the last file, 0 when there is none. */
uint64_t flash_facts_files_end(const struct flash_facts *facts);

/* The flash cannot be smaller than this, by the firmware's word; 0 when it says nothing. */
uint64_t flash_facts_lower_bound(const struct flash_facts *facts);

/* Size in bytes of a part by its JEDEC id of 3 bytes, 0 when the id does not tell. */
uint64_t flash_part_size(const uint8_t id[3]);
