/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The socket below the usbredir protocol: never waits, keeps what cannot be sent yet, and ends when
 * the far end sends a packet of a length that no host of a serial port has a use for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A host of a serial port moves kilobytes at once; the parser would allocate 2 GiB unasked. */
#define USB_STREAM_PACKET_MAX (1U << 20)

/* What waits to be sent beyond this stops the reading of more requests. */
#define USB_STREAM_BACKLOG_MAX (256U << 10)

/* Taken in between two calls of usb_stream_begin(): the watch has to have its turn, too. */
#define USB_STREAM_READ_MAX (256U << 10)

#define USB_STREAM_HEADER_MAX 16 /* type, length, id of 32 or 64 bits */

struct usb_stream {
	int fd;
	int error; /* why it is over: -EPIPE, -EPROTO, -ENOMEM; 0: it is not */

	uint8_t header[USB_STREAM_HEADER_MAX]; /* of the packet that is being read */
	size_t header_done;
	size_t body_left;
	size_t read_left;

	uint8_t *backlog;
	size_t backlog_begin, backlog_end, backlog_size;
};

/* Takes the socket. */
void usb_stream_init(struct usb_stream *stream, int socket);
void usb_stream_done(struct usb_stream *stream);

/* What to poll for. */
short usb_stream_events(const struct usb_stream *stream);

/* Reads may follow. */
void usb_stream_begin(struct usb_stream *stream);

/*
 * Bytes of one packet, the rest of its header or of its body: as the parser asks for them. 0 when
 * there are none now, -1 when it is over. header_size is that of the packet, 12 or 16.
 */
int usb_stream_read(struct usb_stream *stream, uint8_t *data, size_t size, size_t header_size);

/* Takes all of data, to be sent by usb_stream_flush(); -1 for no memory. */
int usb_stream_write(struct usb_stream *stream, const uint8_t *data, size_t size);

/* Sends what the socket takes now. */
void usb_stream_flush(struct usb_stream *stream);
