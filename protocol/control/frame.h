/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * NUL-terminated messages on a stream socket (the varlink wire), with bounds on both directions.
 * Nothing here waits: poll frame_fd() and come back. Time is linear in the bytes that arrive,
 * however small the pieces.
 */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/cleanup.h"

#define FRAME_FDS_MAX 4U /* descriptors with one message */

struct frame;

/* Takes fd (also on failure). Limits are bytes of one message read and of all unsent output. */
_must_check_ int frame_new(int fd, size_t input_limit, size_t output_limit, struct frame **ret);
void frame_free(struct frame *frame);
DEFINE_CLEANUP(struct frame *, frame_free);

int frame_fd(const struct frame *frame);

/*
 * Receives once. 1: bytes came; 0: the peer has ended its side; -EAGAIN: nothing there; -EMSGSIZE:
 * the message that is arriving is over the limit, the stream is of no use any more; or an errno of
 * recvmsg. Call it only when frame_next has no message left.
 */
_must_check_ int frame_fill(struct frame *frame);

/*
 * Gives out the next whole message: 1 with NUL-terminated text inside the buffer (valid until the
 * next frame_fill) and its size without the NUL; 0: none is complete.
 */
_must_check_ int frame_next(struct frame *frame, char **ret_text, size_t *ret_size);

/* True when a message has begun to arrive and is not given out yet. */
bool frame_has_input(const struct frame *frame);

/*
 * A descriptor that travelled with the message last given out, by its place among them; the caller
 * owns it. -1: none, or taken already. FRAME_FDS_MAX a message are kept until the next frame_next,
 * any other is closed.
 */
int frame_take_fd(struct frame *frame, size_t index);

/* Queues one message. -ENOBUFS when it would pass the limit (nothing is queued), -ENOMEM. */
_must_check_ int frame_put(struct frame *frame, const char *text, size_t size);

/*
 * The same with 1 to FRAME_FDS_MAX descriptors, taken also on failure. -EBUSY while other ones are
 * unsent, -E2BIG for more.
 */
_must_check_ int frame_put_with_fds(struct frame *frame, const char *text, size_t size,
				    const int *fds, size_t n);

/* Sends what the socket takes. 0: all is sent; 1: some is left; -EPIPE and others: lost. */
_must_check_ int frame_flush(struct frame *frame);

/* Bytes not sent yet. */
size_t frame_pending(const struct frame *frame);
