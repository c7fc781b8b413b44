/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A varlink server on an sd-event loop: listens, accepts within the limits, and leads each call to
 * the handler of its method. It knows no interface but org.varlink.service, which it answers itself.
 */

#include <stddef.h>
#include <systemd/sd-event.h>

#include "protocol/base/cleanup.h"

struct call;
struct json_object;
struct server;

/*
 * Answers a call, or keeps it with call_ref and answers later. parameters are borrowed and unchecked
 * beyond being an object. A negative errno is for a failure of the daemon itself before any answer:
 * -EPERM and -EACCES become PermissionDenied, anything else the error Failed (message) of the
 * method's interface, in its words for that errno.
 */
typedef int (*method_handler)(struct call *call, struct json_object *parameters, void *userdata);

#define METHOD_MAY_STREAM 1U /* several replies are possible where the caller says "more" */
#define METHOD_NEEDS_MORE 2U /* ExpectedMore without it */
#define METHOD_IS_LONG    4U /* takes long: every other call goes first */

struct method {
	const char *name; /* without its interface: "Submit" */
	method_handler handle;
	unsigned int flags;
};

struct interface {
	const char *name;
	const char *description; /* the text of the interface file */
	const struct method *methods;
	size_t n_methods;
	const char *(*describe)(int error); /* its words for a negative errno; NULL: the system's */
};

/* The interfaces are borrowed and must outlive the server. -ENOMEM and the like. */
_must_check_ int server_new(sd_event *event, const struct interface *interfaces, size_t n,
			    void *userdata, struct server **ret);

/* Closes all connections (handlers that kept a call are told), removes its own socket file. */
void server_free(struct server *server);
DEFINE_CLEANUP(struct server *, server_free);

/*
 * Binds path with mode 0660, for the group mtkrb where that exists and we may give it away. A stale
 * socket is replaced; -EADDRINUSE when somebody answers on it, -EEXIST when something that is no
 * socket lies there, -ENAMETOOLONG.
 */
_must_check_ int server_listen(struct server *server, const char *path);

/* Serves a listening socket that was inherited (socket activation); takes fd, also on failure. */
_must_check_ int server_adopt(struct server *server, int fd);

/* Connections now open. */
size_t server_connections(const struct server *server);
