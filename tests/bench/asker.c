/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/asker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/varlink.h"
#include "tests/integration/rig.h"

struct frame *asker_connect(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct frame *frame;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(frame_new(fd, LIMIT_REPLY_BYTES, LIMIT_REQUEST_BYTES, &frame), 0);
	return frame;
}

static void wait_for(struct frame *frame, short events)
{
	struct pollfd pfd = { .fd = frame_fd(frame), .events = events };

	while (poll(&pfd, 1, -1) < 0)
		assert_int_equal(errno, EINTR);
}

void asker_send(struct frame *frame, const char *message)
{
	int r;

	assert_int_equal(frame_put(frame, message, strlen(message)), 0);
	while ((r = frame_flush(frame)) > 0)
		wait_for(frame, POLLOUT);
	assert_int_equal(r, 0);
}

static void receive(struct frame *frame, char **ret_text, size_t *ret_size)
{
	int r;

	while ((r = frame_next(frame, ret_text, ret_size)) == 0) {
		wait_for(frame, POLLIN);
		r = frame_fill(frame);
		assert_true(r > 0 || r == -EAGAIN);
	}
	assert_int_equal(r, 1);
}

void asker_next(struct frame *frame, struct varlink_reply *ret)
{
	char *text;
	size_t size;

	receive(frame, &text, &size);
	assert_int_equal(varlink_reply_from_text(text, size, ret), 0);
	if (ret->error)
		fail_msg("unexpected answer: %s", text);
}

void asker_skip(struct frame *frame)
{
	char *text;
	size_t size;

	receive(frame, &text, &size);
	if (strafter(text, "{\"error\""))
		fail_msg("unexpected answer: %s", text);
}
