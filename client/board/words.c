/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/board/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/output/text.h"
#include "protocol/base/strings.h"

static const struct {
	const char *state;
	const char *unicode, *ascii; /* marks */
	enum tint tint;
} faces[_FACE_MAX] = {
	[FACE_EMPTY] = { "empty", "○", ".", TINT_FAINT },
	[FACE_EXCLUDED] = { "excluded", "×", "x", TINT_FAINT },
	[FACE_EXPECTED] = { "expected", "◌", "_", TINT_WARN },
	[FACE_IDLE] = { "idle", "●", "o", TINT_NONE },
	[FACE_ACTIVE] = { "starting", "▶", ">", TINT_ACTIVE },
	[FACE_WAITING] = { "waiting", "◆", "?", TINT_WARN },
	[FACE_DONE] = { "done", "✔", "+", TINT_GOOD },
	[FACE_FAILED] = { "failed", "✖", "!", TINT_BAD },
	[FACE_CANCELLED] = { "cancelled", "■", "-", TINT_NONE },
};

static const struct {
	const char *state;
	const char *action;
} phases[_PHASE_MAX] = {
	[PHASE_NONE] = { "starting", "starting, leave it" },
	[PHASE_HANDSHAKE] = { "greeting", "waking it up, leave it" },
	[PHASE_IDENTIFY] = { "asking", "asking what it is, leave it" },
	[PHASE_UPLOAD] = { "preparing", "preparing, leave it" },
	[PHASE_READ] = { "reading", "reading, leave it" },
	[PHASE_VERIFY] = { "verifying", "reading it again, leave it" },
	[PHASE_REBUILD] = { "filing", "almost done, leave it" },
	[PHASE_PUBLISH] = { "filing", "almost done, leave it" },
};

/* After "failed: "; the whole hint does not fit into a tile. */
static const char *const remedies[_FAILURE_MAX] = {
	[FAILURE_NONE] = "Enter tells why",
	[FAILURE_HANDSHAKE_TIMEOUT] = "switch it off, plug in again",
	[FAILURE_DEVICE_LOST] = "other cable, then r to retry",
	[FAILURE_PROTOCOL_ERROR] = "other cable or slot, then r",
	[FAILURE_UNSUPPORTED_CHIP] = "cannot be read, take it out",
	[FAILURE_SECURE_BOOT] = "locked by its maker, see Enter",
	[FAILURE_DA_REJECTED] = "needs another agent, see Enter",
	[FAILURE_DA_MISSING] = "needs an agent, see Enter",
	[FAILURE_READ_FAILED] = "other cable, then r to retry",
	[FAILURE_VERIFY_MISMATCH] = "other cable, then r to retry",
	[FAILURE_SIZE_MISMATCH] = "size not certain, see Enter",
	[FAILURE_NO_SPACE] = "make room on the disk, then r",
	[FAILURE_ARCHIVE_ERROR] = "look at the disk, then r",
	[FAILURE_WORKER_CRASHED] = "r to retry",
	[FAILURE_TIMEOUT] = "took too long, r to retry",
	[FAILURE_CANCELLED] = "r to retry",
	[FAILURE_PORT_BUSY] = "another program has the port",
	[FAILURE_WRONG_WATCH] = "plug in the right watch",
	[FAILURE_SCATTER_MISMATCH] = "wrong scatter file, see Enter",
};

static bool is_identifying(const struct board_tile *tile)
{
	return tile->face == FACE_ACTIVE && !tile->job;
}

const char *board_words_state(const struct board_tile *tile)
{
	if (is_identifying(tile))
		return phases[PHASE_IDENTIFY].state;
	if (tile->face == FACE_ACTIVE)
		return phases[tile->job->progress.phase].state;
	return faces[tile->face].state;
}

const char *board_words_mark(enum board_face face, bool unicode)
{
	return unicode ? faces[face].unicode : faces[face].ascii;
}

enum tint board_words_tint(enum board_face face)
{
	return faces[face].tint;
}

/* What is to be plugged in for a job. */
static const char *words_watch(const struct board_job *job, char buf[BOARD_WORDS_SIZE])
{
	char who[BOARD_WORDS_SIZE];

	board_words_ticket(job, who);
	(void)snprintf(buf, BOARD_WORDS_SIZE, "%s%.*s",
		       job->ticket || job->meid ? "" : "a watch for ", (int)LIMIT_LABEL_BYTES, who);
	return buf;
}

/* The job in hand is over; is somebody named who comes next? */
static const char *action_after(const struct board_tile *tile, const char *now, const char *then,
				char buf[BOARD_WORDS_SIZE])
{
	char watch[BOARD_WORDS_SIZE];

	if (tile->next)
		(void)snprintf(buf, BOARD_WORDS_SIZE, "%s%s%.*s", now,
			       tile->present ? ", then plug in " : "plug in ",
			       (int)LIMIT_LABEL_BYTES, words_watch(tile->next, watch));
	else
		(void)snprintf(buf, BOARD_WORDS_SIZE, "%s%s", now, tile->present ? "" : then);
	return buf;
}

static const char *action_expected(const struct board_tile *tile, char buf[BOARD_WORDS_SIZE])
{
	char watch[BOARD_WORDS_SIZE];

	(void)snprintf(buf, BOARD_WORDS_SIZE, tile->job->met ? "plug %.*s back in" : "plug in %.*s",
		       (int)LIMIT_LABEL_BYTES, words_watch(tile->job, watch));
	return buf;
}

static const char *action_waiting(const struct board_tile *tile)
{
	if (tile->failure && tile->failure->code == FAILURE_WRONG_WATCH)
		return "wrong watch: plug the right one in";
	return "waiting: plug the same watch back in";
}

const char *board_words_action(const struct board_tile *tile, char buf[BOARD_WORDS_SIZE])
{
	switch (tile->face) {
	case FACE_EMPTY:
		return "plug in a watch";
	case FACE_EXCLUDED:
		return "not used";
	case FACE_EXPECTED:
		return action_expected(tile, buf);
	case FACE_IDLE:
		return tile->next ? "its job comes next, leave it" : "nothing is queued for it";
	case FACE_ACTIVE:
		return is_identifying(tile) ? phases[PHASE_IDENTIFY].action
					    : phases[tile->job->progress.phase].action;
	case FACE_WAITING:
		return action_waiting(tile);
	case FACE_DONE:
		return tile->present ? action_after(tile, "done: unplug it", "", buf)
				     : action_after(tile, "done: ", "plug in the next watch", buf);
	case FACE_FAILED:
		(void)snprintf(buf, BOARD_WORDS_SIZE, "failed: %s",
			       remedies[tile->failure ? tile->failure->code : FAILURE_NONE]);
		return buf;
	case FACE_CANCELLED:
		return "cancelled: unplug it, or r to retry";
	default:
		return "";
	}
}

const char *board_words_bare_action(const struct board_tile *tile, char buf[BOARD_WORDS_SIZE])
{
	const char *action = board_words_action(tile, buf);
	const char *bare = strafter(action, board_words_state(tile));

	return bare && strafter(bare, ": ") ? bare + 2 : action;
}

const char *board_words_ticket(const struct board_job *job, char buf[BOARD_WORDS_SIZE])
{
	if (job->ticket)
		(void)snprintf(buf, BOARD_WORDS_SIZE, "%s", job->ticket);
	else if (job->meid)
		(void)snprintf(buf, BOARD_WORDS_SIZE, "ME %s", text_meid(job->meid));
	else
		(void)snprintf(buf, BOARD_WORDS_SIZE, "job %" PRId64, job->id);
	return buf;
}

const char *board_words_who(const struct board_tile *tile, char buf[BOARD_WORDS_SIZE])
{
	buf[0] = '\0';
	if (tile->job)
		return board_words_ticket(tile->job, buf);
	if (tile->present && tile->port->meid)
		(void)snprintf(buf, BOARD_WORDS_SIZE, "ME %s", text_meid(tile->port->meid));
	return buf;
}
