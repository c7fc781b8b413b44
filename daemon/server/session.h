/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One connection of the control socket, and the calls that come over it, one at a time: the next is
 * looked at when the last is answered and its answer is sent. A peer that is slow or gone costs
 * memory up to limits.h and never makes the loop wait.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/server/server.h"
#include "protocol/base/cleanup.h"

struct call;
struct problem;
struct session;

/*
 * All answers take parameters (NULL: none), also on failure. They return 0 when the answer is queued
 * or the client wants none or is gone; -EALREADY when the last answer was given before; -ENOMEM.
 * An answer over LIMIT_REPLY_BYTES is -EMSGSIZE, one that finds the queue full -ENOBUFS: then
 * nothing was answered yet, and a smaller one or an error can be.
 */
int call_reply(struct call *call, struct json_object *parameters);

/* An answer with more to come; -EINVAL when the caller did not say "more". */
int call_reply_continues(struct call *call, struct json_object *parameters);

/* name is fully qualified: protocol/control/error.h. */
int call_error(struct call *call, const char *name, struct json_object *parameters);

/* org.varlink.service.InvalidParameter with the problem's field. */
int call_invalid(struct call *call, const struct problem *problem);

/* org.varlink.service.PermissionDenied. */
int call_denied(struct call *call);

bool call_wants_more(const struct call *call);
bool call_is_oneway(const struct call *call);
bool call_wants_upgrade(const struct call *call);
/* Full method name. */
const char *call_method(const struct call *call);
uid_t call_uid(const struct call *call);
pid_t call_pid(const struct call *call); /* for the log only: it may be another process by now */

/* A descriptor that came with the call, by its place among them, now the caller's; -1: none. */
int call_take_fd(struct call *call, size_t index);

/*
 * For an answer that comes later. A call that is dropped without its last answer ends the
 * connection, so that no client waits for ever.
 */
struct call *call_ref(struct call *call);
void call_unref(struct call *call);
DEFINE_CLEANUP(struct call *, call_unref);

/* The client went away before the last answer; the handler drops its reference. Called once, never
 * from inside an answer, and not for a oneway call. */
typedef void (*call_callback)(struct call *call, void *userdata);
void call_set_gone_callback(struct call *call, call_callback callback, void *userdata);

/* Bytes of answers that the client has not taken yet; 0 also when it is gone. */
size_t call_output_pending(const struct call *call);

/* Called from the loop each time the queue has become empty after it was not; a stream then sends
 * its newest state. */
void call_set_drain_callback(struct call *call, call_callback callback, void *userdata);

/* Has the drain callback called in a later turn of the loop, once nothing waits to be taken. */
void call_drain_soon(struct call *call);

/*
 * For the handler of a long method that has not answered yet and wants another turn, after all else
 * that the loop has to do: called until it returns 0 (or, like a handler, a negative errno). NULL:
 * none any more.
 */
typedef int (*call_step)(struct call *call, void *userdata);
void call_set_step(struct call *call, call_step step, void *userdata);

/* ---- For the server ---- */

bool call_has_step(const struct call *call);
int call_run_step(struct call *call);

struct session_owner {
	sd_event *event;
	/* Leads a call to its handler. */
	void (*dispatch)(struct call *call, struct json_object *parameters, void *userdata);
	/* The connection is over; the owner frees the session. */
	void (*closed)(struct session *session, void *userdata);
	void *userdata;
};

/* Takes fd, also on failure. */
_must_check_ int session_new(const struct session_owner *owner, int fd, struct session **ret);
void session_free(struct session *session);
uid_t session_uid(const struct session *session);

/* Bytes of answers that the client has not taken yet; 0 for a session that is about to end. */
size_t session_output_pending(const struct session *session);

/* Since when (time_now) the client has not taken any of them; USEC_NEVER when there are none. */
uint64_t session_output_since(const struct session *session);

/* Ends it soon, from the loop, through the owner's closed(). */
void session_drop(struct session *session);
