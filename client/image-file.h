/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A flash image that the user names: mapped, read only. It must not shrink while it is in use. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define IMAGE_FILE_BYTES_MAX (256ULL << 20) /* the window of a flash bank */

struct client;

struct image_file {
	const uint8_t *data;
	uint64_t size; /* above 0 */
};

/*
 * Maps a regular file that is not empty. Returns an exit status: what is not STATUS_DONE has been
 * printed, and *ret was not touched.
 */
_must_check_ int image_file_read(const struct client *client, const char *path,
				 struct image_file *ret);

/* Of one that was zeroed or read. */
void image_file_clear(struct image_file *file);
