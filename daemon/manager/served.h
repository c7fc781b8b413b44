/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The watches that jobs had lately, so that the next job of the same submission or batch gets another
 * one: a watch that stays plugged in starts its boot ROM again and again (protocol.md 1.5).
 */

#include <stddef.h>

#include "daemon/policy/scheduler.h"
#include "protocol/base/time.h"

/* For how long: without its battery a watch stays in the boot ROM for two minutes each time. */
#define SERVED_USEC (600 * USEC_PER_SEC)

struct served {
	struct served_watch *watches;
	size_t n;
};

void served_clear(struct served *served);

/*
 * The job's attempt on the watch of job->port is over, and not because it was cancelled: that ticket was
 * a mistake. Without ME ID, without memory, or when the watch was to stay, nothing is kept.
 */
void served_add(struct served *served, const struct job *job);

/* That watch is here again: it counts as long again. NULL is ignored. */
void served_seen(struct served *served, const char *meid);

/* Drops those that were not seen for long. */
void served_forget_old(struct served *served);
