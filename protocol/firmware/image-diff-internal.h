/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "protocol/firmware/image-diff.h"

/* Fills in what is known of the files. -ENOMEM, -EIO. */
_must_check_ int image_diff_files(const struct layout *a, const struct layout *b,
				  struct image_diff *diff);
