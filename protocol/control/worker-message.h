/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What daemon and worker tell each other over the socketpair (SOCK_SEQPACKET) that the worker
 * inherits as descriptor 3: one JSON object a packet, checked strictly on both sides. The order:
 *
 *   daemon                                      worker
 *   open {device, mode, timeouts} + files  -->
 *                                          <--  identity {chip, …}          (or failed, and it exits)
 *   read {job, request, …} + files         -->
 *                                          <--  progress … (at most ten a second)
 *                                          <--  done, or failed; then it exits
 *
 *   check {again} + directory, twin        -->
 *                                          <--  done {same}, or failed
 *
 * stop asks the worker to end at the next block; closing the socket asks the same. Descriptors
 * travel with the packet (SCM_RIGHTS), which says in its member files what they are, so a worker
 * needs no path of the daemon's. With open come the directory below which all stagings lie and that
 * of the agents: the worker shuts itself in with them before it reads from the port, and takes those
 * of read, which lie below them, when they come.
 */

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"
#include "protocol/control/job.h"
#include "protocol/control/worker-files.h"

#define WORKER_FD 3

enum worker_message_type {
	WORKER_OPEN,
	WORKER_READ,
	WORKER_CHECK,
	WORKER_STOP,
	WORKER_IDENTITY,
	WORKER_PROGRESS,
	WORKER_DONE,
	WORKER_FAILED,
	_WORKER_MESSAGE_MAX,
};

/* A port and how long to knock at it. */
struct worker_open {
	char *device;
	char *mode;                   /* "auto", "brom", "preloader" */
	double handshake_timeout_usb; /* seconds; the worker learns from the port which one holds */
	double handshake_timeout_uart; /* seconds */
};

/* A job for the watch that was identified. */
struct worker_read {
	int64_t job;
	struct job_request request;
	char *slot;
	char *expected_meid; /* NULL: any; else another watch is refused as FAILURE_WRONG_WATCH */
	uint64_t created;    /* real time, microseconds: the backup's id is made from it */
};

/* A backup, or a staging that is going to be one. */
struct worker_check {
	bool again; /* it was checked before: from the disk, and only while nobody else wants that */
};

/* What was found to have the same bytes in the twin as in what was checked. */
struct worker_done {
	char **same; /* names of files, with their folders; strictly plain */
	size_t n_same;
};

#define WORKER_SAME_MAX 256U /* names; a backup has about 30 files */

/* Adds a copy of name: -E2BIG when there are enough, -ENOMEM; what is left out is only not shared. */
int worker_done_add(struct worker_done *done, const char *name);
void worker_done_clear(struct worker_done *done);

/* What the watch says it is. */
struct worker_identity {
	char *chip; /* "MT6261" …, or "0x1234" for one that the chip table does not know */
	char *meid; /* NULL: it has none to tell */
	char *mode; /* "brom" or "preloader" */
	uint32_t hw_code;
};

struct worker_message {
	enum worker_message_type type;
	union {
		struct worker_open open;
		struct worker_read read;
		struct worker_check check;
		struct worker_done done;
		struct worker_identity identity;
		struct progress progress;
		struct failure failure; /* WORKER_FAILED */
	};
};

void worker_message_clear(struct worker_message *message);

/*
 * Sends one packet with files, which stay the caller's. -EAGAIN when the socket is non-blocking and
 * full, -EPIPE when the other side is gone.
 */
_must_check_ int worker_message_send_files(int fd, const struct worker_message *message,
					   const struct worker_files *files);

/*
 * Receives one packet; the files that came with it are the caller's. 0 at the end of the stream, 1
 * with a message; -EAGAIN, -EBADMSG for a packet that breaks the form.
 */
_must_check_ int worker_message_receive_files(int fd, struct worker_message *ret,
					      struct worker_files *ret_files);

/* The same for packets with a directory at most (negative: none); any other file is closed. */
_must_check_ int worker_message_send(int fd, const struct worker_message *message, int directory);
_must_check_ int worker_message_receive(int fd, struct worker_message *ret, int *ret_directory);
