/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/calls/events.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "client/calls/connection.h"
#include "protocol/base/fd.h"
#include "protocol/base/time.h"
#include "protocol/control/message.h"

#define METHOD             "Follow"
#define RECONNECT_PAUSE_MS 250

struct events {
	const char *path;
	const int64_t *ids;
	size_t n_ids;
	struct connection *connection; /* NULL while the daemon is away */
	bool last;                     /* the daemon has said its last */
	int signal_fd;
	sigset_t old_mask;
};

void event_clear(struct event *event)
{
	message_unref(event->parameters);
	job_clear(&event->job);
	port_clear(&event->port);
	*event = (struct event){ 0 };
}

void events_free(struct events *events)
{
	if (!events)
		return;
	connection_free(events->connection);
	if (events->signal_fd >= 0) {
		fd_close(events->signal_fd);
		(void)sigprocmask(SIG_SETMASK, &events->old_mask, NULL);
	}
	free(events);
}

/* {"ids": [...]}, or {} for everything. */
static int events_parameters(const struct events *events, struct json_object **ret)
{
	_cleanup_message_ struct json_object *ids = NULL;
	int r;

	if (events->n_ids == 0)
		return message_build(ret, MEMBERS(M_NONE));
	r = message_new_array(&ids);
	for (size_t i = 0; r >= 0 && i < events->n_ids; i++)
		r = message_append_int(ids, events->ids[i]);
	return r < 0 ? r : message_build(ret, MEMBERS(M_OBJECT("ids", TAKE_PTR(ids))));
}

static int events_connect(struct events *events, bool at_once, struct complaint *complaint)
{
	_cleanup_(connection_freep) struct connection *connection = NULL;
	struct json_object *parameters;
	int r = at_once ? connection_open_at_once(events->path, &connection, complaint)
			: connection_open(events->path, &connection, complaint);

	if (r < 0)
		return r;
	r = events_parameters(events, &parameters);
	if (r < 0)
		return r;
	r = connection_send(connection, METHOD, parameters, true, complaint);
	if (r < 0)
		return r;
	events->connection = TAKE_PTR(connection);
	return 0;
}

static int events_catch_signals(struct events *events)
{
	sigset_t mask;
	int fd;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (sigprocmask(SIG_BLOCK, &mask, &events->old_mask) < 0) {
		int r = -errno;

		fd_close(fd);
		return r;
	}
	events->signal_fd = fd;
	return 0;
}

int events_open(const char *path, const int64_t *ids, size_t n, struct events **ret,
		struct complaint *complaint)
{
	_cleanup_(events_freep) struct events *events = calloc(1, sizeof(*events));
	int r;

	if (!events)
		return -ENOMEM;
	*events = (struct events){ .path = path, .ids = ids, .n_ids = n, .signal_fd = -1 };
	r = events_connect(events, false, complaint);
	if (r < 0)
		return r;
	r = events_catch_signals(events);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(events);
	return 0;
}

int events_open_polled(const char *path, struct events **ret, struct complaint *complaint)
{
	_cleanup_(events_freep) struct events *events = calloc(1, sizeof(*events));
	int r;

	if (!events)
		return -ENOMEM;
	*events = (struct events){ .path = path, .signal_fd = -1 };
	r = events_connect(events, false, complaint);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(events);
	return 0;
}

/*
 * True when the user wants an end. The signal is read away, or it would strike when the old mask is
 * put back.
 */
static bool events_take_signal(const struct events *events)
{
	struct signalfd_siginfo info;

	return read(events->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

/*
 * Waits for the daemon (while there is one) or the user, or for so many milliseconds (-1: for ever).
 * 1: the user; 0: anything else.
 */
static int events_wait(const struct events *events, int timeout)
{
	struct pollfd fds[] = {
		{ .fd = events->signal_fd, .events = POLLIN },
		{ .fd = events->connection ? connection_fd(events->connection) : -1,
		  .events = POLLIN },
	};

	while (poll(fds, ARRAY_SIZE(fds), timeout) < 0)
		if (errno != EINTR)
			return -errno;
	return events_take_signal(events);
}

static int event_read(struct json_object *parameters, struct event *ret, struct problem *problem)
{
	struct json_object *job = message_member(parameters, "job");
	struct json_object *port = message_member(parameters, "port");
	struct event event = { .has_job = job, .has_port = port };
	int r = 0;

	if (job)
		r = job_from_json(job, &event.job, problem);
	if (r >= 0 && port)
		r = port_from_json(port, &event.port, problem);
	if (r < 0) {
		event_clear(&event);
		return r;
	}
	event.parameters = message_ref(parameters);
	*ret = event;
	return 0;
}

static int events_take(struct events *events, struct varlink_reply *reply, struct event *ret,
		       struct complaint *complaint)
{
	struct problem problem = { 0 };
	int r = event_read(reply->parameters, ret, &problem);

	events->last = !reply->continues;
	varlink_reply_clear(reply);
	if (r == -EBADMSG)
		return complaint_bad_reply(complaint, METHOD, &problem);
	return r < 0 ? r : EVENTS_NEXT;
}

int events_poll(struct events *events, struct event *ret, struct complaint *complaint)
{
	struct varlink_reply reply;
	int r;

	if (events->last)
		return EVENTS_ENDED;
	r = connection_receive(events->connection, &reply, complaint);
	if (r > 0)
		return events_take(events, &reply, ret, complaint);
	if (r == -EPIPE) {
		connection_free(TAKE_PTR(events->connection));
		return EVENTS_LOST;
	}
	return r < 0 ? r : EVENTS_NOTHING;
}

int events_next(struct events *events, struct event *ret, struct complaint *complaint)
{
	for (;;) {
		int r = events_poll(events, ret, complaint);

		if (r != EVENTS_NOTHING)
			return r;
		r = events_wait(events, -1);
		if (r != 0)
			return r < 0 ? r : EVENTS_INTERRUPTED;
	}
}

int events_fd(const struct events *events)
{
	return events->connection ? connection_fd(events->connection) : -1;
}

int events_retry(struct events *events, struct complaint *complaint)
{
	int r;

	connection_free(TAKE_PTR(events->connection));
	events->last = false;
	r = events_connect(events, true, complaint);
	return r < 0 ? r : EVENTS_NEXT;
}

int events_reconnect(struct events *events, double seconds, struct complaint *complaint)
{
	uint64_t deadline = time_now() + (uint64_t)(seconds * (double)USEC_PER_SEC);

	for (;;) {
		int r = events_wait(events, RECONNECT_PAUSE_MS);

		if (r != 0)
			return r < 0 ? r : EVENTS_INTERRUPTED;
		r = events_connect(events, false, complaint);
		if (r >= 0)
			return EVENTS_NEXT;
		if (r != -ECANCELED || complaint->status != STATUS_NO_DAEMON ||
		    time_now() >= deadline)
			return r;
	}
}
