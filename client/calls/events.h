/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The stream of Follow: what happens to jobs and ports, also across a restart of the daemon. While it
 * is open, SIGINT and SIGTERM do not end the program but the waiting; of a polled one that never
 * waits, they are not its business.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/complaint.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"
#include "protocol/control/port.h"

struct events;
struct json_object;

struct event {
	struct json_object *parameters; /* as it came */
	bool has_job;
	bool has_port;
	struct job job;
	struct port port;
};

void event_clear(struct event *event);

enum events_result {
	EVENTS_ENDED,       /* the daemon has nothing more to tell */
	EVENTS_NEXT,        /* one event */
	EVENTS_LOST,        /* the daemon went away; events_reconnect may bring it back */
	EVENTS_INTERRUPTED, /* by the user */
	EVENTS_NOTHING,     /* nothing yet; only from events_poll */
};

/* Follows n jobs, or with n 0 everything. path and ids are borrowed. Errors as in connection.h. */
_must_check_ int events_open(const char *path, const int64_t *ids, size_t n, struct events **ret,
			     struct complaint *complaint);
void events_free(struct events *events);
DEFINE_CLEANUP(struct events *, events_free);

/* Waits for what comes next: enum events_result, or negative. *ret is set for EVENTS_NEXT only. */
_must_check_ int events_next(struct events *events, struct event *ret, struct complaint *complaint);

/*
 * Tries for so many seconds to reach the daemon again. EVENTS_NEXT: the stream begins anew, with the
 * present state first; EVENTS_INTERRUPTED; negative: it did not come back, or said no.
 */
_must_check_ int events_reconnect(struct events *events, double seconds,
				  struct complaint *complaint);

/* ---- For who has more to wait for: everything is followed, and nothing waits once it is open ---- */

_must_check_ int events_open_polled(const char *path, struct events **ret,
				    struct complaint *complaint);

/* For poll(); -1 while the daemon is away. */
int events_fd(const struct events *events);

/* What came: as events_next, EVENTS_NOTHING instead of waiting. */
_must_check_ int events_poll(struct events *events, struct event *ret, struct complaint *complaint);

/* One attempt to reach the daemon again: EVENTS_NEXT, or negative with words. */
_must_check_ int events_retry(struct events *events, struct complaint *complaint);
