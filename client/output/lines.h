/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lines as they come in on a descriptor that is waited for elsewhere; a terminal or a pipe. */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/cleanup.h"

#define LINES_MAX_BYTES 4096U /* of one line: a ticket is below 100 */

struct lines {
	int fd;        /* borrowed */
	size_t number; /* of the line that lines_next gave last, from 1 */
	bool ended;    /* nothing more comes on fd */

	char buffer[LINES_MAX_BYTES];
	size_t begin, end; /* what of the buffer is not given yet */
	bool too_long;     /* the rest of a line that had no room is passed over */
};

void lines_init(struct lines *lines, int fd);

/*
 * Once lines_next has no line more: reads what is there, or waits for it. 0 (with ended set at the
 * end) or negative errno.
 */
_must_check_ int lines_fill(struct lines *lines);

/*
 * The next line, without its newline, valid until the next call of either: 1; 0 when the rest of it
 * is still to come, or at the end; -E2BIG for one that was too long and is passed over.
 */
_must_check_ int lines_next(struct lines *lines, const char **ret, size_t *ret_size);
