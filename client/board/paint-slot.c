/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One slot: a tile, or a row where there are many. */

#include "client/board/paint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/board/words.h"
#include "client/output/text.h"
#include "client/output/when.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define INDENT       2U
#define PERCENT_SIZE 8U /* "100 %" and a NUL */
#define RATE_SIZE    24U
#define RANGE_FROM   60U /* columns of the screen; narrower ones do not tell what is scrolled away */
#define THICK_FROM   8U  /* lines of a tile; in smaller ones the bar has one */

/* ---- texts; each is empty where nothing is known ---- */

static const char *text_percent(const struct board_tile *tile, char buf[PERCENT_SIZE])
{
	unsigned int percent;

	buf[0] = '\0';
	if (board_has_percent(tile, &percent))
		(void)snprintf(buf, PERCENT_SIZE, "%3u %%", MIN_OF(percent, 100U));
	return buf;
}

static const char *text_rate(const struct board_tile *tile, char buf[RATE_SIZE])
{
	char bytes[16];

	buf[0] = '\0';
	if (tile->face == FACE_ACTIVE && tile->job && tile->job->progress.rate)
		(void)snprintf(buf, RATE_SIZE, "%s/s",
			       format_bytes(tile->job->progress.rate, bytes));
	return buf;
}

static const char *text_left(const struct board_tile *tile, char buf[WHEN_TEXT_SIZE])
{
	buf[0] = '\0';
	if (tile->face == FACE_ACTIVE && tile->job && tile->job->progress.eta >= 0 &&
	    tile->job->progress.total > 0)
		(void)when_clock(tile->job->progress.eta, buf);
	return buf;
}

static const char *text_chip(const struct board_tile *tile)
{
	if (tile->present && tile->port->chip)
		return tile->port->chip;
	return tile->job && tile->job->chip ? tile->job->chip : "";
}

/* "at 14:12 in 12 s" for what has ended, or no more than "at 14:12". */
static char *text_ended(const struct board_tile *tile, bool whole)
{
	const struct board_job *job = tile->job;
	char when[WHEN_TEXT_SIZE], span[WHEN_TEXT_SIZE];

	if (!job || !job_state_is_final(job->state) || !job->finished)
		return NULL;
	when_of_day(job->finished, when);
	if (!whole || !job->started || job->started > job->finished)
		return str_format("at %.5s", when);
	return str_format("at %.5s in %s", when,
			  when_span((double)(job->finished - job->started) / USEC_PER_SEC, span));
}

/* ---- a tile ---- */

/* "> A1  4711 ------------------ > reading" */
static void paint_title(struct canvas *canvas, struct rect rect, const struct board_tile *tile,
			bool selected)
{
	enum tint tint = board_words_tint(tile->face);
	const char *mark = board_words_mark(tile->face, canvas->unicode);
	const char *state = board_words_state(tile);
	struct style name = { .tint = TINT_HEADER, .reverse = selected, .at_start = true };
	unsigned int right = rect.x + rect.columns - (unsigned int)strlen(state) - 2;
	unsigned int x = rect.x + INDENT;
	char who[BOARD_WORDS_SIZE];

	if (selected)
		(void)canvas_put(canvas, rect.y, rect.x, 1, STYLE(TINT_HEADER),
				 canvas->unicode ? "▸" : ">");
	x += canvas_put(canvas, rect.y, x, right - x - 2, name, tile->slot) + 2;
	board_words_who(tile, who);
	if (*who && x + 4 < right)
		x += canvas_put(canvas, rect.y, x, right - x - 2, STYLE(TINT_NONE), who) + 1;
	else
		x--;
	if (x + 1 < right)
		canvas_fill(canvas, rect.y, x, right - x - 1, STYLE(TINT_FAINT), "─", "-");
	(void)canvas_put(canvas, rect.y, right, 1, STYLE(tint), mark);
	(void)canvas_put(canvas, rect.y, right + 2, (unsigned int)strlen(state), STYLE(tint),
			 state);
}

/* What a tint is for words that are read, not only seen: the plain colour unless it matters. */
static enum tint action_tint(enum board_face face)
{
	return face == FACE_ACTIVE ? TINT_NONE : board_words_tint(face);
}

static void paint_action(struct canvas *canvas, struct rect rect, const struct board_tile *tile)
{
	char action[BOARD_WORDS_SIZE];

	(void)canvas_put(canvas, rect.y + 1, rect.x + INDENT, rect.columns - INDENT,
			 STYLE(action_tint(tile->face)), board_words_action(tile, action));
}

/* The bar, as thick as the rectangle, with tail behind it. */
static void paint_bar_line(struct canvas *canvas, struct rect rect, const struct board_tile *tile,
			   const char *tail)
{
	unsigned int percent, columns = rect.columns - INDENT - (unsigned int)strlen(tail);

	if (!board_has_percent(tile, &percent))
		return;
	for (unsigned int y = rect.y; y < rect.y + rect.lines; y++)
		board_paint_bar(canvas, y, rect.x + INDENT, columns, board_words_tint(tile->face),
				percent);
	(void)canvas_put(canvas, rect.y, rect.x + INDENT + columns, (unsigned int)strlen(tail),
			 STYLE(TINT_NONE), tail);
}

/* A fact behind those that stand there already. */
static unsigned int paint_fact(struct canvas *canvas, struct rect rect, unsigned int x,
			       const char *text, const char *unit)
{
	unsigned int end = rect.x + rect.columns;

	if (!text || !*text || x + strlen(text) + strlen(unit) > end)
		return x;
	x += canvas_put(canvas, rect.y, x, end - x, STYLE(TINT_NONE), text);
	x += canvas_put(canvas, rect.y, x, end - x, STYLE(TINT_NONE), unit);
	return x + 3;
}

static void paint_facts(struct canvas *canvas, struct rect rect, const struct board_tile *tile)
{
	_cleanup_free_ char *ended = text_ended(tile, true), *at = text_ended(tile, false);
	char rate[RATE_SIZE], left[WHEN_TEXT_SIZE], bytes[16] = "";
	unsigned int x = rect.x + INDENT, before;

	if (tile->face == FACE_DONE && tile->job->bytes)
		(void)format_bytes(tile->job->bytes, bytes);
	x = paint_fact(canvas, rect, x, text_chip(tile), "");
	x = paint_fact(canvas, rect, x, text_rate(tile, rate), "");
	x = paint_fact(canvas, rect, x, text_left(tile, left), " left");
	x = paint_fact(canvas, rect, x, bytes, "");
	before = x;
	x = paint_fact(canvas, rect, x, ended, "");
	if (x == before)
		(void)paint_fact(canvas, rect, x, at, "");
}

/* The lines that only a large tile has: why it failed, or which watch it is. */
static void paint_more(struct canvas *canvas, struct rect rect, const struct board_tile *tile)
{
	struct rect more = { rect.y, rect.x + INDENT, rect.lines, rect.columns - INDENT };
	const char *meid = tile->present && tile->port->meid ? tile->port->meid
			   : tile->job                       ? tile->job->meid
							     : NULL;
	unsigned int used;

	if (tile->failure && tile->failure->message) {
		(void)canvas_wrap(canvas, more, 0, STYLE(TINT_NONE), tile->failure->message);
		return;
	}
	if (!tile->job)
		return;
	used = canvas_putf(canvas, more.y, more.x, more.columns, STYLE(TINT_FAINT),
			   "job %" PRId64 "%s", tile->job->id, meid ? "   ME " : "");
	/* Watches of one kind differ at the end. */
	if (meid && used < more.columns)
		(void)canvas_put(canvas, more.y, more.x + used, more.columns - used,
				 (struct style){ .tint = TINT_FAINT, .at_start = true }, meid);
}

void board_paint_tile(struct canvas *canvas, struct rect rect, const struct board_tile *tile,
		      bool selected)
{
	char percent[PERCENT_SIZE], left[WHEN_TEXT_SIZE], tail[PERCENT_SIZE + WHEN_TEXT_SIZE + 8];
	struct rect bar = rect, facts = rect, more = rect;
	bool small = rect.lines == TILE_LINES_MIN;

	bar.y += 2;
	bar.lines = rect.lines >= THICK_FROM ? 2 : 1;
	facts.y = bar.y + bar.lines;
	more.y = facts.y + 1;
	more.lines = rect.y + rect.lines - MIN_OF(more.y, rect.y + rect.lines);
	paint_title(canvas, rect, tile, selected);
	paint_action(canvas, rect, tile);
	text_left(tile, left);
	/* The smallest tile has no other line for the time left. */
	(void)snprintf(tail, sizeof(tail), "  %s%s%s%s", text_percent(tile, percent),
		       small && *left ? "  " : "", small ? left : "",
		       small && *left ? " left" : "");
	paint_bar_line(canvas, bar, tile, tail);
	if (!small)
		paint_facts(canvas, facts, tile);
	if (more.lines > 0)
		paint_more(canvas, more, tile);
}

/* ---- a row ---- */

enum row_column {
	ROW_SLOT,
	ROW_STATE,
	ROW_BAR,
	ROW_PERCENT,
	ROW_RATE,
	ROW_LEFT,
	ROW_TICKET,
	ROW_CHIP,
	ROW_ACTION, /* takes the rest */
	_ROW_MAX,
};

static const struct {
	const char *title;
	unsigned int columns;
	unsigned int from; /* columns of the screen below which it is left out */
} row_columns[_ROW_MAX] = {
	[ROW_SLOT] = { "SLOT", 10, 0 },      [ROW_STATE] = { "STATE", 11, 0 },
	[ROW_BAR] = { "", 14, 112 },         [ROW_PERCENT] = { "DONE", 5, 44 },
	[ROW_RATE] = { "RATE", 11, 100 },    [ROW_LEFT] = { "LEFT", 5, 56 },
	[ROW_TICKET] = { "TICKET", 11, 70 }, [ROW_CHIP] = { "CHIP", 8, 132 },
	[ROW_ACTION] = { "NEXT", 0, 36 },
};

/* Where the column stands; false when it is left out. */
static bool row_place(struct rect row, enum row_column column, struct rect *ret)
{
	unsigned int x = row.x + INDENT;

	if (row.columns < row_columns[column].from)
		return false;
	for (int i = 0; i < (int)column; i++)
		if (row.columns >= row_columns[i].from)
			x += row_columns[i].columns + 1;
	if (x >= row.x + row.columns)
		return false;
	*ret = row;
	ret->x = x;
	ret->columns = column == ROW_ACTION
			       ? row.x + row.columns - x
			       : MIN_OF(row_columns[column].columns, row.x + row.columns - x);
	return true;
}

void board_paint_titles(struct canvas *canvas, struct rect rect, const struct board_layout *layout)
{
	_cleanup_free_ char *range = NULL;
	struct rect place;

	for (int i = 0; i < _ROW_MAX; i++)
		if (row_place(rect, (enum row_column)i, &place))
			(void)canvas_put(canvas, place.y, place.x, place.columns, STYLE(TINT_FAINT),
					 row_columns[i].title);
	if (layout->visible == layout->n || rect.columns < RANGE_FROM)
		return;
	range = str_format("%zu-%zu of %zu", layout->first + 1, layout->first + layout->visible,
			   layout->n);
	if (range)
		(void)canvas_put(canvas, rect.y,
				 rect.x + rect.columns - (unsigned int)strlen(range) - 1,
				 (unsigned int)strlen(range), STYLE(TINT_HEADER), range);
}

static void paint_cell(struct canvas *canvas, struct rect row, enum row_column column,
		       struct style style, const char *text)
{
	struct rect place;

	if (row_place(row, column, &place))
		(void)canvas_put(canvas, place.y, place.x, place.columns, style, text);
}

void board_paint_row(struct canvas *canvas, struct rect rect, const struct board_tile *tile,
		     bool selected)
{
	enum tint tint = board_words_tint(tile->face);
	char state[32], words[BOARD_WORDS_SIZE], percent[PERCENT_SIZE], rate[RATE_SIZE];
	char left[WHEN_TEXT_SIZE];
	struct rect place;
	unsigned int done;

	if (selected)
		(void)canvas_put(canvas, rect.y, rect.x, 1, STYLE(TINT_HEADER),
				 canvas->unicode ? "▸" : ">");
	(void)snprintf(state, sizeof(state), "%s %s", board_words_mark(tile->face, canvas->unicode),
		       board_words_state(tile));
	paint_cell(canvas, rect, ROW_SLOT,
		   (struct style){ .tint = TINT_HEADER, .reverse = selected, .at_start = true },
		   tile->slot);
	paint_cell(canvas, rect, ROW_STATE, STYLE(tint), state);
	if (board_has_percent(tile, &done) && row_place(rect, ROW_BAR, &place))
		board_paint_bar(canvas, place.y, place.x, place.columns, tint, done);
	paint_cell(canvas, rect, ROW_PERCENT, STYLE(TINT_NONE), text_percent(tile, percent));
	paint_cell(canvas, rect, ROW_RATE, STYLE(TINT_NONE), text_rate(tile, rate));
	paint_cell(canvas, rect, ROW_LEFT, STYLE(TINT_NONE), text_left(tile, left));
	paint_cell(canvas, rect, ROW_TICKET, STYLE(TINT_NONE), board_words_who(tile, words));
	paint_cell(canvas, rect, ROW_CHIP, STYLE(TINT_NONE), text_chip(tile));
	paint_cell(canvas, rect, ROW_ACTION, STYLE(action_tint(tile->face)),
		   board_words_bare_action(tile, words));
}
