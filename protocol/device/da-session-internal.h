/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of a session share: its start, its reads, its change of speed. */

#include <stdbool.h>

#include "protocol/device/da-session.h"
#include "protocol/device/transport.h"

struct da_session {
	struct transport *transport; /* borrowed */
	enum da_stage stage;
	bool refused;    /* the last read, in full: the agent awaits a command */
	uint32_t code;   /* of the last -EREMOTEIO */
	char words[256]; /* about a start that failed, where there is more to say than its error */
	struct da_report report;
	uint64_t repeated;
	uint8_t packet[DA_SESSION_PACKET_MAX + 2];
};
