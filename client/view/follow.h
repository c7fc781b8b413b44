/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Following to the end: the events, a daemon that comes and goes, and Ctrl-C. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

struct client;
struct event;

struct follow_view {
	/* Shows an event: 1 when that was the last of interest, 0 to go on, negative errno. */
	int (*show)(void *userdata, const struct event *event);
	/* The terminal is needed for something else for a moment. */
	void (*pause)(void *userdata);
};

/*
 * Shows the events of n jobs (0: of everything) until the view has seen enough or the daemon has no
 * more to tell; with --json prints them too. Returns an exit status; what is not STATUS_DONE was
 * printed.
 */
_must_check_ int follow_events(struct client *client, const int64_t *ids, size_t n,
			       const struct follow_view *view, void *userdata);

/* Follows n jobs (0: all there are) with progress; the exit status says how they ended. */
_must_check_ int follow_jobs(struct client *client, const int64_t *ids, size_t n);
