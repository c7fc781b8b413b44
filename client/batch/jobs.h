/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The jobs of one batch, as they are now. */

#include <stddef.h>
#include <stdint.h>

#include "client/complaint.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"

struct client;
struct json_object;

struct batch_jobs {
	const char *name;            /* borrowed */
	struct json_object *objects; /* an array, as they came */
	struct job *list;            /* the same: in the order in which they were queued */
	size_t n;
};

/*
 * All of them. Returns an exit status: what is not STATUS_DONE has been printed, STATUS_NOT_FOUND for
 * a batch without a job among it.
 */
_must_check_ int batch_jobs_fetch(struct client *client, const char *name, struct batch_jobs *ret);
void batch_jobs_clear(struct batch_jobs *jobs);

/* How many are in this state. */
size_t batch_jobs_count(const struct batch_jobs *jobs, enum job_state state);

/*
 * The newest job of the batch for this ticket, 0 when there is none. -ECANCELED with *complaint,
 * -ENOMEM.
 */
_must_check_ int batch_jobs_of_ticket(struct client *client, const char *name, const char *ticket,
				      int64_t *ret, struct complaint *complaint);

/* The value of a label of the job's request, NULL where it has none. */
const char *batch_jobs_label(const struct job *job, const char *key);
