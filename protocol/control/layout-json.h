/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * layout.json in a set of firmware files: where each piece belongs in the image it came from, and
 * what proves it. It is enough to put the image together again.
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/image-piece.h"

#define LAYOUT_JSON_FORMAT     1
#define LAYOUT_JSON_BYTES_MAX  (512U * 1024U)
#define LAYOUT_JSON_PIECES_MAX 1024U

struct problem;

/* Strings and pieces are borrowed by who writes, and owned by what was read (layout_json_clear). */
struct layout_json {
	uint64_t size; /* of the image */
	const char *sha256;
	uint64_t effective_size;                  /* of the flash: behind it the image repeats */
	const char *project, *version, *platform; /* of the firmware; NULL or empty: not told */
	const char *cfg_file, *cfg_sha256;        /* NULL: there is none */
	const struct image_piece *pieces;
	size_t n_pieces;
};

/* Indented text with a newline at its end; -ENOMEM. */
_must_check_ int layout_json_to_text(const struct layout_json *layout, char **ret);

/*
 * Strict: every member known, names that stay below the set, pieces inside the image. Whether they
 * cover it is not looked at. -EBADMSG with *problem, -EPROTONOSUPPORT for another format, -ENOMEM.
 * The caller clears *ret, which was not touched on failure.
 */
_must_check_ int layout_json_from_text(const char *text, struct layout_json *ret,
				       struct problem *problem);
void layout_json_clear(struct layout_json *layout);
