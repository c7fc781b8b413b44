/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the running board share: the loop, its questions (asking.c), its keys. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/board/layout.h"
#include "client/board/model.h"
#include "client/board/question.h"
#include "client/complaint.h"

struct client;
struct events;

/* What question is under way, or is to come. */
enum ask {
	ASK_NOTHING,
	ASK_SLOTS,
	ASK_JOBS,   /* a piece of those that ended today */
	ASK_JOB,    /* the one whose details are shown */
	ASK_BACKUP, /* for its size */
	ASK_STATUS,
	ASK_RETRY,
	ASK_CANCEL,
};

enum view {
	VIEW_SLOTS,
	VIEW_SLOT, /* the selected one in full */
	VIEW_HELP,
};

struct board {
	struct client *client;
	struct board_model *model;
	struct events *events;
	struct question *question;
	int signal_fd;
	bool has_keys;    /* stdin is a terminal */
	bool dirty;       /* the screen shows something old */
	bool interrupted; /* by a signal */
	bool over;
	uint64_t drawn_at;     /* monotonic, like all that end in _at */
	uint64_t drawn_second; /* of real time */

	/* the daemon */
	uint64_t lost_since; /* real, 0: it is there */
	bool reaching;       /* it was called again and has not answered yet */
	uint64_t retry_at;
	bool more_events; /* some have arrived and are not taken yet: poll() does not know of them */
	char *trouble;    /* why it cannot be used, NULL: no trouble */

	/* questions */
	enum ask asked;
	uint64_t asked_at;
	uint64_t pause_at;  /* none before */
	uint64_t slots_at;  /* when the slots are to be asked for again */
	uint64_t status_at; /* likewise */
	bool knows_slots;   /* they were listed at least once */
	bool lists_jobs;    /* the jobs of the day are not complete yet */
	int64_t jobs_before;
	char *backup;   /* whose size is asked */
	enum ask order; /* ASK_RETRY or ASK_CANCEL, by the user */
	int64_t order_job;
	bool has_free;
	uint64_t free; /* bytes */
	uint64_t day;  /* real: the last local midnight */

	/* what is on the screen; the tiles borrow from the model and do not survive its changes */
	struct board_tile *tiles;
	size_t n_tiles;
	struct board_layout layout;
	char *selected_slot; /* NULL: the first */
	size_t selected;
	enum view view;
	size_t skip;        /* lines of the panel that are scrolled away */
	struct job detail;  /* id 0: none */
	int64_t detail_due; /* to be asked for, 0: none */
	int64_t confirm;    /* the job whose cancelling is to be confirmed, 0: none */
	char *message;      /* for a moment, NULL: none */
	enum tint message_tint;
	uint64_t message_until_at;
};

/* ---- the loop (board.c) ---- */

/* Says something for a few seconds. */
_printf_(3, 4) void board_say(struct board *board, enum tint tint, const char *format, ...);

/* The selected tile, NULL when there is none. */
const struct board_tile *board_selected(const struct board *board);

/* False while the daemon is away and is not being called again. */
bool board_is_connected(const struct board *board);

/* The daemon went away, or could not be reached; and it has answered. */
void board_lost(struct board *board, const struct complaint *complaint);
void board_reached(struct board *board);

/* Everything is to be asked again: the daemon is new, or the day is. */
void board_ask_all(struct board *board);

/* ---- questions (asking.c) ---- */

/* Asks what is most wanted, unless an answer is still to come. */
void board_ask(struct board *board);

/* Takes what was answered, if it was. */
void board_take_answer(struct board *board);

/* ---- keys (keys.c) ---- */

void board_press(struct board *board, int key);
