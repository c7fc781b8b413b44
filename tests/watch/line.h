/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The line to the host: a pty of our own, a tty that exists, or USB into a virtual machine. Raw,
 * non-blocking, and as slow as it is told to be. A pty keeps its far end open here, so that hosts
 * may come and go.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/base/cleanup.h"

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_SEC  1000000000ULL

struct line_config {
	const char *tty;      /* borrowed; NULL: make a pty */
	const char *link;     /* borrowed; a symbolic link to the device, or NULL */
	const char *usbredir; /* borrowed; the socket of a machine to be plugged into, or NULL */
	uint64_t rate;        /* bytes per second to the host; 0: as fast as it goes */
};

struct line;

/* A line that is still down. -ENOMEM. */
_must_check_ int line_new(const struct line_config *config, struct line **ret);

/* Hangs up, removes the link. */
void line_free(struct line *line);
DEFINE_CLEANUP(struct line *, line_free);
#define _cleanup_line_ _cleanup_(line_freep)

/*
 * Opens or makes the device, and puts the link there in one step; on USB the device is that of a
 * preloader or of a boot ROM. -EEXIST when something that is no link is in its place; else the error
 * of the system.
 */
_must_check_ int line_open(struct line *line, bool preloader);

/* The host sees a hang-up; the link goes. */
void line_hang_up(struct line *line);

bool line_is_up(const struct line *line);

/* The path that the host opens, or the socket of the machine. */
const char *line_device(const struct line *line);

/*
 * The descriptor to poll, -1 for none, and for what, where POLLIN or POLLOUT or both are wanted.
 * USB has one also while the line is down: it shows when the machine goes away.
 */
int line_fd(const struct line *line);
short line_events(const struct line *line, short wanted);

/* POLLIN, POLLOUT or both where poll() need not be asked. */
short line_ready(const struct line *line);

/*
 * What poll() said of the descriptor: POLLIN, POLLOUT or both, as far as they are possible now.
 * -EPIPE when the far end is gone, -EPROTO or -EACCES as usb_redir_dispatch() says.
 */
_must_check_ int line_dispatch(struct line *line, short revents);

/* Bytes of the host that wait; 0 for none, -EPIPE when the far end is gone. */
_must_check_ ssize_t line_read(struct line *line, void *data, size_t size);

/* Bytes that the line took, 0 when it is full, -EPIPE when the far end is gone. */
_must_check_ ssize_t line_write(struct line *line, const void *data, size_t size);

/* CLOCK_MONOTONIC in nanoseconds, as the pacing below counts. */
uint64_t line_now(void);

/* How much is to be written at once, so that the rate is even: at most size. */
size_t line_piece(const struct line *line, size_t size);

/*
 * When a piece may be written that could begin at ready; takes the line for as long as the piece
 * lasts. Counted from the end of the piece before, so that late wake-ups do not add up.
 */
uint64_t line_take(struct line *line, uint64_t ready, size_t size);

/* The host did not read: what the line could have sent meanwhile is lost. */
void line_blocked(struct line *line);
