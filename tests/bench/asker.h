/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A small blocking client, so that what is measured is the daemon. What does not work ends the program. */

#include "protocol/control/frame.h"

struct varlink_reply;

/* A connection to a daemon's socket, to be freed with frame_free. */
struct frame *asker_connect(const char *socket);

/* Sends a whole message (JSON without its NUL). */
void asker_send(struct frame *frame, const char *message);

/* The next answer, which is no error; the caller clears it. */
void asker_next(struct frame *frame, struct varlink_reply *ret);

/* The same for an answer that is of no interest. */
void asker_skip(struct frame *frame);
