/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/panel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/board/words.h"
#include "client/output/progress.h"
#include "client/output/when.h"
#include "protocol/base/strings.h"
#include "protocol/control/failure-words.h"

#define LABEL_COLUMNS 12U
#define ITEMS_MAX     96U /* a job has at most LIMIT_LABELS and LIMIT_RANGES, and a dozen facts */
#define LINES_MAX     512U

struct panel_item {
	const char *label; /* borrowed, it does not change; "": none */
	enum tint tint;
	char *text;
};

struct panel {
	struct panel_item items[ITEMS_MAX];
	size_t n;
	bool failed; /* there was no memory for an item */
};

void panel_free(struct panel *panel)
{
	if (!panel)
		return;
	for (size_t i = 0; i < panel->n; i++)
		free(panel->items[i].text);
	free(panel);
}

_printf_(4, 5) static void panel_add(struct panel *panel, const char *label, enum tint tint,
				     const char *format, ...)
{
	struct panel_item item = { .label = label, .tint = tint };
	va_list ap;

	if (panel->n == ITEMS_MAX)
		return;
	va_start(ap, format);
	if (vasprintf(&item.text, format, ap) < 0)
		panel->failed = true;
	else
		panel->items[panel->n++] = item;
	va_end(ap);
}

static void panel_add_known(struct panel *panel, const char *label, const char *text)
{
	if (text)
		panel_add(panel, label, TINT_NONE, "%s", text);
}

static void panel_add_time(struct panel *panel, const char *label, uint64_t when)
{
	char text[WHEN_TEXT_SIZE];

	if (when)
		panel_add(panel, label, TINT_NONE, "%s", when_local(when, text));
}

static int panel_finish(struct panel *panel, struct panel **ret)
{
	if (panel->failed) {
		panel_free(panel);
		return -ENOMEM;
	}
	*ret = panel;
	return 0;
}

/* ---- help ---- */

int panel_new_help(struct panel **ret)
{
	static const struct {
		const char *keys, *text;
	} help[] = {
		{ "arrows", "select a slot; PgUp, PgDn, Home and End too" },
		{ "Enter", "all about the selected slot and its job, with what to do about a "
			   "failure" },
		{ "r", "queue the failed or cancelled job of the selected slot again" },
		{ "c", "cancel the job of the selected slot, after a question" },
		{ "q", "end the board; jobs go on" },
		{ "", "" },
	};
	struct panel *panel = calloc(1, sizeof(*panel));

	if (!panel)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(help); i++)
		panel_add(panel, help[i].keys, TINT_NONE, "%s", help[i].text);
	for (int face = 0; face < _FACE_MAX; face++) {
		static const char *const meanings[_FACE_MAX] = {
			[FACE_EMPTY] = "nobody is there",
			[FACE_EXCLUDED] = "the slot is not used",
			[FACE_EXPECTED] = "empty, and a queued job wants its watch here",
			[FACE_IDLE] = "a watch is there and no job wants it",
			[FACE_ACTIVE] = "a watch is being read: leave it alone",
			[FACE_WAITING] = ("the watch left in the middle: its job goes on when it "
					  "is back, in any slot"),
			[FACE_DONE] = "its backup is there",
			[FACE_FAILED] = "it was not read; Enter tells why",
			[FACE_CANCELLED] = "somebody cancelled its job",
		};
		struct board_tile tile = { .face = (enum board_face)face };

		panel_add(panel, face == FACE_ACTIVE ? "reading" : board_words_state(&tile),
			  board_words_tint(tile.face), "%s  %s", board_words_mark(tile.face, true),
			  meanings[face]);
	}
	return panel_finish(panel, ret);
}

/* ---- a slot ---- */

static void panel_add_failure(struct panel *panel, const struct failure *failure)
{
	const struct failure_words *words = failure_words(failure->code);

	panel_add(panel, "failure", TINT_BAD, "%s", failure_code_to_string(failure->code));
	if (words)
		panel_add(panel, "", TINT_NONE, "%s", words->meaning);
	panel_add_known(panel, "reason", failure->message);
	panel_add_known(panel, "what to do", failure->hint ?: words ? words->hint : NULL);
}

static void panel_add_port(struct panel *panel, const struct board_tile *tile)
{
	const struct port *port = tile->port;

	if (!port)
		return;
	panel_add(panel, "port", TINT_NONE, "%s (%s), %s", port->device, port->mode,
		  tile->present ? port_state_to_string(port->state) : "its watch is away");
	if (!tile->job) {
		panel_add_known(panel, "chip", port->chip);
		panel_add_known(panel, "ME ID", port->meid);
	}
}

static void panel_add_job(struct panel *panel, const struct job *job)
{
	_cleanup_free_ char *progress = progress_text(&job->progress);
	char bytes[16];

	panel_add(panel, "job", TINT_NONE, "%" PRId64 ", %s%s%s", job->id,
		  job_state_to_string(job->state), progress && *progress ? ": " : "",
		  progress ?: "");
	for (size_t i = 0; i < job->request.n_labels; i++)
		panel_add(panel, i == 0 ? "labels" : "", TINT_NONE, "%s=%s",
			  job->request.labels[i].key, job->request.labels[i].value);
	panel_add_known(panel, "chip", job->port.chip ?: job->request.chip);
	panel_add_known(panel, "ME ID", job->port.meid ?: job->request.meid);
	for (size_t i = 0; i < job->request.n_ranges; i++) {
		const struct range *range = &job->request.ranges[i];

		panel_add(panel, i == 0 ? "reads" : "", TINT_NONE, "%s from 0x%" PRIx64 ", %s",
			  range->name ?: "ROM_0", range->start,
			  range->length == RANGE_AUTO ? "to the end"
						      : format_bytes(range->length, bytes));
	}
	panel_add_known(panel, "backup", job->backup);
	panel_add_time(panel, "created", job->created);
	panel_add_time(panel, "started", job->started);
	panel_add_time(panel, "finished", job->finished);
	if (job->attempts > 1)
		panel_add(panel, "attempts", TINT_NONE, "%" PRId64, job->attempts);
}

int panel_new_slot(const struct board_tile *tile, const struct job *job, struct panel **ret)
{
	struct panel *panel = calloc(1, sizeof(*panel));
	char action[BOARD_WORDS_SIZE], ticket[BOARD_WORDS_SIZE];
	const struct failure *failure = tile->failure;

	if (!panel)
		return -ENOMEM;
	panel_add(panel, "slot", TINT_HEADER, "%s", tile->slot);
	panel_add(panel, "state", board_words_tint(tile->face), "%s", board_words_state(tile));
	panel_add(panel, "next", TINT_NONE, "%s", board_words_bare_action(tile, action));
	/* The one that came with the job is newer than the tile where the two differ. */
	if (job && job->failure.code != FAILURE_NONE)
		failure = &job->failure;
	if (failure)
		panel_add_failure(panel, failure);
	panel_add_port(panel, tile);
	if (job)
		panel_add_job(panel, job);
	if (tile->next && tile->next != tile->job)
		panel_add(panel, "then", TINT_NONE, "job %" PRId64 ", %s", tile->next->id,
			  board_words_ticket(tile->next, ticket));
	return panel_finish(panel, ret);
}

/* ---- painting ---- */

/* Every item on a canvas that is as long as it takes; returns the lines used. */
static unsigned int panel_draw(const struct panel *panel, struct canvas *canvas)
{
	unsigned int y = 0;

	for (size_t i = 0; i < panel->n && y < canvas->lines; i++) {
		const struct panel_item *item = &panel->items[i];
		struct rect text = { y, LABEL_COLUMNS + 2, canvas->lines - y, 0 };

		text.columns = canvas->columns > text.x + 1 ? canvas->columns - text.x - 1 : 1;
		(void)canvas_put(canvas, y, 2, LABEL_COLUMNS - 1, STYLE(TINT_FAINT), item->label);
		y += MAX_OF(canvas_wrap(canvas, text, 0, STYLE(item->tint), item->text), 1U);
	}
	return y;
}

void panel_paint(const struct panel *panel, struct canvas *canvas, struct rect rect, size_t *skip)
{
	_cleanup_(canvas_freep) struct canvas *whole = NULL;
	unsigned int used;

	if (canvas_new(LINES_MAX, rect.columns, canvas->unicode, &whole) < 0)
		return;
	used = panel_draw(panel, whole);
	*skip = MIN_OF(*skip, (size_t)(used > rect.lines ? used - rect.lines : 0));
	for (unsigned int y = 0; y < rect.lines && y + *skip < used; y++)
		memcpy(&canvas->cells[(size_t)(rect.y + y) * canvas->columns + rect.x],
		       canvas_at(whole, (unsigned int)(y + *skip), 0),
		       rect.columns * sizeof(*canvas->cells));
	if (used > *skip + rect.lines && rect.lines > 0)
		(void)canvas_put(canvas, rect.y + rect.lines - 1, rect.x + rect.columns - 8, 8,
				 (struct style){ .tint = TINT_HEADER, .reverse = true }, " more ");
}
