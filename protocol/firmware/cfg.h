/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The .cfg with which the FlashTool for feature phones and watches loads a set of firmware files:
 * YAML without tabs, in the form of vendors' own. It has no addresses, those are in the files' GFH.
 * The tool compares the flash list with CMEM_ID_INFO of the main file (number, order, every byte)
 * and refuses a .cfg that differs (disassembly of its brom.dll), so the list is copied as it is.
 */

#include <stddef.h>

#include "protocol/base/cleanup.h"
#include "protocol/firmware/flash-facts.h"

/* Everything is borrowed. */
struct cfg {
	const char *platform;    /* "MT6261"; NULL or empty: left blank, which the tool accepts */
	const char *const *boot; /* files of the boot loaders, the internal one first */
	size_t n_boot;
	const char *const *main; /* the other files in the order of their offsets */
	size_t n_main;
	const struct flash_part
		*flashes; /* as CMEM_ID_INFO has them; none: the section is left out */
	size_t n_flashes;
};

/* Why this flash list cannot be written as it is, a phrase; NULL when it can. */
const char *cfg_flashes_problem(const struct flash_part *flashes, size_t n);

/* A new string. -EINVAL for a flash list with a problem or a name that needs quotes, -ENOMEM. */
_must_check_ int cfg_to_text(const struct cfg *cfg, char **ret);

/*
 * Reads text as a flasher would and compares all of it with cfg. -EBADMSG with *ret_why, a new
 * string, when anything differs; -ENOMEM.
 */
_must_check_ int cfg_compare(const struct cfg *cfg, const char *text, size_t size, char **ret_why);
