/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The map of the whole image: the last step of layout_new. */

#include "protocol/base/cleanup.h"
#include "protocol/firmware/layout.h"

/* Fills regions from everything else in the layout. -ENOMEM. */
_must_check_ int layout_map(struct layout *layout);
