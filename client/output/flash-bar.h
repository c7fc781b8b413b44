/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The map of a flash, drawn: a bar as wide as the terminal, where each column shows the region that
 * has most of its bytes, and a list of the regions with the same marks and colours.
 */

#include <stdio.h>

#include "client/output/term.h"
#include "protocol/base/cleanup.h"

struct layout;

void flash_bar_print(const struct layout *layout, const struct term *term, FILE *out);

/* -ENOMEM. */
_must_check_ int flash_bar_print_regions(const struct layout *layout, const struct term *term,
					 FILE *out);
