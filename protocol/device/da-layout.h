/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The text that says where the parts of a bare agent lie: read by da-file.c, whose header has its
 * form. */

#include <stdint.h>

#include "protocol/device/da-file.h"

/*
 * Puts the parts that layout names into *ret, in the order of enum da_region_kind's use: EPP, DA1,
 * DA2, NOR table. size is that of the file, UINT64_MAX while there is none to hold it against.
 * -EINVAL with why.
 */
_must_check_ int da_layout_parse(const char *layout, uint64_t size, struct da_entry *ret,
				 char why[DA_WHY_SIZE]);

/* Which protocol the agents of a chip speak. */
enum da_generation da_generation_of(uint32_t hw_code);

/* Writes the sentence and returns error, so that a reader can end with it. */
_must_check_ _printf_(3, 4) int da_wrong(char why[DA_WHY_SIZE], int error, const char *format, ...);
