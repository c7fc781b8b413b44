/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/view/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/calls/events.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/view/follower.h"
#include "protocol/base/strings.h"

/* A daemon that is restarted by hand or by its watchdog is back long before. */
#define RECONNECT_SECONDS 30.0

/* How to go on watching, when the user had enough of it for now. */
static void follow_detached(const struct client *client, const int64_t *ids, size_t n)
{
	_cleanup_free_ char *list = strdup("");

	for (size_t i = 0; list && i < n; i++) {
		char *longer = str_format("%s %" PRId64, list, ids[i]);

		free(list);
		list = longer;
	}
	if (list && n)
		print_note(client, "Detached; the %s. To follow again: mtkrbctl%s%s follow%s",
			   n > 1 ? "jobs go on" : "job goes on",
			   client->host           ? " -H "
			   : client->socket_given ? " --socket="
						  : "",
			   client->host           ? client->host
			   : client->socket_given ? client->socket_path
						  : "",
			   list);
}

/* The daemon is gone: says so and waits for it. As events_reconnect. */
static int follow_reconnect(const struct client *client, struct events *events,
			    struct complaint *complaint)
{
	int r;

	print_note(client, "The daemon went away; trying for %.0f s to reach it again.",
		   RECONNECT_SECONDS);
	r = events_reconnect(events, RECONNECT_SECONDS, complaint);
	if (r == EVENTS_NEXT)
		print_note(client, "The daemon is back.");
	return r;
}

static int follow_show(const struct client *client, struct event *event,
		       const struct follow_view *view, void *userdata)
{
	int r = client->json ? print_json_line(event->parameters) : 0;

	if (r >= 0)
		r = view->show(userdata, event);
	event_clear(event);
	return r;
}

/* enum events_result, or negative. */
static int follow_loop(struct client *client, struct events *events, const struct follow_view *view,
		       void *userdata, struct complaint *complaint)
{
	for (;;) {
		struct event event;
		int r = events_next(events, &event, complaint);

		if (r == EVENTS_NEXT) {
			r = follow_show(client, &event, view, userdata);
			if (r != 0)
				return r < 0 ? r : EVENTS_ENDED;
		} else if (r == EVENTS_LOST) {
			view->pause(userdata);
			r = follow_reconnect(client, events, complaint);
			if (r != EVENTS_NEXT)
				return r;
		} else {
			return r;
		}
	}
}

int follow_events(struct client *client, const int64_t *ids, size_t n,
		  const struct follow_view *view, void *userdata)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_(events_freep) struct events *events = NULL;
	int r = events_open(client->socket_path, ids, n, &events, &complaint);

	if (r >= 0)
		r = follow_loop(client, events, view, userdata, &complaint);
	view->pause(userdata);
	if (r < 0)
		return client_complain(client, r, &complaint);
	if (r == EVENTS_INTERRUPTED) {
		follow_detached(client, ids, n);
		return STATUS_INTERRUPTED;
	}
	return STATUS_DONE;
}

static int follow_show_job(void *userdata, const struct event *event)
{
	struct follower *follower = userdata;
	int r = event->has_job ? follower_update(follower, &event->job) : 0;

	return r < 0 ? r : follower_is_complete(follower);
}

static void follow_pause(void *userdata)
{
	follower_pause(userdata);
}

int follow_jobs(struct client *client, const int64_t *ids, size_t n)
{
	static const struct follow_view view = { follow_show_job, follow_pause };
	_cleanup_(follower_freep) struct follower *follower = NULL;
	int r = follower_new(client, ids, n, &follower);

	if (r < 0)
		return client_status(client, r);
	r = follow_events(client, ids, n, &view, follower);
	if (r != STATUS_DONE)
		return r;
	if (!follower_is_complete(follower)) {
		print_failure(client,
			      "the daemon at %s stopped telling about the jobs before they "
			      "ended",
			      client->socket_path);
		print_hint(client, "'mtkrbctl jobs' shows what has become of them");
		return STATUS_NO_DAEMON;
	}
	return follower_finish(follower);
}
