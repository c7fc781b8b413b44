/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the board knows: slots, jobs and the totals of the day, put together from what the daemon
 * tells in whatever order, and folded into one tile for each slot. Nothing here waits or draws.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"
#include "protocol/control/port.h"

/* How long an empty slot tells that its last watch is done. */
#define BOARD_LINGER_SECONDS 600

struct board_model;

enum board_bell {
	BOARD_BELL_ENDED, /* done and failed */
	BOARD_BELL_FAILED,
	BOARD_BELL_NEVER,
};

/* What a slot looks like from across the room. */
enum board_face {
	FACE_EMPTY,
	FACE_EXCLUDED,
	FACE_EXPECTED, /* empty, and a job wants its watch here */
	FACE_IDLE,
	FACE_ACTIVE,
	FACE_WAITING,
	FACE_DONE,
	FACE_FAILED,
	FACE_CANCELLED,
	_FACE_MAX,
};

/* What of a job a tile shows. */
struct board_job {
	int64_t id;
	enum job_state state;
	int64_t priority;
	char *slot;   /* where it is or was, else where it wants to be; NULL: anywhere */
	char *ticket; /* what people call it: ticket, else customer; NULL: neither */
	char *chip;
	char *meid;
	char *backup;
	bool met;       /* it has begun with a watch */
	bool measured;  /* bytes are known */
	uint64_t bytes; /* of its backup */
	uint64_t started, finished;
	struct progress progress;
	struct failure failure;
	bool stale; /* unfinished when the daemon went away, not heard of since */
};

/* Everything is borrowed from the model until it is next changed. */
struct board_tile {
	const char *slot;
	enum board_face face;
	bool present;                /* a watch is there */
	bool listed;                 /* the daemon lists the slot */
	const struct port *port;     /* NULL: none */
	const struct board_job *job; /* what is shown, NULL: none */
	const struct board_job
		*next; /* queued for this slot, behind or instead of it; NULL: none */
	const struct failure *failure; /* of FACE_FAILED and FACE_WAITING, NULL: none */
};

struct board_totals {
	uint64_t done, failed, bytes; /* of the day */
	uint64_t queued, waiting, running;
	const struct board_job *next; /* of the queued ones that take any watch, NULL: none */
	const struct board_job *last_failed; /* of the day, NULL: none */
};

/* day: real time of the last local midnight. -ENOMEM. */
_must_check_ int board_model_new(uint64_t day, enum board_bell bell, struct board_model **ret);
void board_model_free(struct board_model *model);
DEFINE_CLEANUP(struct board_model *, board_model_free);

/*
 * The list of all slots in bench order: begin, each slot (port NULL: nobody is there), end. Slots
 * that are not named again are not listed any more. -ENOMEM.
 */
void board_model_begin_slots(struct board_model *model);
_must_check_ int board_model_add_slot(struct board_model *model, const char *name, bool excluded,
				      const struct port *port);

/* What Follow says of a port; one that left looks like one that is there, until the list is read. */
_must_check_ int board_model_set_port(struct board_model *model, const struct port *port);

/*
 * A job, live from Follow or out of a list. What is known live is newer than any list, so that both
 * may come in any order. Rings the bell for what ends before our eyes. -ENOMEM.
 */
_must_check_ int board_model_set_job(struct board_model *model, const struct job *job, bool live);

/* The daemon went away: of the jobs that have not ended we know nothing any more. */
void board_model_lost(struct board_model *model);

/* All that ended meanwhile is listed: what was not heard of again is forgotten. */
void board_model_settle(struct board_model *model);

/* Another day begins: what ended before is forgotten. */
void board_model_set_day(struct board_model *model, uint64_t day);

/* A backup of the day whose size is not known yet, NULL: none; and its size (0: it is gone). */
const char *board_model_unmeasured(const struct board_model *model);
void board_model_measure(struct board_model *model, const char *backup, uint64_t bytes);

/* All tiles in bench order; *ret is the caller's to free. -ENOMEM. */
_must_check_ int board_model_tiles(const struct board_model *model, uint64_t now,
				   struct board_tile **ret, size_t *ret_n);
struct board_totals board_model_totals(const struct board_model *model);

/* True once after something ended that the bell rings for. */
bool board_model_take_bell(struct board_model *model);
