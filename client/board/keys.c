/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "client/board/screen.h"
#include "client/board/words.h"
#include "protocol/base/strings.h"

#define KEY_REPAINT ('L' & 0x1f) /* as in every full-screen program */

static void board_order(struct board *board, enum ask order, int64_t job)
{
	board->order = order;
	board->order_job = job;
	/* A person does not wait for what is only in the way of the next list. */
	board->pause_at = 0;
}

static void press_retry(struct board *board)
{
	const struct board_tile *tile = board_selected(board);

	if (!tile)
		return;
	if (!tile->job || (tile->face != FACE_FAILED && tile->face != FACE_CANCELLED)) {
		board_say(board, TINT_WARN, "Nothing to retry in %s: no job failed there.",
			  tile->slot);
		return;
	}
	board_order(board, ASK_RETRY, tile->job->id);
	board_say(board, TINT_NONE, "Queueing job %" PRId64 " again...", tile->job->id);
}

static void press_cancel(struct board *board)
{
	const struct board_tile *tile = board_selected(board);

	if (!tile)
		return;
	if (!tile->job || job_state_is_final(tile->job->state)) {
		board_say(board, TINT_WARN, "Nothing to cancel in %s: no job is under way there.",
			  tile->slot);
		return;
	}
	board->confirm = tile->job->id;
}

static void press_confirm(struct board *board, int key)
{
	int64_t job = board->confirm;

	board->confirm = 0;
	if (key != 'y' && key != 'Y') {
		board_say(board, TINT_NONE, "Job %" PRId64 " goes on.", job);
		return;
	}
	board_order(board, ASK_CANCEL, job);
	board_say(board, TINT_NONE, "Cancelling job %" PRId64 "...", job);
}

static void select_slot(struct board *board, enum board_move move)
{
	size_t selected = board_layout_move(&board->layout, board->selected, move);

	if (selected < board->n_tiles &&
	    str_replace(&board->selected_slot, board->tiles[selected].slot) >= 0)
		board->selected = selected;
}

static void show(struct board *board, enum view view)
{
	const struct board_tile *tile = board_selected(board);

	if (view == VIEW_SLOT && !tile)
		return;
	board->view = view;
	board->skip = 0;
	if (view == VIEW_SLOT && tile->job)
		board->detail_due = tile->job->id;
}

/* Returns false for a key that moves nothing. */
static bool press_move(struct board *board, int key)
{
	static const enum board_move moves[] = {
		[BOARD_KEY_UP - BOARD_KEY_FIRST] = MOVE_UP,
		[BOARD_KEY_DOWN - BOARD_KEY_FIRST] = MOVE_DOWN,
		[BOARD_KEY_LEFT - BOARD_KEY_FIRST] = MOVE_LEFT,
		[BOARD_KEY_RIGHT - BOARD_KEY_FIRST] = MOVE_RIGHT,
		[BOARD_KEY_PAGE_UP - BOARD_KEY_FIRST] = MOVE_PAGE_UP,
		[BOARD_KEY_PAGE_DOWN - BOARD_KEY_FIRST] = MOVE_PAGE_DOWN,
		[BOARD_KEY_HOME - BOARD_KEY_FIRST] = MOVE_FIRST,
		[BOARD_KEY_END - BOARD_KEY_FIRST] = MOVE_LAST,
	};

	if (key < BOARD_KEY_FIRST || (size_t)(key - BOARD_KEY_FIRST) >= ARRAY_SIZE(moves))
		return false;
	select_slot(board, moves[key - BOARD_KEY_FIRST]);
	return true;
}

/* A panel scrolls; what is too far is put right when it is painted. */
static bool press_scroll(struct board *board, int key)
{
	size_t page = MAX_OF(board->layout.area.lines, 2U) - 1;

	switch (key) {
	case BOARD_KEY_UP:
		board->skip -= board->skip > 0;
		return true;
	case BOARD_KEY_DOWN:
		board->skip++;
		return true;
	case BOARD_KEY_PAGE_UP:
		board->skip -= MIN_OF(board->skip, page);
		return true;
	case BOARD_KEY_PAGE_DOWN:
	case ' ':
		board->skip += page;
		return true;
	case BOARD_KEY_ESCAPE:
	case BOARD_KEY_ENTER:
	case 'q':
		board->view = VIEW_SLOTS;
		return true;
	default:
		return false;
	}
}

void board_press(struct board *board, int key)
{
	board->dirty = true;
	if (board->confirm) {
		press_confirm(board, key);
		return;
	}
	if (board->view != VIEW_SLOTS ? press_scroll(board, key) : press_move(board, key))
		return;
	switch (key) {
	case 'q':
		board->over = true;
		break;
	case '?':
	case 'h':
		show(board, VIEW_HELP);
		break;
	case BOARD_KEY_ENTER:
		show(board, VIEW_SLOT);
		break;
	case 'r':
		press_retry(board);
		break;
	case 'c':
		press_cancel(board);
		break;
	case KEY_REPAINT:
		board_screen_repaint();
		break;
	default:
		break;
	}
}
