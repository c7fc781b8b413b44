/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The daemon's socket. Every failure is put into words in *complaint and returned as -ECANCELED
 * (-ENOMEM has no words); an error that the daemon answers is a failure too.
 */

#include "client/complaint.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/varlink.h"

struct connection;
struct json_object;
struct problem;

/* address is the path of a socket, or a host (ssh.h). */
_must_check_ int connection_open(const char *address, struct connection **ret,
				 struct complaint *complaint);

/* The same, but a daemon that is too busy to accept is not waited for: a failure like no daemon. */
_must_check_ int connection_open_at_once(const char *address, struct connection **ret,
					 struct complaint *complaint);

/*
 * The connected socket alone, a non-blocking one, for what speaks for itself; only of a path. flags:
 * 0, or SOCK_NONBLOCK not to wait for a daemon that is too busy to accept.
 */
_must_check_ int connection_open_socket(const char *path, int flags, int *ret_fd,
					struct complaint *complaint);

void connection_free(struct connection *connection);
DEFINE_CLEANUP(struct connection *, connection_free);

/* Sends a call of our interface ("ListPorts"). Takes parameters (NULL: none), also on failure. */
_must_check_ int connection_send(struct connection *connection, const char *method,
				 struct json_object *parameters, bool more,
				 struct complaint *complaint);

/* For poll(), between calls of connection_receive. */
int connection_fd(const struct connection *connection);

/*
 * A reply to the call sent last: 1 with one, 0 when none is there yet. -EPIPE, without words, when
 * the daemon went away; the other failures are as above.
 */
_must_check_ int connection_receive(struct connection *connection, struct varlink_reply *ret,
				    struct complaint *complaint);

/*
 * Sends and waits for the one reply; the caller owns *ret, an object. Takes parameters, also on
 * failure.
 */
_must_check_ int connection_call(struct connection *connection, const char *method,
				 struct json_object *parameters, struct json_object **ret,
				 struct complaint *complaint);

/*
 * The descriptors, at most FRAME_FDS_MAX, go with the next call; taken also on failure. To another
 * host their files go.
 */
void connection_pass(struct connection *connection, const int *fds, size_t n);

/* The daemon's answer makes no sense; problem may be NULL. Always -ECANCELED. */
int complaint_bad_reply(struct complaint *complaint, const char *method,
			const struct problem *problem);
