/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The conversation with the watch at one port: open it, synchronise, learn what it is, get at its
 * flash through the boot ROM or through a download agent. Every error comes with a failure for people; -ECANCELED comes without one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/worker/agent.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"
#include "protocol/control/worker-message.h"
#include "protocol/device/brom-reader.h"
#include "protocol/device/brom.h"
#include "protocol/device/da-reader.h"
#include "protocol/device/transport.h"

struct session {
	struct transport *transport;
	struct brom *brom;
	struct brom_identity identity;
	char chip[16];                     /* "MT6261", or "0x1234" for an unknown one */
	char meid[2 * BROM_MEID_SIZE + 1]; /* empty: it has none to tell */
	struct reader *flash;              /* what reads it: one of the two below; NULL: none yet */
	struct brom_reader reader;         /* after session_show_flash */
	struct da_session *agent; /* after session_start_agent; the boot ROM is gone then */
	struct da_reader agent_reader;
};

/*
 * Opens the port and reads nothing from it. Zero-initialise *session before; close it whatever came
 * of it. stop_fd ends every wait.
 */
_must_check_ int session_open(struct session *session, const struct worker_open *open, int stop_fd,
			      struct failure *failure);

/* Synchronises with the watch at the open port and learns what it is. */
_must_check_ int session_greet(struct session *session, const struct worker_open *open,
			       struct failure *failure);

/* Refuses a watch that the request does not mean: FAILURE_WRONG_WATCH. */
_must_check_ int session_check_watch(const struct session *session, const struct worker_read *read,
				     struct failure *failure);

/* Refuses a chip that cannot be read, else opens the reader. */
_must_check_ int session_show_flash(struct session *session, struct failure *failure);

/* Refuses a chip whose download agents we cannot use, by name. */
_must_check_ int session_check_agent(const struct session *session, struct failure *failure);

/*
 * Brings the agent into the watch and reads through it from now on. fast: a UART's speed is raised
 * where the agent takes part; an error then leaves a watch that must be plugged in again.
 */
_must_check_ int session_start_agent(struct session *session, const struct agent *agent, bool fast,
				     void (*progress)(void *userdata, uint64_t done,
						      uint64_t total),
				     void *userdata, struct failure *failure);

/* Fills *failure with the code by which the agent refused last. Returns error. */
int session_explain_refusal(const struct session *session, int error, struct failure *failure);
#define SESSION_SECURITY_FIRST 6010U /* of the codes by which an agent refuses for security */
#define SESSION_SECURITY_LAST  6019U

/* The JEDEC id of the flash by the agent's report; false when there is none to tell. */
bool session_jedec(const struct session *session, uint8_t ret[DA_REPORT_JEDEC]);

/* Sees whether the watch is still there while nothing is asked of it. */
_must_check_ int session_look(struct session *session, struct failure *failure);

void session_close(struct session *session);

/* Borrowed; NULL when the watch has none. */
const char *session_meid(const struct session *session);

/* Fills *failure with what an error of the device means while doing something. Returns error. */
int session_explain(struct session *session, int error, const char *doing, struct failure *failure);

/* True when a refusal of the watch may come from its security settings. */
bool session_is_secured(const struct session *session);
