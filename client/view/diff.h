/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Two images and how they differ: a table for people, JSON for programs. */

#include "protocol/base/cleanup.h"
#include "protocol/firmware/image-diff.h"

struct client;
struct json_object;

/* One of them, and what is known of it. */
struct diff_side {
	const char *name; /* as the user named it */
	const char *chip; /* NULL: not known */
	const struct layout *layout;
};

/* -ENOMEM. */
_must_check_ int diff_view_print(const struct client *client, const struct diff_side sides[2],
				 const struct image_diff *diff);
_must_check_ int diff_view_to_json(const struct diff_side sides[2], const struct image_diff *diff,
				   struct json_object **ret);
