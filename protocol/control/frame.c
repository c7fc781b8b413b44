/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/frame.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol/base/fd.h"

#define BUFFER_FIRST 4096U /* also what an idle connection may keep */

/* Bytes begin to end of data are in use. */
struct buffer {
	char *data;
	size_t size;
	size_t begin;
	size_t end;
};

/*
 * A descriptor belongs to the message that holds the last byte received with it: the kernel ends a
 * read behind the piece that carried some, and a sender passes them with a piece of one message. Two
 * messages' can wait: those of the message that just ended, those of the one that begins behind it.
 */
#define PASSED_MAX (2U * FRAME_FDS_MAX)

struct passed {
	int fd;
	uint64_t position; /* of that byte in the whole stream */
};

struct frame {
	int fd;
	struct buffer in;
	size_t in_limit;
	size_t scanned;    /* input before this index of in.data holds no NUL */
	uint64_t received; /* bytes of the whole stream */
	struct passed passed[PASSED_MAX];
	size_t n_passed;
	int message_fds[FRAME_FDS_MAX]; /* of the message last given out, -1: none */

	struct buffer out;
	size_t out_limit;
	int out_fds[FRAME_FDS_MAX]; /* go with the message at out_fd_begin */
	size_t n_out_fds;
	size_t out_fd_begin; /* indexes of out.data */
	size_t out_fd_end;
};

static size_t buffer_used(const struct buffer *buffer)
{
	return buffer->end - buffer->begin;
}

static void buffer_reset(struct buffer *buffer)
{
	if (buffer->size > BUFFER_FIRST) {
		free(buffer->data);
		*buffer = (struct buffer){ 0 };
	}
	buffer->begin = buffer->end = 0;
}

/* Moves the bytes in use to the front; returns how far they went. */
static size_t buffer_compact(struct buffer *buffer)
{
	size_t distance = buffer->begin;

	if (distance > 0 && buffer->end > distance)
		memmove(buffer->data, buffer->data + distance, buffer_used(buffer));
	buffer->end -= distance;
	buffer->begin = 0;
	return distance;
}

/* Room for at least size bytes in all, doubling, never over limit. */
static int buffer_grow(struct buffer *buffer, size_t size, size_t limit)
{
	size_t wanted = MAX_OF(buffer->size, BUFFER_FIRST);
	char *data;

	while (wanted < size)
		wanted *= 2;
	wanted = MIN_OF(wanted, limit);
	if (wanted <= buffer->size)
		return 0;
	data = realloc(buffer->data, wanted);
	if (!data)
		return -ENOMEM;
	buffer->data = data;
	buffer->size = wanted;
	return 0;
}

int frame_new(int fd, size_t input_limit, size_t output_limit, struct frame **ret)
{
	struct frame *frame = calloc(1, sizeof(*frame));

	if (!frame) {
		fd_close(fd);
		return -ENOMEM;
	}
	*frame = (struct frame){
		.fd = fd,
		.in_limit = input_limit,
		.out_limit = output_limit,
	};
	for (size_t i = 0; i < FRAME_FDS_MAX; i++)
		frame->message_fds[i] = -1;
	*ret = frame;
	return 0;
}

static void close_message_fds(struct frame *frame)
{
	for (size_t i = 0; i < FRAME_FDS_MAX; i++)
		frame->message_fds[i] = fd_close(frame->message_fds[i]);
}

static void close_out_fds(struct frame *frame)
{
	while (frame->n_out_fds > 0)
		fd_close(frame->out_fds[--frame->n_out_fds]);
}

void frame_free(struct frame *frame)
{
	if (!frame)
		return;
	for (size_t i = 0; i < frame->n_passed; i++)
		fd_close(frame->passed[i].fd);
	close_message_fds(frame);
	close_out_fds(frame);
	fd_close(frame->fd);
	free(frame->in.data);
	free(frame->out.data);
	free(frame);
}

int frame_fd(const struct frame *frame)
{
	return frame->fd;
}

/* Room to receive into. The rest of a message is moved at most once: then it begins at 0. */
static int make_room(struct frame *frame)
{
	struct buffer *in = &frame->in;

	if (buffer_used(in) == 0) {
		buffer_reset(in);
		frame->scanned = 0;
	}
	if (in->end < in->size)
		return 0;
	if (in->begin > 0) {
		frame->scanned -= buffer_compact(in);
		return 0;
	}
	if (buffer_used(in) > frame->in_limit)
		return -EMSGSIZE;
	return buffer_grow(in, in->end + 1, frame->in_limit + 1);
}

/* position: the last byte received with the descriptors. */
static void keep_passed(struct frame *frame, struct msghdr *header, uint64_t position)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (frame->n_passed == PASSED_MAX)
				fd_close(fd);
			else
				frame->passed[frame->n_passed++] = (struct passed){ fd, position };
		}
	}
}

int frame_fill(struct frame *frame)
{
	struct buffer *in = &frame->in;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(FRAME_FDS_MAX * sizeof(int))];
	struct iovec piece;
	struct msghdr header = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control,
		/* Exactly as many as may come: the kernel closes all that find no room. */
		.msg_controllen = CMSG_LEN(FRAME_FDS_MAX * sizeof(int)),
	};
	ssize_t n;
	int r;

	r = make_room(frame);
	if (r < 0)
		return r;
	piece = (struct iovec){ in->data + in->end, in->size - in->end };
	do
		n = recvmsg(frame->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	in->end += (size_t)n;
	frame->received += (uint64_t)n;
	keep_passed(frame, &header, frame->received - 1);
	return 1;
}

/* Descriptors of bytes up to position: the first become the message's, any other is closed. */
static void claim_passed(struct frame *frame, uint64_t position)
{
	size_t kept = 0, claimed = 0;

	close_message_fds(frame);
	for (size_t i = 0; i < frame->n_passed; i++) {
		struct passed passed = frame->passed[i];

		if (passed.position > position)
			frame->passed[kept++] = passed;
		else if (claimed < FRAME_FDS_MAX)
			frame->message_fds[claimed++] = passed.fd;
		else
			fd_close(passed.fd);
	}
	frame->n_passed = kept;
}

int frame_next(struct frame *frame, char **ret_text, size_t *ret_size)
{
	struct buffer *in = &frame->in;
	char *end = NULL;

	if (in->end > frame->scanned)
		end = memchr(in->data + frame->scanned, '\0', in->end - frame->scanned);
	if (!end) {
		frame->scanned = in->end;
		return 0;
	}
	*ret_text = in->data + in->begin;
	*ret_size = (size_t)(end - *ret_text);
	in->begin += *ret_size + 1;
	frame->scanned = in->begin;
	claim_passed(frame, frame->received - buffer_used(in) - 1);
	return 1;
}

bool frame_has_input(const struct frame *frame)
{
	return buffer_used(&frame->in) > 0;
}

int frame_take_fd(struct frame *frame, size_t index)
{
	return index < FRAME_FDS_MAX ? TAKE_FD(frame->message_fds[index]) : -1;
}

/* Room for size more bytes of output. */
static int make_output_room(struct frame *frame, size_t size)
{
	struct buffer *out = &frame->out;
	size_t moved;

	if (size > frame->out_limit || buffer_used(out) > frame->out_limit - size)
		return -ENOBUFS;
	if (size <= out->size - out->end)
		return 0;
	moved = buffer_compact(out);
	frame->out_fd_begin -= MIN_OF(moved, frame->out_fd_begin);
	frame->out_fd_end -= MIN_OF(moved, frame->out_fd_end);
	return buffer_grow(out, out->end + size, frame->out_limit);
}

int frame_put(struct frame *frame, const char *text, size_t size)
{
	struct buffer *out = &frame->out;
	int r;

	r = make_output_room(frame, size + 1);
	if (r < 0)
		return r;
	memcpy(out->data + out->end, text, size);
	out->end += size;
	out->data[out->end++] = '\0';
	return 0;
}

int frame_put_with_fds(struct frame *frame, const char *text, size_t size, const int *fds, size_t n)
{
	int r = n > FRAME_FDS_MAX ? -E2BIG : 0;

	if (r == 0)
		r = frame->n_out_fds > 0 ? -EBUSY : frame_put(frame, text, size);
	if (r < 0) {
		for (size_t i = 0; i < n; i++)
			fd_close(fds[i]);
		return r;
	}
	memcpy(frame->out_fds, fds, n * sizeof(int));
	frame->n_out_fds = n;
	frame->out_fd_end = frame->out.end;
	frame->out_fd_begin = frame->out.end - size - 1;
	return 0;
}

/* How much may go in one piece: bytes with descriptors go alone. */
static size_t next_piece(const struct frame *frame, bool *ret_with_fds)
{
	const struct buffer *out = &frame->out;

	*ret_with_fds = frame->n_out_fds > 0 && out->begin == frame->out_fd_begin;
	if (*ret_with_fds)
		return frame->out_fd_end - out->begin;
	return (frame->n_out_fds > 0 ? frame->out_fd_begin : out->end) - out->begin;
}

static void attach_fds(const struct frame *frame, struct msghdr *header, char *control)
{
	size_t size = frame->n_out_fds * sizeof(int);
	struct cmsghdr *c = (struct cmsghdr *)control;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), frame->out_fds, size);
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(size);
}

static ssize_t send_piece(struct frame *frame)
{
	bool with_fds;
	size_t size = next_piece(frame, &with_fds);
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(FRAME_FDS_MAX * sizeof(int))] = { 0 };
	struct iovec piece = { frame->out.data + frame->out.begin, size };
	struct msghdr header = { .msg_iov = &piece, .msg_iovlen = 1 };
	ssize_t n;

	if (with_fds)
		attach_fds(frame, &header, control);
	do
		n = sendmsg(frame->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (with_fds)
		close_out_fds(frame);
	return n;
}

int frame_flush(struct frame *frame)
{
	struct buffer *out = &frame->out;

	while (buffer_used(out) > 0) {
		ssize_t n = send_piece(frame);

		if (n == -EAGAIN)
			return 1;
		if (n < 0)
			return (int)n;
		out->begin += (size_t)n;
	}
	buffer_reset(out);
	return 0;
}

size_t frame_pending(const struct frame *frame)
{
	return buffer_used(&frame->out);
}
