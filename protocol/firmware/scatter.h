/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files in which MediaTek's flashing tools list the parts of a firmware, read into one form:
 *
 *	.cfg of the FlashTool for feature phones and watches: YAML with regions of file names and the
 *	flash parts that the firmware was built for. No addresses: those are in the files' own GFH.
 *
 *	scatter .txt of the SP Flash Tool, older: NAME 0xADDRESS { }; newer: a YAML list. Addresses and
 *	(newer) sizes.
 *
 * Forms as in real files of vendors' firmware packages. The content is untrusted: nothing is
 * allocated by its word and nothing recurses on it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define SCATTER_BYTES_MAX   (256U * 1024U)
#define SCATTER_PARTS_MAX   256U
#define SCATTER_FLASHES_MAX 64U
#define SCATTER_TEXT_MAX    255U /* bytes of one name or value */

enum scatter_form {
	SCATTER_CFG,    /* feature phone: general, boot_region, … */
	SCATTER_LIST,   /* smartphone: NAME 0xADDRESS { } */
	SCATTER_LAYOUT, /* smartphone: - partition_index: … */
};

struct scatter_part {
	char *region;   /* .cfg: "boot_region"; newer .txt: "EMMC_USER"; NULL where there is none */
	char *name;     /* .cfg: the file name as written, folders included; .txt: the partition */
	char *file;     /* newer .txt: its file; NULL: none is given */
	bool placed;    /* it has an address; never in a .cfg */
	uint64_t start; /* bytes from the start of the flash */
	uint64_t length;   /* bytes, 0: up to the end of the flash */
	unsigned int line; /* in the file, from 1 */
};

/* One of external_memory's parameters: a flash part with the memory beside it. */
struct scatter_flash {
	char *type; /* "SF"; NULL: not given, like the next two */
	char *memory_type;
	char *emi_setting;
	uint8_t id[8];
	uint8_t id_length; /* 1 to 8 */
	unsigned int line;
};

struct scatter {
	enum scatter_form form;
	char *version;  /* config_version; NULL: not given or blank, like the next three */
	char *platform; /* "MT6261" */
	char *project;
	char *memory_version;       /* external_memory's parameters_version */
	struct scatter_part *parts; /* in the order of the file */
	size_t n_parts;
	struct scatter_flash *flashes; /* in the order of the file */
	size_t n_flashes;
};

/* Why a file was refused: "line 12: …" is for the caller to put behind the file's name. */
struct scatter_error {
	unsigned int line; /* 0: the file as a whole */
	char text[192];
};

/* -EBADMSG with *ret_error, -ENOMEM. The text needs no NUL at its end. */
_must_check_ int scatter_parse(const char *text, size_t size, struct scatter **ret,
			       struct scatter_error *ret_error);
void scatter_free(struct scatter *scatter);
DEFINE_CLEANUP(struct scatter *, scatter_free);

/* The name's last component: folders of either kind of slash are cut off. Borrowed. */
const char *scatter_part_base(const struct scatter_part *part);

/* True when the part is in that region ("main_region"). */
bool scatter_part_in(const struct scatter_part *part, const char *region);
