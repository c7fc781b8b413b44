/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The ports that are here now: those that udev found and those that were attached by hand, with what
 * is known of the watch in each and the worker that speaks to it. State only; what is done about
 * it is decided elsewhere.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/port.h"
#include "protocol/control/worker-message.h"

struct worker;

struct bench_port {
	struct port port;
	char *place;     /* where it is, whatever the slot is called: slots_of() */
	char *syspath;   /* NULL: attached by hand */
	bool identified; /* port.chip and port.meid are of the watch that is here now */
	bool left_alone; /* read already: not for the rules */
	bool excluded;   /* its slot is: no worker is started for it */
	bool gone;       /* udev or detach removed it; it stays until its worker has ended */
	/* Monotonic; until then it may be a watch that was read just now and starts: let it. */
	uint64_t starting_until;
	bool lost; /* its watch left, or its device is not there: to be looked for again */
	unsigned int lost_tries; /* in a row, for the pause between them */
	uint64_t retry_at;       /* monotonic, when to look for a lost one again */
	struct worker *worker;   /* NULL: none */
	int64_t assigned;        /* the job its worker has, 0: none */
	int64_t bound;           /* the only job whose files its worker can reach, 0: any */
};

struct bench {
	struct bench_port **ports;
	size_t n;
};

void bench_clear(struct bench *bench);

/* A new port in state idle, owned by the bench; syspath may be NULL. -ENOMEM. */
_must_check_ int bench_add(struct bench *bench, const char *place, const char *slot,
			   const char *device, const char *mode, const char *syspath,
			   struct bench_port **ret);

/* Takes it off the bench and frees it. */
void bench_remove(struct bench *bench, struct bench_port *port);

/* Ports that are gone are found by none of these; NULL when there is none. */
struct bench_port *bench_by_device(const struct bench *bench, const char *device);
struct bench_port *bench_by_slot(const struct bench *bench, const char *slot);
struct bench_port *bench_by_syspath(const struct bench *bench, const char *syspath);

/* The port whose worker was started for this job, a gone one too; NULL when there is none. */
struct bench_port *bench_by_job(const struct bench *bench, int64_t job);

/* Remembers what the watch said it is; on failure nothing is identified. -ENOMEM. */
_must_check_ int bench_port_identify(struct bench_port *port,
				     const struct worker_identity *identity);

/* Forgets the watch: another one may be there next time. */
void bench_port_forget(struct bench_port *port);
