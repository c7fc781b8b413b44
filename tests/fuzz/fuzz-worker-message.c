/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A packet between daemon and worker: a worker that a watch took over is no friend. */

#include <errno.h>
#include <sys/socket.h>

#include "protocol/base/fd.h"
#include "protocol/control/limits.h"
#include "protocol/control/worker-message.h"
#include "tests/fuzz/fuzz.h"

/* What was understood can be said again. */
static void send_again(const int fds[2], const struct worker_message *message)
{
	struct worker_message again = { 0 };
	int directory = -1;

	fuzz_require(worker_message_send(fds[0], message, -1) == 0);
	fuzz_require(worker_message_receive(fds[1], &again, &directory) == 1);
	fuzz_require(again.type == message->type && directory == -1);
	worker_message_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct worker_files files = WORKER_FILES_NONE;
	struct worker_message message = { 0 };
	int fds[2], r;

	if (size == 0 || size > LIMIT_WORKER_MESSAGE)
		return 0;
	fuzz_require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	fuzz_require(send(fds[0], data, size, MSG_NOSIGNAL) == (ssize_t)size);
	r = worker_message_receive_files(fds[1], &message, &files);
	fuzz_require(r == 1 || r == -EBADMSG);
	if (r == 1) {
		send_again(fds, &message);
		worker_message_clear(&message);
	}
	worker_files_close(&files);
	fd_close(fds[0]);
	fd_close(fds[1]);
	return 0;
}
