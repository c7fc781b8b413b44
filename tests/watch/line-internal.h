/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kinds of lines: what each does for the function of the same name in line.h. */

#include "tests/watch/line.h"

struct line_kind {
	int (*open)(struct line *line, bool preloader);
	void (*hang_up)(struct line *line);
	void (*free)(struct line *line);
	bool (*is_up)(const struct line *line);
	const char *(*device)(const struct line *line);
	int (*fd)(const struct line *line);
	short (*events)(const struct line *line, short wanted);
	short (*ready)(const struct line *line);
	int (*dispatch)(struct line *line, short revents);
	ssize_t (*read)(struct line *line, void *data, size_t size);
	ssize_t (*write)(struct line *line, const void *data, size_t size);
};

/* The beginning of every line. */
struct line {
	const struct line_kind *kind;
	struct line_config config;
	uint64_t free_at; /* when the last piece has gone through */
};

/* Lines that are still down; NULL for no memory. */
struct line *tty_line_new(void);
struct line *usb_line_new(void);
