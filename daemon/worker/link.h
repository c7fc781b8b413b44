/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The worker's end of the socketpair to the daemon; see worker-message.h for what is said there. */

#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"
#include "protocol/control/worker-message.h"

/* Waits at most usec for a message or the daemon's end: 1 when there is one, 0 when not. */
_must_check_ int link_wait(int fd, uint64_t usec);

/* Waits for the next message. 1 with one, 0 when the daemon is gone, negative errno. */
_must_check_ int link_receive(int fd, struct worker_message *ret, int *ret_passed);

/* The same for a message that brings files. */
_must_check_ int link_receive_files(int fd, struct worker_message *ret,
				    struct worker_files *ret_files);

/* Sends a message that must arrive; waits for room. */
_must_check_ int link_send(int fd, const struct worker_message *message);

/* Progress is dropped when the daemon does not keep up: the next one says more. */
void link_send_progress(int fd, const struct progress *progress);

/* Progress of a phase that has just begun: no rate yet, nor an end in sight. */
void link_send_phase(int fd, enum phase phase, uint64_t done, uint64_t total);
