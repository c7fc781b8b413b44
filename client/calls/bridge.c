/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/calls/bridge.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/frame.h"
#include "protocol/control/limits.h"

#define FILE_WORD   "file "
#define PIECE_BYTES (64U * 1024U)

static int wait_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	while (poll(&pfd, 1, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* ---- The client's side ---- */

static int send_all(int socket, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(socket, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			int r = wait_for(socket, POLLOUT);

			if (r < 0)
				return r;
		} else if (n < 0 && errno != EINTR) {
			return -errno;
		} else if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

int bridge_send_file(int socket, int file)
{
	_cleanup_free_ char *piece = malloc(PIECE_BYTES);
	struct stat st;
	char head[32];
	uint64_t size;
	int r;

	if (!piece)
		return -ENOMEM;
	if (fstat(file, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	size = (uint64_t)st.st_size;
	if (size > LIMIT_AGENT_BYTES)
		return -EFBIG;
	(void)snprintf(head, sizeof(head), FILE_WORD "%" PRIu64, size);
	r = send_all(socket, head, strlen(head) + 1);
	for (uint64_t at = 0; r == 0 && at < size; at += PIECE_BYTES) {
		size_t n = (size_t)MIN_OF(size - at, (uint64_t)PIECE_BYTES);

		r = fd_pread_all(file, piece, n, at);
		if (r == 0)
			r = send_all(socket, piece, n);
	}
	return r;
}

/* ---- The daemon's side ---- */

struct bridge {
	struct frame *daemon;
	char *message; /* the one that arrives, LIMIT_REQUEST_BYTES */
	size_t used;
	uint64_t missing; /* bytes of a file that are still to come, into the last of fds */
	int fds[FRAME_FDS_MAX];
	size_t n_fds;
};

static void bridge_clear(struct bridge *bridge)
{
	while (bridge->n_fds > 0)
		fd_close(bridge->fds[--bridge->n_fds]);
	free(bridge->message);
	frame_free(bridge->daemon);
}

static int begin_file(struct bridge *bridge, const char *text)
{
	int64_t size;
	int fd;

	if (parse_int(text, 0, LIMIT_AGENT_BYTES, &size) < 0 || bridge->n_fds == FRAME_FDS_MAX)
		return -EBADMSG;
	fd = memfd_create("mtkrbctl-bridge", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	bridge->fds[bridge->n_fds++] = fd;
	bridge->missing = (uint64_t)size;
	return 0;
}

static int pass_call(struct bridge *bridge, const char *text, size_t size)
{
	size_t n = bridge->n_fds;
	int r;

	bridge->n_fds = 0;
	r = n > 0 ? frame_put_with_fds(bridge->daemon, text, size, bridge->fds, n)
		  : frame_put(bridge->daemon, text, size);
	while (r == 0 && (r = frame_flush(bridge->daemon)) > 0)
		r = wait_for(frame_fd(bridge->daemon), POLLOUT);
	return r;
}

static int take_message(struct bridge *bridge)
{
	const char *file = strafter(bridge->message, FILE_WORD);
	size_t size = bridge->used;

	bridge->used = 0;
	return file ? begin_file(bridge, file) : pass_call(bridge, bridge->message, size);
}

/* Takes what came from the client, in whatever pieces. */
static int take(struct bridge *bridge, const char *data, size_t size)
{
	int r = 0;

	while (r == 0 && size > 0) {
		const char *end = bridge->missing ? NULL : memchr(data, '\0', size);
		size_t n = end ? (size_t)(end - data) : size;

		if (bridge->missing) {
			n = (size_t)MIN_OF(bridge->missing, (uint64_t)size);
			r = fd_write_all(bridge->fds[bridge->n_fds - 1], data, n);
			bridge->missing -= n;
		} else {
			if (n >= LIMIT_REQUEST_BYTES - bridge->used)
				return -EBADMSG;
			memcpy(bridge->message + bridge->used, data, n);
			bridge->used += n;
			bridge->message[bridge->used] = '\0';
			if (end)
				r = take_message(bridge);
			n += end != NULL;
		}
		data += n;
		size -= n;
	}
	return r;
}

/* 1 when there is more to come, 0 at the end. */
static int from_client(struct bridge *bridge, int in, char *piece)
{
	ssize_t n = read(in, piece, PIECE_BYTES);
	int r;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	if (n == 0)
		return bridge->used || bridge->missing ? -EBADMSG : 0;
	r = take(bridge, piece, (size_t)n);
	return r < 0 ? r : 1;
}

static int from_daemon(const struct bridge *bridge, int out, char *piece)
{
	ssize_t n = recv(frame_fd(bridge->daemon), piece, PIECE_BYTES, MSG_DONTWAIT);
	int r;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	if (n == 0)
		return 0;
	r = fd_write_all(out, piece, (size_t)n);
	return r < 0 ? r : 1;
}

static int bridge_loop(struct bridge *bridge, int in, int out, char *piece)
{
	int r;

	for (;;) {
		struct pollfd fds[] = { { .fd = in, .events = POLLIN },
					{ .fd = frame_fd(bridge->daemon), .events = POLLIN } };

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (fds[1].revents) {
			r = from_daemon(bridge, out, piece);
			if (r <= 0)
				return r;
		}
		if (!fds[0].revents)
			continue;
		r = from_client(bridge, in, piece);
		if (r < 0)
			return r;
		if (r == 0) {
			/* The daemon answers what it was asked, and closes. */
			in = -1;
			if (shutdown(frame_fd(bridge->daemon), SHUT_WR) < 0)
				return -errno;
		}
	}
}

int bridge_run(int in, int out, int daemon)
{
	_cleanup_(bridge_clear) struct bridge bridge = { 0 };
	_cleanup_free_ char *piece = malloc(PIECE_BYTES);
	int r = frame_new(daemon, LIMIT_REPLY_BYTES, LIMIT_REQUEST_BYTES, &bridge.daemon);

	if (r < 0)
		return r;
	bridge.message = malloc(LIMIT_REQUEST_BYTES);
	if (!bridge.message || !piece)
		return -ENOMEM;
	return bridge_loop(&bridge, in, out, piece);
}
