/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "client/output/text.h"
#include "protocol/base/strings.h"

#define GAP           2U
#define NARROWEST_CUT 8U /* a column cut below this says nothing any more */

struct cell {
	char *text; /* clean */
	enum tint tint;
};

struct table {
	const struct column *columns;
	size_t n_columns;
	struct cell *cells;
	size_t n_cells;
	size_t room; /* cells allocated */
	int error;
};

int table_new(const struct column *columns, size_t n, struct table **ret)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->columns = columns;
	table->n_columns = n;
	*ret = table;
	return 0;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}

static int table_append(struct table *table, enum tint tint, const char *text)
{
	char *clean;

	if (table->n_cells == table->room) {
		size_t room = table->room ? table->room * 2 : 64;
		struct cell *cells = reallocarray(table->cells, room, sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		table->cells = cells;
		table->room = room;
	}
	clean = text_clean(text && *text ? text : "-");
	if (!clean)
		return -ENOMEM;
	table->cells[table->n_cells++] = (struct cell){ clean, tint };
	return 0;
}

void table_add(struct table *table, enum tint tint, const char *text)
{
	int r = table->error ? 0 : table_append(table, tint, text);

	if (r < 0)
		table->error = r;
}

void table_addf(struct table *table, enum tint tint, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0) {
		text = NULL;
		table->error = -ENOMEM;
	}
	va_end(ap);
	table_add(table, tint, text);
}

/* Of the whole line; a column of width 0 is left out. */
static size_t table_width(const size_t *widths, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		if (widths[i])
			total += widths[i] + (total ? GAP : 0);
	return total;
}

/* The widest column that may be cut further, n_columns when there is none. */
static size_t table_widest(const struct table *table, const size_t *widths)
{
	size_t widest = table->n_columns;

	for (size_t i = 0; i < table->n_columns; i++)
		if (table->columns[i].cut != CUT_NEVER && widths[i] > NARROWEST_CUT &&
		    (widest == table->n_columns || widths[i] > widths[widest]))
			widest = i;
	return widest;
}

/* The column that is missed least, n_columns when none may go. */
static size_t table_least(const struct table *table, const size_t *widths)
{
	size_t least = table->n_columns;

	for (size_t i = 0; i < table->n_columns; i++)
		if (table->columns[i].drop && widths[i] &&
		    (least == table->n_columns ||
		     table->columns[i].drop > table->columns[least].drop))
			least = i;
	return least;
}

static void table_measure(const struct table *table, size_t *widths)
{
	for (size_t i = 0; i < table->n_columns; i++)
		widths[i] = table->columns[i].title ? text_columns(table->columns[i].title) : 1;
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t *width = &widths[i % table->n_columns];

		*width = MAX_OF(*width, text_columns(table->cells[i].text));
	}
}

/* What a column needs at least. */
static size_t table_narrowest(const struct column *column, size_t width)
{
	return column->cut == CUT_NEVER ? width : MIN_OF(width, (size_t)NARROWEST_CUT);
}

/* First columns go that would not fit however much the others are cut, then the widest are cut. */
static void table_fit(const struct table *table, size_t columns, size_t *widths)
{
	size_t n = table->n_columns;

	for (;;) {
		size_t least = table_least(table, widths), needed = 0;

		for (size_t i = 0; i < n; i++)
			if (widths[i])
				needed += table_narrowest(&table->columns[i], widths[i]) +
					  (needed ? GAP : 0);
		if (needed <= columns || least == n)
			break;
		widths[least] = 0;
	}
	while (table_width(widths, n) > columns) {
		size_t widest = table_widest(table, widths);

		if (widest == n)
			break;
		widths[widest]--;
	}
}

/* One cell, with what separates it from its neighbours; the last of a row has no blanks behind. */
static int table_put(const struct column *column, const char *text, enum tint tint, size_t width,
		     bool last, const struct term *term, FILE *out)
{
	_cleanup_free_ char *shown =
		text_cut(text, MAX_OF(width, 1U), column->cut == CUT_START, term->unicode);
	int blanks;

	if (!shown)
		return -ENOMEM;
	blanks = (int)(width - MIN_OF(width, text_columns(shown)));
	fprintf(out, "%*s%s%s%s", column->right ? blanks : 0, "", term_begin(term, tint), shown,
		term_end(term, tint));
	if (last)
		fputc('\n', out);
	else
		fprintf(out, "%*s", (int)GAP + (column->right ? 0 : blanks), "");
	return 0;
}

/* A row of n_columns cells, or with cells NULL the header. */
static int table_put_row(const struct table *table, const struct cell *cells, const size_t *widths,
			 const struct term *term, FILE *out)
{
	size_t last = table->n_columns - 1;

	while (last > 0 && widths[last] == 0)
		last--;
	for (size_t i = 0; i <= last; i++) {
		const struct column *column = &table->columns[i];
		int r;

		if (widths[i] == 0)
			continue;
		r = table_put(column, cells ? cells[i].text : column->title,
			      cells ? cells[i].tint : TINT_HEADER, widths[i], i == last, term, out);
		if (r < 0)
			return r;
	}
	return 0;
}

int table_print(const struct table *table, const struct term *term, FILE *out)
{
	size_t n = table->n_columns;
	_cleanup_free_ size_t *widths = calloc(n, sizeof(*widths));
	int r = table->error;

	if (!widths)
		return -ENOMEM;
	table_measure(table, widths);
	if (term->tty)
		table_fit(table, term->columns, widths);
	if (r == 0 && table->columns[0].title)
		r = table_put_row(table, NULL, widths, term, out);
	for (size_t i = 0; r == 0 && i + n <= table->n_cells; i += n)
		r = table_put_row(table, &table->cells[i], widths, term, out);
	return r;
}
