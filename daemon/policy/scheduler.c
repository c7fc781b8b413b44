/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/scheduler.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "protocol/base/strings.h"
#include "protocol/control/batch.h"

/* Nothing wanted fits everything; something wanted fits only what is known to be it. */
static bool wish_fits(const char *wanted, const char *known)
{
	return !wanted || (known && strcasecmp(wanted, known) == 0);
}

/* A job that has met its watch goes on with no other, also when it failed and is tried again. */
static bool has_watch(const struct job *job)
{
	return job->state == JOB_WAITING || job->port.chip;
}

/* A watch that left is known again by its ME ID, else by the place it left from. */
static bool waits_in_slot(const struct job *job)
{
	return has_watch(job) && !job->port.meid && job->port.slot;
}

static bool slot_fits(const struct job *job, const struct port *port)
{
	return (!job->request.slot || streq_ptr(job->request.slot, port->slot)) &&
	       (!waits_in_slot(job) || streq_ptr(job->port.slot, port->slot));
}

static bool identity_fits(const struct job *job, const struct port *port)
{
	if (!wish_fits(job->request.chip, port->chip) || !wish_fits(job->request.meid, port->meid))
		return false;
	return !has_watch(job) ||
	       (wish_fits(job->port.chip, port->chip) && wish_fits(job->port.meid, port->meid));
}

static bool asks_for_identity(const struct job *job)
{
	return job->request.chip || job->request.meid ||
	       (has_watch(job) && (job->port.chip || job->port.meid));
}

bool scheduler_job_fits(const struct job *job, const struct schedule_port *port)
{
	return slot_fits(job, port->port) && (!port->identified || identity_fits(job, port->port));
}

static bool names_its_watch(const struct job *job)
{
	return job->request.meid || (has_watch(job) && job->port.meid);
}

static const char *label_of(const struct job *job, const char *key)
{
	return labels_get(job->request.labels, job->request.n_labels, key);
}

/* Of one submission or batch, and neither itself nor the same ticket once more. */
static bool is_for_another(const struct job *job, const struct served_watch *watch)
{
	if (job->id == watch->job ||
	    (watch->ticket && streq_ptr(watch->ticket, label_of(job, LABEL_TICKET))))
		return false;
	return job->created == watch->created ||
	       (watch->batch && streq_ptr(watch->batch, label_of(job, LABEL_BATCH)));
}

/* Nothing is known against an unidentified one; *ret_unknown: something could be. */
static bool had_this_watch(const struct job *job, const struct schedule_port *port,
			   bool *ret_unknown)
{
	*ret_unknown = false;
	for (size_t i = 0; i < port->n_served && !names_its_watch(job); i++) {
		if ((port->identified && !streq_ptr(port->port->meid, port->served[i].meid)) ||
		    !is_for_another(job, &port->served[i]))
			continue;
		if (port->identified)
			return true;
		*ret_unknown = true;
	}
	return false;
}

static bool is_candidate(const struct job *job)
{
	return job->state == JOB_QUEUED || job->state == JOB_WAITING;
}

/* Waiting before queued, then higher priority, then lower id. */
static int compare_rank(const void *a, const void *b)
{
	const struct job *x = *(const struct job *const *)a, *y = *(const struct job *const *)b;

	if (x->state != y->state)
		return x->state == JOB_WAITING ? -1 : 1;
	if (x->request.priority != y->request.priority)
		return x->request.priority > y->request.priority ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* The candidates in order of rank; a queue of one priority usually has it already. */
static size_t rank_candidates(const struct job *const *jobs, size_t n_jobs,
			      const struct job **candidates)
{
	bool in_order = true;
	size_t n = 0;

	for (size_t i = 0; i < n_jobs; i++) {
		if (!is_candidate(jobs[i]))
			continue;
		candidates[n] = jobs[i];
		if (n > 0 && compare_rank(&candidates[n - 1], &candidates[n]) > 0)
			in_order = false;
		n++;
	}
	if (!in_order)
		qsort(candidates, n, sizeof(*candidates), compare_rank);
	return n;
}

/* The best job for this port is taken out of candidates when it can run at once. */
static struct decision decide_port(const struct schedule_port *port, const struct job **candidates,
				   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct job *job = candidates[i];
		bool unknown;

		if (!job || !scheduler_job_fits(job, port) ||
		    (port->restarting && !names_its_watch(job)) ||
		    had_this_watch(job, port, &unknown))
			continue;
		if (!port->identified && (unknown || asks_for_identity(job)))
			return (struct decision){ .type = DECIDE_IDENTIFY };
		candidates[i] = NULL;
		return (struct decision){ .type = DECIDE_RUN, .job = job };
	}
	if (port->automatic_ok)
		return (struct decision){ .type = port->identified ? DECIDE_AUTOMATIC
								   : DECIDE_IDENTIFY };
	return (struct decision){ .type = DECIDE_NOTHING };
}

int scheduler_decide(const struct job *const *jobs, size_t n_jobs,
		     const struct schedule_port *ports, size_t n_ports, size_t workers_free,
		     struct decision *decisions)
{
	_cleanup_free_ const struct job **candidates = calloc(n_jobs + 1, sizeof(*candidates));
	size_t n;

	if (!candidates)
		return -ENOMEM;
	n = rank_candidates(jobs, n_jobs, candidates);
	for (size_t i = 0; i < n_ports; i++) {
		decisions[i] = (struct decision){ .type = DECIDE_NOTHING };
		if (!ports[i].has_worker && workers_free == 0)
			continue;
		decisions[i] = decide_port(&ports[i], candidates, n);
		if (decisions[i].type != DECIDE_NOTHING && !ports[i].has_worker)
			workers_free--;
	}
	return 0;
}
