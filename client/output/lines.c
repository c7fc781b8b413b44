/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void lines_init(struct lines *lines, int fd)
{
	*lines = (struct lines){ .fd = fd };
}

/* Room behind what is not given yet; a line that fills the buffer is given up. */
static void make_room(struct lines *lines)
{
	memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
	lines->end -= lines->begin;
	lines->begin = 0;
	if (lines->end == sizeof(lines->buffer)) {
		lines->too_long = true;
		lines->end = 0;
	}
}

int lines_fill(struct lines *lines)
{
	ssize_t n;

	make_room(lines);
	n = read(lines->fd, lines->buffer + lines->end, sizeof(lines->buffer) - lines->end);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		lines->ended = true;
	lines->end += (size_t)n;
	return 0;
}

static int give(struct lines *lines, size_t size, const char **ret, size_t *ret_size)
{
	lines->number++;
	if (lines->too_long) {
		lines->too_long = false;
		return -E2BIG;
	}
	*ret = lines->buffer + lines->begin;
	*ret_size = size;
	return 1;
}

int lines_next(struct lines *lines, const char **ret, size_t *ret_size)
{
	size_t left = lines->end - lines->begin;
	const char *newline = memchr(lines->buffer + lines->begin, '\n', left);
	size_t size = newline ? (size_t)(newline - lines->buffer) - lines->begin : left;
	int r;

	if (!newline && (!lines->ended || (left == 0 && !lines->too_long)))
		return 0;
	r = give(lines, size, ret, ret_size);
	lines->begin += size + (newline ? 1 : 0);
	return r;
}
