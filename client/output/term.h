/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is behind stdout or stderr, and the few colours we use on it. */

#include <stdbool.h>

struct term {
	bool tty;
	bool live; /* a terminal where a line can be drawn again */
	bool colour;
	bool unicode; /* the user's locale shows more than ASCII */
	unsigned int columns;
};

/* Columns that a line drawn again leaves free: the terminal puts its ^C there. */
#define TERM_MARGIN 3U

enum tint {
	TINT_NONE,
	TINT_HEADER,
	TINT_FAINT,
	TINT_GOOD,
	TINT_BAD,
	TINT_WARN,
	TINT_ACTIVE,
	TINT_BLUE, /* these two have no meaning of their own: to tell things apart */
	TINT_VIOLET,
	_TINT_MAX,
};

/*
 * Looks at fd, NO_COLOR and TERM. Call setlocale() before: unicode is what the locale says; text
 * itself is always UTF-8.
 */
void term_init(struct term *term, int fd, bool unicode);

/* Asks fd for its width again: windows change. */
void term_measure(struct term *term, int fd);

/* The sequences around coloured text; "" without colour. */
const char *term_begin(const struct term *term, enum tint tint);
const char *term_end(const struct term *term, enum tint tint);

/* To the start of the line, and away with what stands there. */
#define TERM_CLEAR_LINE "\r\033[K"
