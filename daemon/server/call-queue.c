/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/server/call-queue.h"

#include <errno.h>
#include <stdbool.h>

#include "daemon/server/server.h"
#include "daemon/server/session.h"
#include "protocol/control/message.h"

/* Behind workers, ports and every session. */
#define CALL_QUEUE_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 40)

struct waiting {
	struct waiting *next;
	bool begun; /* its first turn is over */
	struct call_queue *queue;
	struct call *call;
	const struct method *method;
	struct json_object *parameters;
};

struct call_queue {
	struct waiting *first, **end;
	sd_event_source *turn;
	call_queue_handler handle;
	void *userdata;
};

/* Takes one out, wherever it stands. */
static void take_out(struct call_queue *queue, struct waiting *waiting)
{
	struct waiting **link = &queue->first;

	while (*link != waiting)
		link = &(*link)->next;
	*link = waiting->next;
	if (!*link)
		queue->end = link;
}

static void waiting_free(struct waiting *waiting)
{
	if (!waiting->begun)
		call_set_gone_callback(waiting->call, NULL, NULL);
	message_unref(waiting->parameters);
	call_unref(waiting->call);
	free(waiting);
}

static void on_gone(struct call *call _unused_, void *userdata)
{
	struct waiting *waiting = userdata;

	take_out(waiting->queue, waiting);
	waiting_free(waiting);
}

/* The first call has a turn; it stays first for as long as it asks for another. */
static void give_turn(struct call_queue *queue, struct waiting *waiting)
{
	if (!waiting->begun)
		call_set_gone_callback(waiting->call, NULL, NULL);
	/* One that had begun may have lost its client since. */
	if (!waiting->begun || call_has_step(waiting->call))
		queue->handle(waiting->call, waiting->method, waiting->parameters, queue->userdata);
	waiting->begun = true;
	if (call_has_step(waiting->call))
		return;
	/* The handler may have kept the call, with a callback of its own. */
	take_out(queue, waiting);
	message_unref(waiting->parameters);
	call_unref(waiting->call);
	free(waiting);
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct call_queue *queue = userdata;

	if (queue->first)
		give_turn(queue, queue->first);
	return sd_event_source_set_enabled(source, queue->first ? SD_EVENT_ON : SD_EVENT_OFF);
}

int call_queue_add(struct call_queue *queue, struct call *call, const struct method *method,
		   struct json_object *parameters)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));
	int r;

	if (!waiting)
		return -ENOMEM;
	r = sd_event_source_set_enabled(queue->turn, SD_EVENT_ON);
	if (r < 0) {
		free(waiting);
		return r;
	}
	*waiting = (struct waiting){
		.queue = queue,
		.call = call_ref(call),
		.method = method,
		.parameters = message_ref(parameters),
	};
	call_set_gone_callback(call, on_gone, waiting);
	*queue->end = waiting;
	queue->end = &waiting->next;
	return 0;
}

int call_queue_new(sd_event *event, call_queue_handler handle, void *userdata,
		   struct call_queue **ret)
{
	_cleanup_(call_queue_freep) struct call_queue *queue = calloc(1, sizeof(*queue));
	int r;

	if (!queue)
		return -ENOMEM;
	queue->end = &queue->first;
	queue->handle = handle;
	queue->userdata = userdata;
	r = sd_event_add_defer(event, &queue->turn, on_turn, queue);
	if (r >= 0)
		r = sd_event_source_set_priority(queue->turn, CALL_QUEUE_PRIORITY);
	if (r >= 0)
		r = sd_event_source_set_enabled(queue->turn, SD_EVENT_OFF);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(queue->turn, "control-long-calls");
	*ret = TAKE_PTR(queue);
	return 0;
}

void call_queue_free(struct call_queue *queue)
{
	if (!queue)
		return;
	while (queue->first) {
		struct waiting *waiting = queue->first;

		queue->first = waiting->next;
		waiting_free(waiting);
	}
	sd_event_source_disable_unref(queue->turn);
	free(queue);
}
