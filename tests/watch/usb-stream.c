/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/usb-stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol/base/fd.h"

#define LENGTH_OFFSET 4 /* in a header, in the byte order of the machine as the parser has it */

void usb_stream_init(struct usb_stream *stream, int socket)
{
	*stream = (struct usb_stream){ .fd = socket };
}

void usb_stream_done(struct usb_stream *stream)
{
	stream->fd = fd_close(stream->fd);
	free(stream->backlog);
	stream->backlog = NULL;
}

static size_t backlog_length(const struct usb_stream *stream)
{
	return stream->backlog_end - stream->backlog_begin;
}

short usb_stream_events(const struct usb_stream *stream)
{
	size_t length = backlog_length(stream);

	return (short)((length > 0 ? POLLOUT : 0) |
		       (length <= USB_STREAM_BACKLOG_MAX ? POLLIN : 0));
}

void usb_stream_begin(struct usb_stream *stream)
{
	stream->read_left = USB_STREAM_READ_MAX;
}

/*
 * Keeps count of where packets begin and end: the parser asks for header and body in pieces that
 * never reach into the next packet, but believes any length that the header says.
 */
static int count_packet(struct usb_stream *stream, const uint8_t *data, size_t size,
			size_t header_size)
{
	uint32_t length;

	if (stream->body_left > 0) {
		if (size > stream->body_left)
			return -EPROTO;
		stream->body_left -= size;
		return 0;
	}
	if (stream->header_done >= header_size || size > header_size - stream->header_done)
		return -EPROTO;
	memcpy(stream->header + stream->header_done, data, size);
	stream->header_done += size;
	if (stream->header_done < header_size)
		return 0;
	memcpy(&length, stream->header + LENGTH_OFFSET, sizeof(length));
	stream->header_done = 0;
	stream->body_left = length;
	return length > USB_STREAM_PACKET_MAX ? -EPROTO : 0;
}

int usb_stream_read(struct usb_stream *stream, uint8_t *data, size_t size, size_t header_size)
{
	ssize_t n;

	if (stream->error < 0)
		return -1;
	size = MIN_OF(size, stream->read_left);
	if (size == 0 || backlog_length(stream) > USB_STREAM_BACKLOG_MAX)
		return 0;
	n = recv(stream->fd, data, size, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	stream->error = n <= 0 ? -EPIPE : count_packet(stream, data, (size_t)n, header_size);
	if (stream->error < 0)
		return -1;
	stream->read_left -= (size_t)n;
	return (int)n;
}

int usb_stream_write(struct usb_stream *stream, const uint8_t *data, size_t size)
{
	size_t length = backlog_length(stream);
	uint8_t *larger;

	if (stream->backlog_begin > 0) {
		memmove(stream->backlog, stream->backlog + stream->backlog_begin, length);
		stream->backlog_begin = 0;
		stream->backlog_end = length;
	}
	if (size > stream->backlog_size - length) {
		larger = realloc(stream->backlog, (length + size) * 2);
		if (!larger) {
			stream->error = -ENOMEM;
			return -1;
		}
		stream->backlog = larger;
		stream->backlog_size = (length + size) * 2;
	}
	memcpy(stream->backlog + length, data, size);
	stream->backlog_end += size;
	return 0;
}

void usb_stream_flush(struct usb_stream *stream)
{
	ssize_t n;

	while (stream->error == 0 && backlog_length(stream) > 0) {
		n = send(stream->fd, stream->backlog + stream->backlog_begin,
			 backlog_length(stream), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			stream->error = -EPIPE;
		else
			stream->backlog_begin += (size_t)n;
	}
}
