/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A directory that holds the pieces of an image: firmware files and a few texts in it, leftovers in
 * leftover/ below it. Whatever is written is read again before it gets its name, and a directory
 * with something else in it is never touched. All below a directory descriptor, no link is followed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/image-piece.h"

/* Where leftovers lie, below the set's directory. */
#define FILE_SET_LEFTOVER "leftover"

struct file_set_text {
	const char *name;
	const char *text;
	/* Reads it as its user will, once it is written; NULL: it need only be the same. */
	int (*check)(void *userdata, const char *text, size_t size, char **ret_why);
	void *userdata;
};

/* Everything is borrowed. */
struct file_set {
	const struct image_piece *pieces;
	size_t n_pieces;
	const struct file_set_text *texts;
	size_t n_texts;
};

/*
 * Writes the set into a new directory name below parent: under another name first, durable, read
 * again and compared, then renamed; so it is there whole or not at all. A directory of that name
 * must be empty (-ENOTEMPTY, -EEXIST), or with replace is swapped for the new one and removed;
 * file_set_is_all tells whether that is right. -EBADMSG with *ret_why when what was read is not what
 * was written, -EINVAL for a set that does not make up the image, else the error of what failed.
 */
_must_check_ int file_set_write(int parent, const char *name, const struct file_set *set,
				const uint8_t *image, uint64_t size, bool replace, char **ret_why);

/*
 * Puts the image together from the pieces in dir, and compares: every byte of it comes from a
 * piece and is right, every digest too. -EBADMSG with *ret_why (a new string) when not.
 */
_must_check_ int file_set_compare(int dir, const struct image_piece *pieces, size_t n,
				  const uint8_t *image, uint64_t size, char **ret_why);

/* 1 when dir holds nothing but files of the set, 0 with the name of another thing in *ret_other. */
_must_check_ int file_set_is_all(int dir, const struct file_set *set, char **ret_other);

/*
 * Removes a directory of that form: its files and those of leftover/, and what a crash left of a set
 * that was to get this name. 0 when there is none; -EISDIR or -ENOTEMPTY when it has more in it than
 * a set can have.
 */
int file_set_remove(int parent, const char *name);
