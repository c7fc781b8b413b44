/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Queues jobs at the daemon: the call Submit. */

#include <stddef.h>
#include <stdint.h>

#include "client/complaint.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"

struct client;
struct json_object;
struct request;

struct submission {
	struct json_object *reply; /* as it came */
	int64_t *ids;              /* of the jobs, at least one */
	size_t n;
};

/*
 * Submits job, which is the request's own or a copy with other words in it; the files of the request
 * go along, and stay open for the next. -ECANCELED with *complaint, -ENOMEM, another negative errno.
 */
_must_check_ int submission_send(struct client *client, const struct request *request,
				 const struct job_request *job, struct submission *ret,
				 struct complaint *complaint);
void submission_clear(struct submission *submission);
