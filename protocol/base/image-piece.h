/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A piece of a flash image and where its bytes are kept, so that all pieces together give the image
 * back: in a file of their own, or nowhere because a word says it all.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/digest.h"

#define IMAGE_PIECE_NAME_SIZE 32U
#define IMAGE_PIECE_FILE_SIZE 48U

enum image_piece_content {
	IMAGE_PIECE_FILE,   /* in file */
	IMAGE_PIECE_ERASED, /* all bytes are FF */
	IMAGE_PIECE_REPEATED, /* the bytes from repeats on once more; that may run into the piece itself */
};

struct image_piece {
	enum image_piece_content content;
	char name[IMAGE_PIECE_NAME_SIZE]; /* "ROM", "user area" */
	char kind[IMAGE_PIECE_NAME_SIZE]; /* "file", "user-area", … */
	char file
		[IMAGE_PIECE_FILE_SIZE]; /* below the set's directory: "ROM", "leftover/user-area" */
	uint64_t offset, length;         /* in the image; never empty */
	uint64_t repeats;                /* an offset before this one */
	char sha256[DIGEST_HEX_SIZE];
	uint16_t sum;         /* of all bytes, as a download agent reports it after flashing */
	bool listed;          /* the .cfg names it */
	bool device_specific; /* belongs to the one watch it was read from */
};
