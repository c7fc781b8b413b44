/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Bytes to and from a watch, over any descriptor: tty, pty, socketpair. Every wait has a deadline,
 * and "the watch left" is told from "the watch is silent". The caller's stop descriptor ends any
 * wait, so straight-line protocol code can be interrupted at every byte.
 *
 * Errors of all functions: -ETIMEDOUT the watch is silent, -ENODEV it left (hang-up, end of file,
 * EIO), -ECANCELED the stop descriptor became readable or hung up, or the errno of the read. While
 * bytes flow without a pause the stop descriptor is looked at every 20 ms.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

struct transport;

/* What a line is decides how patient one is with it and how much is verified by default. */
enum line_kind {
	LINE_USB, /* the watch's own USB port, or a pty standing for one: fast, checked by USB's CRC */
	LINE_UART, /* a serial adapter: slow, unchecked */
};

/*
 * Takes over fd (closed by transport_free) on success, and sets its blocking mode as it needs it; a
 * tty gets VMIN 0 and VTIME 1. stop_fd is borrowed, -1 for none. A tty must be in raw mode already
 * (serial.h does that).
 */
_must_check_ int transport_new(int fd, int stop_fd, enum line_kind kind, struct transport **ret);
void transport_free(struct transport *transport);
DEFINE_CLEANUP(struct transport *, transport_free);

enum line_kind transport_kind(const struct transport *transport);

/* Sets the speed of a tty, in baud; nothing to do for other lines. -EINVAL for an odd speed. */
_must_check_ int transport_set_speed(struct transport *transport, uint32_t baud);

/* Writes all of data within timeout_usec. */
_must_check_ int transport_write(struct transport *transport, const void *data, size_t size,
				 uint64_t timeout_usec);

/*
 * Reads exactly size bytes. silence_usec bounds the wait for each next byte, not the whole, so a
 * slow line is not mistaken for a dead one. On failure *ret_got (may be NULL) tells how many bytes
 * had come.
 */
_must_check_ int transport_read(struct transport *transport, void *data, size_t size,
				uint64_t silence_usec, size_t *ret_got);

/* Reads whatever is there, at least one byte and at most size; the count, or an error. */
_must_check_ int transport_read_some(struct transport *transport, void *data, size_t size,
				     uint64_t timeout_usec);

/*
 * Throws away input until the line has been silent for silence_usec. -EOVERFLOW when it is still
 * talking after limit_bytes or limit_usec: a watch that streams for ever.
 */
_must_check_ int transport_drain(struct transport *transport, uint64_t silence_usec,
				 size_t limit_bytes, uint64_t limit_usec);
