/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The chips that the virtual watch can be, by what they answer when they are asked who they are. */

#include <stdint.h>

#include "protocol/base/cleanup.h"

struct chip {
	char name[16];       /* "mt6261" */
	char platform[16];   /* how its firmware names it, "MT6261" */
	uint16_t hw_code;    /* register 80000008 */
	uint16_t hw_sub;     /* register 8000000C */
	uint16_t hw_version; /* register 80000000 */
	uint16_t sw_version; /* register 80000004 */
	uint16_t fuse;       /* top half of the eFuse word A01C0108: the variant of the die */
};

/*
 * A chip by its name, in any case, or an unknown one as "0xHWCODE". The values of mt6261 are those
 * of the FlashTool capture; the fuses of the MT250x are those of mtkclient and of a vendor log,
 * their other words are taken to be the 6261's. -EINVAL for any other name.
 */
_must_check_ int chip_find(const char *name, struct chip *ret);
