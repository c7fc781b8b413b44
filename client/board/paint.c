/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/paint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/board/words.h"
#include "client/output/progress.h"
#include "client/output/text.h"
#include "client/output/when.h"
#include "protocol/base/strings.h"

#define CLOCK_COLUMNS 8U
#define CLOCK_FROM    40U /* columns of the screen; narrower ones have no clock */

#define TOO_SMALL "Too small for the board: 20 columns and 5 lines at least."
#define NO_SLOTS                                                                              \
	"No slot is known yet. Plug in a watch that is switched off, name the slots of your " \
	"hub (mtkrbctl slot --help), or attach a UART adapter (mtkrbctl attach DEVICE)."

bool board_has_percent(const struct board_tile *tile, unsigned int *ret_percent)
{
	if (tile->face == FACE_DONE) {
		*ret_percent = 100;
		return true;
	}
	if (!tile->job || tile->face == FACE_EXPECTED || tile->job->progress.total == 0)
		return false;
	*ret_percent = progress_percent(&tile->job->progress);
	return true;
}

void board_paint_bar(struct canvas *canvas, unsigned int y, unsigned int x, unsigned int cells,
		     enum tint tint, unsigned int percent)
{
	unsigned int filled = cells * MIN_OF(percent, 100U) / 100;

	canvas_fill(canvas, y, x, filled, STYLE(tint), "█", "#");
	canvas_fill(canvas, y, x + filled, cells - filled, STYLE(TINT_FAINT), "░", "-");
}

/* ---- around the tiles ---- */

/* Parts of a line, as long as they have room; returns where the next one begins. */
static unsigned int paint_part(struct canvas *canvas, struct rect rect, unsigned int x,
			       enum tint tint, const char *text)
{
	if (!text || x + text_columns(text) > rect.x + rect.columns)
		return x;
	return x + canvas_put(canvas, rect.y, x, rect.columns, STYLE(tint), text);
}

static char *queue_text(const struct board_totals *totals)
{
	char ticket[BOARD_WORDS_SIZE];
	_cleanup_free_ char *next = NULL, *clean = NULL, *cut = NULL;

	if (totals->next)
		clean = text_clean(board_words_ticket(totals->next, ticket));
	cut = clean ? text_cut(clean, 16, false, false) : NULL;
	next = cut ? str_format(", next %s", cut) : strdup("");
	return next ? str_format("   Queue %" PRIu64 "%s", totals->queued, next) : NULL;
}

static void paint_header(struct canvas *canvas, struct rect rect, const struct board_view *view)
{
	const struct board_totals *totals = &view->totals;
	char bytes[16], clock[WHEN_TEXT_SIZE];
	_cleanup_free_ char *done = str_format("%" PRIu64 " done", totals->done);
	_cleanup_free_ char *failed = str_format("%" PRIu64 " failed", totals->failed);
	_cleanup_free_ char *size = str_format(", %s", format_bytes(totals->bytes, bytes));
	_cleanup_free_ char *queue = queue_text(totals);
	unsigned int x = rect.x + 1;

	if (rect.columns >= CLOCK_FROM) {
		rect.columns -= CLOCK_COLUMNS + 2;
		(void)canvas_put(canvas, rect.y, rect.x + rect.columns + 1, CLOCK_COLUMNS,
				 STYLE(TINT_NONE), when_of_day(view->now, clock));
	}
	x = paint_part(canvas, rect, x, TINT_HEADER, "Today ");
	x = paint_part(canvas, rect, x, totals->done ? TINT_GOOD : TINT_NONE, done);
	x = paint_part(canvas, rect, x, TINT_NONE, ", ");
	x = paint_part(canvas, rect, x, totals->failed ? TINT_BAD : TINT_NONE, failed);
	x = paint_part(canvas, rect, x, TINT_NONE, size);
	(void)paint_part(canvas, rect, x, TINT_NONE, queue);
}

/* "18:15 in A4, 4714: no answer" */
static char *failure_text(const struct board_job *job)
{
	char when[WHEN_TEXT_SIZE], ticket[BOARD_WORDS_SIZE];

	return str_format("%.5s in %s, %s: %s", when_of_day(job->finished, when),
			  job->slot ?: "no slot", board_words_ticket(job, ticket),
			  job->failure.message ?: "no reason given");
}

/* What to do has the last line for itself: it is worth more than the end of a long story. */
static void paint_failure(struct canvas *canvas, struct rect rect, const struct board_view *view)
{
	const struct board_job *job = view->totals.last_failed;
	_cleanup_free_ char *text = job ? failure_text(job) : NULL;
	struct rect hint;
	unsigned int indent, used;

	if (rect.lines == 0)
		return;
	rect.x++;
	rect.columns -= 2;
	if (!job) {
		(void)canvas_put(canvas, rect.y, rect.x, rect.columns, STYLE(TINT_FAINT),
				 "No failure today.");
		return;
	}
	if (job->failure.hint)
		rect.lines--;
	indent = canvas_put(canvas, rect.y, rect.x, rect.columns, STYLE(TINT_BAD), "Last failure ");
	used = text ? canvas_wrap(canvas, rect, indent, STYLE(TINT_NONE), text) : 0;
	if (!job->failure.hint)
		return;
	hint = (struct rect){ rect.y + used, rect.x, rect.lines + 1 - used, rect.columns };
	indent = canvas_put(canvas, hint.y, hint.x, hint.columns, STYLE(TINT_ACTIVE), "hint: ");
	(void)canvas_wrap(canvas, hint, indent, STYLE(TINT_NONE), job->failure.hint);
}

static void paint_keys(struct canvas *canvas, struct rect rect, const struct board_view *view)
{
	/* The longest that fits. */
	static const char *const keys[] = {
		" q quit  ? help  arrows select  Enter more  r retry  c cancel",
		" q quit  ? help  Enter more  r retry",
		" q quit  ? help",
	};
	char bytes[16];
	_cleanup_free_ char *room = NULL;
	unsigned int used;
	size_t i = 0;

	if (view->prompt) {
		(void)canvas_put(canvas, rect.y, rect.x + 1, rect.columns - 1,
				 (struct style){ .tint = TINT_HEADER, .reverse = true },
				 view->prompt);
		return;
	}
	while (i + 1 < ARRAY_SIZE(keys) && strlen(keys[i]) > rect.columns)
		i++;
	used = canvas_put(canvas, rect.y, rect.x, rect.columns, STYLE(TINT_FAINT), keys[i]);
	if (view->has_free)
		room = str_format("%s free", format_bytes(view->free, bytes));
	if (room && used + strlen(room) + 2 <= rect.columns)
		(void)canvas_put(canvas, rect.y,
				 rect.x + rect.columns - 1 - (unsigned int)strlen(room),
				 rect.columns, STYLE(TINT_NONE), room);
}

void board_paint_frame(struct canvas *canvas, const struct board_layout *layout,
		       const struct board_view *view)
{
	paint_header(canvas, layout->header, view);
	if (view->notice)
		(void)canvas_put(canvas, layout->notice.y, layout->notice.x + 1,
				 layout->notice.columns - 1, STYLE(view->notice_tint),
				 view->notice);
	paint_failure(canvas, layout->failure, view);
	paint_keys(canvas, layout->keys, view);
}

/* ---- the whole ---- */

static void paint_slots(struct canvas *canvas, const struct board_layout *layout,
			const struct board_view *view)
{
	struct rect rect;

	for (size_t i = layout->first; i < view->n && board_layout_place(layout, i, &rect); i++) {
		bool selected = i == view->selected;

		if (layout->form == BOARD_ROWS)
			board_paint_row(canvas, rect, &view->tiles[i], selected);
		else
			board_paint_tile(canvas, rect, &view->tiles[i], selected);
	}
}

void board_paint(struct canvas *canvas, const struct board_layout *layout,
		 const struct board_view *view)
{
	struct rect all = { .lines = canvas->lines, .columns = canvas->columns };
	struct rect inner = layout->area;

	if (layout->form == BOARD_TOO_SMALL) {
		(void)canvas_wrap(canvas, all, 0, STYLE(TINT_NONE), TOO_SMALL);
		return;
	}
	board_paint_frame(canvas, layout, view);
	if (layout->form == BOARD_ROWS)
		board_paint_titles(canvas, layout->titles, layout);
	if (view->n > 0) {
		paint_slots(canvas, layout, view);
		return;
	}
	inner.x += 2;
	inner.columns -= 4;
	(void)canvas_wrap(canvas, inner, 0, STYLE(TINT_NONE),
			  view->waits ? "Asking the daemon for its slots..." : NO_SLOTS);
}
