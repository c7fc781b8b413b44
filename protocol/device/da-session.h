/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A conversation with a download agent of the v3.2 family (MT6260, MT6261, MT2501, MT2502, MT2503):
 * bring it into the watch through the boot ROM, start it, read flash by its command D6, leave. The
 * start-up is that of a FlashTool capture; D6 and D2 are known from disassembly of two builds, from
 * MTreader and mtkclient, and from running both builds on an emulated core. Agents of other
 * families are recognised and refused.
 *
 * Errors beyond transport.h's: -EREMOTEIO the boot ROM or the agent refused (da_session_code),
 * -EOPNOTSUPP this chip or agent cannot be used, -EPROTONOSUPPORT what was started is no agent that
 * we speak to, -EBADMSG bytes arrived damaged however often they were sent, -EPROTO an answer that
 * cannot be. da_session_describe() has words for each.
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/device/brom.h"
#include "protocol/device/da-file.h"
#include "protocol/device/da-report.h"

#define DA_SESSION_PACKET_MIN 1024U /* MTreader's */
#define DA_SESSION_PACKET_MAX 4096U /* mtkclient's; no source uses a longer one on these chips */
#define DA_SESSION_TRIES      4U    /* of one packet */

/* How far the start came. */
enum da_stage {
	DA_STAGE_MAP,    /* showing the RAM */
	DA_STAGE_UPLOAD, /* the boot ROM takes the images */
	DA_STAGE_JUMP,   /* the boot ROM starts the first one */
	DA_STAGE_SYNC,   /* it says what it is */
	DA_STAGE_TABLE,  /* it looks for the flash in our table */
	DA_STAGE_REPORT, /* it tells what it found */
	DA_STAGE_READY,
};

/* What the watch does when we are gone. */
enum da_leave {
	DA_LEAVE_RUNNING, /* the agent waits for another host */
	DA_LEAVE_RESET,
	DA_LEAVE_OFF,
};

struct da_session_source {
	struct brom *brom; /* synchronised and identified; given up with the jump */
	const struct brom_identity *identity;
	const struct da_file *file;
	const struct da_entry *entry;
	/* Of all bytes of the agent; may be NULL. */
	void (*progress)(void *userdata, uint64_t done, uint64_t total);
	void *userdata;
};

struct da_session;

/* Why a chip's agents cannot be used at all, one sentence; NULL: they can. */
const char *da_session_refusal(const struct chip *chip);

/* Borrows transport. */
_must_check_ int da_session_new(struct transport *transport, struct da_session **ret);
void da_session_free(struct da_session *session);
DEFINE_CLEANUP(struct da_session *, da_session_free);

/* Uploads and starts the agent of source->entry. Everything in source is borrowed for the call. */
_must_check_ int da_session_start(struct da_session *session,
				  const struct da_session_source *source);

enum da_stage da_session_stage(const struct da_session *session);

/* What the agent told; all zero before DA_STAGE_READY. */
const struct da_report *da_session_report(const struct da_session *session);

/* The agent's code of the last -EREMOTEIO; before DA_STAGE_SYNC the boot ROM's status word. */
uint32_t da_session_code(const struct da_session *session);

/* One line about the last error, into buf; returns buf. */
const char *da_session_describe(const struct da_session *session, int error, char *buf,
				size_t size);

/*
 * Changes the speed of a UART (921600, 460800 or 230400) on both sides. -EOPNOTSUPP when the agent
 * does not want it, or the line does not carry it and the agent could be had back at 115200; then
 * all is as before. Any other error: the agent is lost.
 */
_must_check_ int da_session_set_speed(struct da_session *session, uint32_t baud);

/*
 * Reads size bytes at address of the NOR flash. A damaged packet is asked for again, up to
 * DA_SESSION_TRIES times in all. After any failure but -EREMOTEIO call da_session_resync before the
 * next command.
 */
_must_check_ int da_session_read(struct da_session *session, uint32_t address, void *data,
				 size_t size);

/* Packets that had to be sent again, so far. */
uint64_t da_session_repeated(const struct da_session *session);

/*
 * After a failure: brings the agent back to where it awaits a command, without ever sending a byte
 * that a listening agent could take for another command than a read of nothing. -EPROTO or
 * -ETIMEDOUT when that takes longer than 10 s, -EOVERFLOW when the watch streams for ever.
 */
_must_check_ int da_session_resync(struct da_session *session);

/* Ends the session. */
_must_check_ int da_session_finish(struct da_session *session, enum da_leave leave);
