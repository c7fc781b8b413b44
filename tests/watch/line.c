/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/line.h"

#include <errno.h>
#include <time.h>

#include "tests/watch/line-internal.h"

/*
 * An even rate asks for small pieces, few system calls for large ones. At USB full speed this is what
 * comes in two frames; with dozens of watches on one machine more of them measure the watches.
 */
#define PIECES_PER_SEC 500
#define PIECE_MAX      4096 /* what a pty has room for even when its reader is late */

int line_new(const struct line_config *config, struct line **ret)
{
	struct line *line = config->usbredir ? usb_line_new() : tty_line_new();

	if (!line)
		return -ENOMEM;
	line->config = *config;
	*ret = line;
	return 0;
}

void line_free(struct line *line)
{
	if (!line)
		return;
	line_hang_up(line);
	line->kind->free(line);
}

int line_open(struct line *line, bool preloader)
{
	int r = line->kind->open(line, preloader);

	if (r < 0)
		line_hang_up(line);
	return r;
}

void line_hang_up(struct line *line)
{
	line->kind->hang_up(line);
	line->free_at = 0;
}

bool line_is_up(const struct line *line)
{
	return line->kind->is_up(line);
}

const char *line_device(const struct line *line)
{
	return line->kind->device(line);
}

int line_fd(const struct line *line)
{
	return line->kind->fd(line);
}

short line_events(const struct line *line, short wanted)
{
	return line->kind->events(line, wanted);
}

short line_ready(const struct line *line)
{
	return line->kind->ready(line);
}

int line_dispatch(struct line *line, short revents)
{
	return line->kind->dispatch(line, revents);
}

ssize_t line_read(struct line *line, void *data, size_t size)
{
	return line->kind->read(line, data, size);
}

ssize_t line_write(struct line *line, const void *data, size_t size)
{
	return line->kind->write(line, data, size);
}

uint64_t line_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

size_t line_piece(const struct line *line, size_t size)
{
	uint64_t piece = MIN_OF(line->config.rate / PIECES_PER_SEC, PIECE_MAX);

	if (line->config.rate == 0)
		return size;
	return (size_t)MIN_OF(size, MAX_OF(piece, 1));
}

uint64_t line_take(struct line *line, uint64_t ready, size_t size)
{
	if (line->config.rate == 0)
		return ready;
	line->free_at = MAX_OF(ready, line->free_at) + size * NSEC_PER_SEC / line->config.rate;
	return line->free_at;
}

void line_blocked(struct line *line)
{
	line->free_at = MAX_OF(line->free_at, line_now());
}
