/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Calls that take long to answer (lists) wait here and are answered one at a time, behind all else
 * that the loop has to do. One that asks for more turns (call_set_step) has them before the next
 * begins: so a short call waits for one turn at most, however many and long the others are, and the
 * memory of only one of them is in use.
 */

#include <systemd/sd-event.h>

#include "protocol/base/cleanup.h"

struct call;
struct call_queue;
struct json_object;
struct method;

/* Answers a call whose turn has come, or takes its next step. */
typedef void (*call_queue_handler)(struct call *call, const struct method *method,
				   struct json_object *parameters, void *userdata);

_must_check_ int call_queue_new(sd_event *event, call_queue_handler handle, void *userdata,
				struct call_queue **ret);

/* Drops the calls in it. */
void call_queue_free(struct call_queue *queue);
DEFINE_CLEANUP(struct call_queue *, call_queue_free);

/*
 * Keeps the call until its turn, or until the client is gone; method and parameters stay as long as
 * the call does. -ENOMEM.
 */
_must_check_ int call_queue_add(struct call_queue *queue, struct call *call,
				const struct method *method, struct json_object *parameters);
