/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/link.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "protocol/base/time.h"

static int wait_for(int fd, short events, int timeout_msec)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	while ((n = poll(&pfd, 1, timeout_msec)) < 0)
		if (errno != EINTR)
			return -errno;
	return n;
}

int link_wait(int fd, uint64_t usec)
{
	return wait_for(fd, POLLIN, (int)MIN_OF(usec / USEC_PER_MSEC, INT_MAX));
}

int link_receive(int fd, struct worker_message *ret, int *ret_passed)
{
	int r;

	do {
		r = wait_for(fd, POLLIN, -1);
		if (r >= 0)
			r = worker_message_receive(fd, ret, ret_passed);
	} while (r == -EAGAIN);
	return r;
}

int link_receive_files(int fd, struct worker_message *ret, struct worker_files *ret_files)
{
	int r;

	do {
		r = wait_for(fd, POLLIN, -1);
		if (r >= 0)
			r = worker_message_receive_files(fd, ret, ret_files);
	} while (r == -EAGAIN);
	return r;
}

int link_send(int fd, const struct worker_message *message)
{
	int r;

	do {
		r = wait_for(fd, POLLOUT, -1);
		if (r >= 0)
			r = worker_message_send(fd, message, -1);
	} while (r == -EAGAIN);
	return r;
}

void link_send_progress(int fd, const struct progress *progress)
{
	struct worker_message message = { .type = WORKER_PROGRESS, .progress = *progress };
	/* A daemon that is gone is noticed by the next wait on the descriptor. */
	int r = worker_message_send(fd, &message, -1);

	(void)r;
}

void link_send_phase(int fd, enum phase phase, uint64_t done, uint64_t total)
{
	const struct progress progress = {
		.phase = phase,
		.done = done,
		.total = total,
		.eta = -1,
	};

	link_send_progress(fd, &progress);
}
