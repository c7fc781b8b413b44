/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Decides what each free port should do next. A pure function of jobs, ports and rules: no clock,
 * no files, no state of its own, so that a table of cases tests all of it.
 *
 * For one port, the candidates are the queued and waiting jobs that its slot does not exclude.
 * Waiting jobs come first, then higher priority, then lower id. A candidate that asks for a chip or
 * an ME ID (a waiting job asks for the watch it began with) can only be judged once the watch is
 * identified, so such a candidate on an unidentified port means: identify first. A waiting job whose
 * watch was never identified takes the next watch in the same slot; one whose watch has no ME ID
 * takes the next watch of the same chip there. When no job wants an identified watch, the rules may;
 * to learn that nobody wants it, and which rule it gets, it is identified first.
 *
 * A watch that was read just now and starts again is not the next watch: for that time its slot is
 * only for jobs that say by its ME ID which watch they want. The jobs of one submission, and those of
 * one batch, are for different watches: one that a job of theirs has had is identified and passed
 * over, however often it comes back, save by a job with the same ticket, which does it once more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"
#include "protocol/control/port.h"

enum decision_type {
	DECIDE_NOTHING,   /* nobody wants this watch */
	DECIDE_IDENTIFY,  /* ask the watch what it is, then decide again */
	DECIDE_RUN,       /* run job on it */
	DECIDE_AUTOMATIC, /* make an automatic job and run it */
};

/* A watch that a job has had lately. */
struct served_watch {
	int64_t job;
	char *meid;
	char *batch;      /* the job's, NULL: none */
	char *ticket;     /* the job's, NULL: none */
	uint64_t created; /* the job's: the same for all jobs of one submission */
	uint64_t until;   /* monotonic, when it is forgotten: for whoever keeps it */
};

struct schedule_port {
	const struct port *port;
	bool identified;   /* chip and meid below are known */
	bool has_worker;   /* the worker that identified it is still there: none to start for it */
	bool automatic_ok; /* a rule may take this watch (not backed up just now) */
	bool restarting;   /* a watch was read in its slot just now, and may not have left yet */
	const struct served_watch *served; /* one of these may be plugged in here again */
	size_t n_served;
};

struct decision {
	enum decision_type type;
	const struct job *job; /* of DECIDE_RUN */
};

/*
 * Fills decisions[i] for ports[i]; a job is given to one port only. jobs are the unfinished ones in
 * any order; running ones are ignored. workers_free: how many more workers may be started; ports
 * beyond it that have none get DECIDE_NOTHING. -ENOMEM.
 */
_must_check_ int scheduler_decide(const struct job *const *jobs, size_t n_jobs,
				  const struct schedule_port *ports, size_t n_ports,
				  size_t workers_free, struct decision *decisions);

/* True when this job could run on this port as far as slot, chip and ME ID are known. */
bool scheduler_job_fits(const struct job *job, const struct schedule_port *port);
