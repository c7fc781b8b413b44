/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/canvas.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/output/text.h"

int canvas_new(unsigned int lines, unsigned int columns, bool unicode, struct canvas **ret)
{
	_cleanup_(canvas_freep) struct canvas *canvas = calloc(1, sizeof(*canvas));

	if (!canvas)
		return -ENOMEM;
	*canvas = (struct canvas){ .lines = lines, .columns = columns, .unicode = unicode };
	canvas->cells = calloc((size_t)lines * columns + 1, sizeof(*canvas->cells));
	if (!canvas->cells)
		return -ENOMEM;
	canvas_clear(canvas, (struct rect){ .lines = lines, .columns = columns });
	*ret = TAKE_PTR(canvas);
	return 0;
}

void canvas_free(struct canvas *canvas)
{
	if (!canvas)
		return;
	free(canvas->cells);
	free(canvas);
}

static struct canvas_cell *canvas_cell(struct canvas *canvas, unsigned int y, unsigned int x)
{
	return &canvas->cells[(size_t)y * canvas->columns + x];
}

void canvas_clear(struct canvas *canvas, struct rect rect)
{
	for (unsigned int y = rect.y; y < rect.y + rect.lines && y < canvas->lines; y++)
		for (unsigned int x = rect.x; x < rect.x + rect.columns && x < canvas->columns; x++)
			*canvas_cell(canvas, y, x) = (struct canvas_cell){ .text = L" " };
}

/* What combines goes into the cell before it, as far as that has room. */
static void canvas_combine(struct canvas_cell *cell, wchar_t c)
{
	size_t n = wcslen(cell->text);

	if (n > 0 && n < CANVAS_CELL_CHARS)
		cell->text[n] = c;
}

/* A wide character loses its half to what is written over the other one. */
static void canvas_split(struct canvas *canvas, unsigned int y, unsigned int x)
{
	struct canvas_cell *cell = canvas_cell(canvas, y, x);

	if (x >= canvas->columns || x == 0 || cell->text[0])
		return;
	cell[-1] = (struct canvas_cell){ .text = L" " };
	*cell = (struct canvas_cell){ .text = L" " };
}

/* Clean text that fits, character by character. */
static unsigned int canvas_write(struct canvas *canvas, unsigned int y, unsigned int x,
				 struct style style, const char *text)
{
	unsigned int used = 0;
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n;

	for (; (n = mbrtowc(&c, text, strlen(text) + 1, &state)) > 0 && n < (size_t)-2; text += n) {
		struct canvas_cell *cell = canvas_cell(canvas, y, x + used);
		int width = wcwidth(c);

		if (width == 0 && used > 0)
			canvas_combine(cell - 1, c);
		if (width <= 0)
			continue;
		canvas_split(canvas, y, x + used);
		canvas_split(canvas, y, x + used + (unsigned int)width);
		for (int i = 0; i < width; i++)
			cell[i] = (struct canvas_cell){ .tint = style.tint,
							.reverse = style.reverse };
		cell->text[0] = c;
		used += (unsigned int)width;
	}
	return used;
}

/* Text as this canvas may show it. */
static char *canvas_clean(const struct canvas *canvas, const char *text)
{
	_cleanup_free_ char *clean = text_clean(text);

	if (!clean)
		return NULL;
	return canvas->unicode ? TAKE_PTR(clean) : text_ascii(clean);
}

unsigned int canvas_put(struct canvas *canvas, unsigned int y, unsigned int x, unsigned int columns,
			struct style style, const char *text)
{
	_cleanup_free_ char *clean = NULL, *cut = NULL;

	if (y >= canvas->lines || x >= canvas->columns)
		return 0;
	columns = MIN_OF(columns, canvas->columns - x);
	clean = columns > 0 ? canvas_clean(canvas, text) : NULL;
	cut = clean ? text_cut(clean, columns, style.at_start, canvas->unicode) : NULL;
	return cut ? canvas_write(canvas, y, x, style, cut) : 0;
}

unsigned int canvas_putf(struct canvas *canvas, unsigned int y, unsigned int x,
			 unsigned int columns, struct style style, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	return text ? canvas_put(canvas, y, x, columns, style, text) : 0;
}

void canvas_fill(struct canvas *canvas, unsigned int y, unsigned int x, unsigned int n,
		 struct style style, const char *unicode, const char *ascii)
{
	for (unsigned int i = 0; i < n; i++)
		(void)canvas_put(canvas, y, x + i, 1, style, canvas->unicode ? unicode : ascii);
}

unsigned int canvas_wrap(struct canvas *canvas, struct rect rect, unsigned int indent,
			 struct style style, const char *text)
{
	_cleanup_free_ char *clean = text_clean(text);
	const char *rest = clean ? clean : "";
	unsigned int used = 0;

	while (*rest && used < rect.lines && rect.columns > indent) {
		size_t n = text_line(rest, rect.columns - indent);
		_cleanup_free_ char *line = strndup(rest, n);
		bool last = used + 1 == rect.lines;

		/* The last one takes the rest, which is cut. */
		if (line)
			(void)canvas_put(canvas, rect.y + used, rect.x + indent,
					 rect.columns - indent, style, last ? rest : line);
		rest += n;
		rest += strspn(rest, " ");
		used++;
		indent = 0;
	}
	return used;
}

char *canvas_line(const struct canvas *canvas, unsigned int y)
{
	char *line = malloc((size_t)canvas->columns * CANVAS_CELL_CHARS * MB_LEN_MAX + 1);
	char *end = line, *last = line;
	mbstate_t state = { 0 };

	for (unsigned int x = 0; line && x < canvas->columns; x++)
		for (const wchar_t *c = canvas_at(canvas, y, x)->text; *c; c++) {
			size_t n = wcrtomb(end, *c, &state);

			end += n < (size_t)-1 ? n : 0;
			if (*c != L' ')
				last = end;
		}
	if (line)
		*last = '\0';
	return line;
}
