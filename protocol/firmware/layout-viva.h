/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lies in VIVA: a step of layout_new. */

#include "protocol/firmware/layout.h"

/* Fills layout->viva from the parts. */
void layout_find_viva(struct layout *layout);
