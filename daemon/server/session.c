/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/server/session.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "protocol/base/fd.h"
#include "protocol/base/time.h"
#include "protocol/control/error.h"
#include "protocol/control/frame.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"
#include "protocol/control/varlink.h"

/* Behind the workers' pipes: what comes from a watch goes first. */
#define SESSION_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 20)

struct call {
	unsigned int refs;
	struct session *session; /* NULL: answered, or the client is gone */
	bool answered;
	struct varlink_call message;
	struct ucred peer;
	int fds[FRAME_FDS_MAX]; /* came with the call, -1: none */
	call_callback gone;
	void *gone_userdata;
	call_callback drain;
	void *drain_userdata;
	call_step step;
	void *step_userdata;
};

/*
 * A session ends in one place, session_settle, which only its event handlers call: so no answer and
 * no callback can take it away from under the code that is using it. Whatever finds it beyond help
 * sets broken and lets the deferred source run.
 */
struct session {
	struct session_owner owner;
	struct frame *frame;
	struct ucred peer;
	sd_event_source *io;
	sd_event_source *deferred; /* looks for the next call */
	sd_event_source *timer;    /* a half-sent call */
	struct call *call;         /* not answered yet; its holders own it */
	uint64_t output_since;     /* the client took none of the output that waits */
	bool drain_soon;           /* the call's drain callback wants a turn */
	bool more_input;           /* the input may hold another whole call */
	bool ended_input;
	bool broken;
};

static void session_defer(struct session *session)
{
	if (sd_event_source_set_enabled(session->deferred, SD_EVENT_ONESHOT) < 0)
		session->broken = true;
}

static void session_break(struct session *session)
{
	session->broken = true;
	session_defer(session);
}

/* ---- Calls ---- */

static struct call *call_new(struct session *session, struct varlink_call *message)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	*call = (struct call){
		.refs = 1,
		.session = session,
		.message = *message,
		.peer = session->peer,
	};
	for (size_t i = 0; i < FRAME_FDS_MAX; i++)
		call->fds[i] = frame_take_fd(session->frame, i);
	*message = (struct varlink_call){ 0 };
	session->call = call;
	return call;
}

struct call *call_ref(struct call *call)
{
	call->refs++;
	return call;
}

void call_unref(struct call *call)
{
	if (!call || --call->refs > 0)
		return;
	if (call->session) {
		call->session->call = NULL;
		session_break(call->session);
	}
	varlink_call_clear(&call->message);
	for (size_t i = 0; i < FRAME_FDS_MAX; i++)
		fd_close(call->fds[i]);
	free(call);
}

/* The last answer was given: the session is free for the next call. */
static void call_finish(struct call *call)
{
	call->answered = true;
	if (!call->session)
		return;
	call->session->call = NULL;
	session_defer(call->session);
	call->session = NULL;
}

static int queue_reply(struct session *session, const struct varlink_reply *reply)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = varlink_reply_to_text(reply, &text);
	if (r < 0)
		return r;
	size = strlen(text);
	if (size > LIMIT_REPLY_BYTES)
		return -EMSGSIZE;
	if (frame_pending(session->frame) == 0)
		session->output_since = time_now();
	r = frame_put(session->frame, text, size);
	if (r < 0)
		return r;
	r = frame_flush(session->frame);
	if (r < 0 || (r > 0 && sd_event_source_set_io_events(session->io, EPOLLOUT) < 0))
		session_break(session);
	return 0;
}

/* Takes reply->parameters. */
static int call_answer(struct call *call, struct varlink_reply reply)
{
	_cleanup_message_ _unused_ struct json_object *parameters = reply.parameters;
	int r = 0;

	if (call->answered)
		return -EALREADY;
	if (reply.continues && !call_wants_more(call))
		return -EINVAL;
	if (call->session && !call->message.oneway)
		r = queue_reply(call->session, &reply);
	if (r == 0 && !reply.continues)
		call_finish(call);
	return r;
}

int call_reply(struct call *call, struct json_object *parameters)
{
	return call_answer(call, (struct varlink_reply){ .parameters = parameters });
}

int call_reply_continues(struct call *call, struct json_object *parameters)
{
	return call_answer(call,
			   (struct varlink_reply){ .parameters = parameters, .continues = true });
}

int call_error(struct call *call, const char *name, struct json_object *parameters)
{
	/* The envelope only borrows the name. */
	return call_answer(call, (struct varlink_reply){ .error = (char *)(uintptr_t)name,
							 .parameters = parameters });
}

int call_invalid(struct call *call, const struct problem *problem)
{
	struct json_object *parameters;
	int r;

	r = error_invalid_parameter(problem->field, &parameters);
	return r < 0 ? r : call_error(call, ERROR_INVALID_PARAMETER, parameters);
}

int call_denied(struct call *call)
{
	return call_error(call, ERROR_PERMISSION_DENIED, NULL);
}

bool call_wants_more(const struct call *call)
{
	return call->message.more && !call->message.oneway;
}

bool call_wants_upgrade(const struct call *call)
{
	return call->message.upgrade;
}

bool call_is_oneway(const struct call *call)
{
	return call->message.oneway;
}

const char *call_method(const struct call *call)
{
	return call->message.method;
}

uid_t call_uid(const struct call *call)
{
	return call->peer.uid;
}

pid_t call_pid(const struct call *call)
{
	return call->peer.pid;
}

int call_take_fd(struct call *call, size_t index)
{
	return index < FRAME_FDS_MAX ? TAKE_FD(call->fds[index]) : -1;
}

void call_set_gone_callback(struct call *call, call_callback callback, void *userdata)
{
	call->gone = callback;
	call->gone_userdata = userdata;
}

void call_set_drain_callback(struct call *call, call_callback callback, void *userdata)
{
	call->drain = callback;
	call->drain_userdata = userdata;
}

void call_set_step(struct call *call, call_step step, void *userdata)
{
	call->step = step;
	call->step_userdata = userdata;
}

bool call_has_step(const struct call *call)
{
	return call->step;
}

int call_run_step(struct call *call)
{
	return call->step(call, call->step_userdata);
}

void call_drain_soon(struct call *call)
{
	if (!call->session)
		return;
	call->session->drain_soon = true;
	session_defer(call->session);
}

size_t call_output_pending(const struct call *call)
{
	return call->session ? frame_pending(call->session->frame) : 0;
}

/* ---- The connection ---- */

/* Leads the next whole call to its handler, if its turn has come. */
static int session_dispatch(struct session *session)
{
	_cleanup_(varlink_call_clear) struct varlink_call message = { 0 };
	_cleanup_(call_unrefp) struct call *call = NULL;
	char *text;
	size_t size;
	int r;

	if (session->call || frame_pending(session->frame) > 0)
		return 0;
	session->more_input = frame_next(session->frame, &text, &size);
	if (!session->more_input)
		return 0;
	r = sd_event_source_set_enabled(session->timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	session_defer(session);
	/* What is no call cannot be answered as one: the connection ends. */
	r = varlink_call_from_text(text, size, &message);
	if (r < 0)
		return r;
	call = call_new(session, &message);
	if (!call)
		return -ENOMEM;
	session->owner.dispatch(call, call->message.parameters, session->owner.userdata);
	return 0;
}

/* The clock of a half-sent call runs while it is all that we wait for. */
static int session_watch_time(struct session *session, bool reading)
{
	int enabled, r;

	if (!reading || !frame_has_input(session->frame))
		return sd_event_source_set_enabled(session->timer, SD_EVENT_OFF);
	r = sd_event_source_get_enabled(session->timer, &enabled);
	if (r < 0 || enabled != SD_EVENT_OFF)
		return r;
	r = sd_event_source_set_time_relative(session->timer, LIMIT_REQUEST_SECONDS * USEC_PER_SEC);
	return r < 0 ? r : sd_event_source_set_enabled(session->timer, SD_EVENT_ONESHOT);
}

/* Arms what the session waits for; -ECONNRESET when that is nothing any more. */
static int session_arm(struct session *session)
{
	bool writing = frame_pending(session->frame) > 0;
	bool reading = !session->call && !writing && !session->more_input;
	/* A oneway call that is kept neither reads nor writes, and nobody need wait for it. */
	bool deaf = session->call && session->call->message.oneway;
	uint32_t events = writing ? EPOLLOUT : 0;
	int r;

	if (reading && session->ended_input)
		return -ECONNRESET;
	if (reading)
		events |= EPOLLIN;
	r = sd_event_source_set_io_events(session->io, events);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(session->io, deaf ? SD_EVENT_OFF : SD_EVENT_ON);
	return r < 0 ? r : session_watch_time(session, reading);
}

/* The end of every event: goes on, or is over and frees the session. */
static void session_settle(struct session *session, int r)
{
	if (r >= 0 && !session->broken)
		r = session_arm(session);
	if (r < 0 || session->broken)
		session->owner.closed(session, session->owner.userdata);
}

/* Whoever streams may go on: the client has taken everything. */
static void session_drain(struct session *session)
{
	struct call *call;

	session->drain_soon = false;
	if (!session->call || !session->call->drain)
		return;
	call = call_ref(session->call);
	call->drain(call, call->drain_userdata);
	call_unref(call);
}

static int session_flush(struct session *session)
{
	size_t pending = frame_pending(session->frame);
	int r;

	if (pending == 0)
		return 0;
	r = frame_flush(session->frame);
	if (frame_pending(session->frame) < pending)
		session->output_since = time_now();
	if (r == 0)
		session_drain(session);
	return MIN_OF(r, 0);
}

static int session_receive(struct session *session)
{
	int r = frame_fill(session->frame);

	if (r == 0)
		session->ended_input = true;
	return r == -EAGAIN ? 0 : MIN_OF(r, 0);
}

/* The client has left altogether and what it wanted can only be done for nobody. */
static bool session_is_lost(const struct session *session, uint32_t revents)
{
	bool next_call =
		session->more_input && !session->call && frame_pending(session->frame) == 0;

	return (revents & (EPOLLHUP | EPOLLERR)) && !(revents & EPOLLIN) && !next_call;
}

static int on_io(sd_event_source *source _unused_, int fd _unused_, uint32_t revents,
		 void *userdata)
{
	struct session *session = userdata;
	int r = 0;

	if (revents & EPOLLOUT)
		r = session_flush(session);
	if (r >= 0 && (revents & EPOLLIN))
		r = session_receive(session);
	if (r >= 0 && session_is_lost(session, revents))
		r = -ECONNRESET;
	if (r >= 0)
		r = session_dispatch(session);
	session_settle(session, r);
	return 0;
}

static int on_deferred(sd_event_source *source _unused_, void *userdata)
{
	struct session *session = userdata;

	if (session->drain_soon && !session->broken && frame_pending(session->frame) == 0)
		session_drain(session);
	session_settle(session, session->broken ? -ECONNRESET : session_dispatch(session));
	return 0;
}

static int on_timer(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata)
{
	session_settle(userdata, -ETIMEDOUT);
	return 0;
}

static int add_sources(struct session *session)
{
	sd_event *event = session->owner.event;
	sd_event_source **sources[] = { &session->io, &session->deferred, &session->timer };
	int r;

	r = sd_event_add_io(event, &session->io, frame_fd(session->frame), EPOLLIN, on_io, session);
	if (r >= 0)
		r = sd_event_add_defer(event, &session->deferred, on_deferred, session);
	if (r >= 0)
		r = sd_event_source_set_enabled(session->deferred, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &session->timer, CLOCK_MONOTONIC, 0, 0,
					       on_timer, session);
	if (r >= 0)
		r = sd_event_source_set_enabled(session->timer, SD_EVENT_OFF);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sources); i++) {
		(void)sd_event_source_set_description(*sources[i], "control-session");
		r = sd_event_source_set_priority(*sources[i], SESSION_PRIORITY);
	}
	return r;
}

int session_new(const struct session_owner *owner, int fd, struct session **ret)
{
	socklen_t size = sizeof(struct ucred);
	struct session *session = calloc(1, sizeof(*session));
	int r;

	if (!session) {
		fd_close(fd);
		return -ENOMEM;
	}
	session->owner = *owner;
	r = frame_new(fd, LIMIT_REQUEST_BYTES, LIMIT_OUTPUT_BYTES, &session->frame);
	if (r >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &session->peer, &size) < 0)
		r = -errno;
	if (r >= 0)
		r = add_sources(session);
	if (r < 0) {
		session_free(session);
		return r;
	}
	*ret = session;
	return 0;
}

void session_free(struct session *session)
{
	struct call *call;

	if (!session)
		return;
	call = session->call;
	if (call) {
		call_ref(call);
		call->session = NULL;
		if (call->gone && !call->message.oneway)
			call->gone(call, call->gone_userdata);
		call_unref(call);
	}
	sd_event_source_disable_unref(session->io);
	sd_event_source_disable_unref(session->deferred);
	sd_event_source_disable_unref(session->timer);
	frame_free(session->frame);
	free(session);
}

uid_t session_uid(const struct session *session)
{
	return session->peer.uid;
}

size_t session_output_pending(const struct session *session)
{
	return session->broken ? 0 : frame_pending(session->frame);
}

uint64_t session_output_since(const struct session *session)
{
	return session_output_pending(session) > 0 ? session->output_since : USEC_NEVER;
}

void session_drop(struct session *session)
{
	session_break(session);
}
