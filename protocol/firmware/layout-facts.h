/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files' records tell of the flash: a step of layout_new. */

#include "protocol/firmware/layout.h"

/*
 * Fills layout->facts and what follows from them, from the parts; takes away those parts that are
 * files on the watch's disk.
 */
void layout_read_facts(struct layout *layout);
