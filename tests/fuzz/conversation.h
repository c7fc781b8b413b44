/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * All that the host says to a watch, from the handshake to the farewell, whatever it answers. The
 * same words make the seeds, against the virtual watch, and drive the targets.
 */

#include "protocol/device/transport.h"

#define CONVERSATION_BYTES 8192U /* of flash that are read */

/* What the agent must find for our table to fit. */
#define CONVERSATION_JEDEC       \
	{                        \
		0xC2, 0x25, 0x36 \
	}

/* By the boot ROM alone. Takes transport. */
void conversation_with_brom(struct transport *transport);

/* With a download agent. Takes transport. */
void conversation_with_agent(struct transport *transport);
