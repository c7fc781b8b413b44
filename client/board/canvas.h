/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A screenful of characters in memory. What is put on it comes from daemon and watches: nothing else
 * than printable characters gets in, and nothing outside the place it was given. Needs a UTF-8
 * LC_CTYPE.
 */

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#include "client/output/term.h"
#include "protocol/base/cleanup.h"

#define CANVAS_CELL_CHARS 4 /* a character and what combines with it */

struct rect {
	unsigned int y, x, lines, columns;
};

struct canvas_cell {
	wchar_t text[CANVAS_CELL_CHARS + 1]; /* empty: the right half of the wide one before it */
	enum tint tint;
	bool reverse;
};

struct canvas {
	unsigned int lines, columns;
	bool unicode; /* else only ASCII gets in */
	struct canvas_cell *cells;
};

struct style {
	enum tint tint;
	bool reverse;
	bool at_start; /* what is too long loses its start: slots differ at their end */
};
#define STYLE(t) ((struct style){ .tint = (t) })

/* All blank. -ENOMEM. */
_must_check_ int canvas_new(unsigned int lines, unsigned int columns, bool unicode,
			    struct canvas **ret);
void canvas_free(struct canvas *canvas);
DEFINE_CLEANUP(struct canvas *, canvas_free);

static inline const struct canvas_cell *canvas_at(const struct canvas *canvas, unsigned int y,
						  unsigned int x)
{
	return &canvas->cells[(size_t)y * canvas->columns + x];
}

/*
 * Text in one line, at most columns of it, with an ellipsis where it is longer. Returns the columns
 * it took. Without memory nothing is put, and the next screen tries again.
 */
unsigned int canvas_put(struct canvas *canvas, unsigned int y, unsigned int x, unsigned int columns,
			struct style style, const char *text);
_printf_(6, 7) unsigned int canvas_putf(struct canvas *canvas, unsigned int y, unsigned int x,
					unsigned int columns, struct style style,
					const char *format, ...);

/* One of two glyphs of our own, as the terminal can, n times. */
void canvas_fill(struct canvas *canvas, unsigned int y, unsigned int x, unsigned int n,
		 struct style style, const char *unicode, const char *ascii);

/*
 * Text wrapped into a rectangle, its first line indented by so many columns, with an ellipsis where
 * it does not fit. Returns the lines it took.
 */
unsigned int canvas_wrap(struct canvas *canvas, struct rect rect, unsigned int indent,
			 struct style style, const char *text);

/* Blanks. */
void canvas_clear(struct canvas *canvas, struct rect rect);

/* A line without the blanks at its end; NULL when out of memory. */
char *canvas_line(const struct canvas *canvas, unsigned int y);
