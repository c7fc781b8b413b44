/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options of submit, made into a JobRequest. */

#include <stdbool.h>
#include <stddef.h>

#include "client/complaint.h"
#include "client/verb.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"

struct request {
	struct job_request job;
	char *da, *scatter; /* as they were typed; NULL: not given */
	bool has_extent;    /* --start or --length was given: they speak of the one range ROM_0 */
	bool has_ranges;    /* --range was given */
	bool follow;
	int fds[2]; /* files that go with the call: "fd:0" and "fd:1" of the request */
	size_t n_fds;
};

extern const struct verb_option request_options[];

/* -ENOMEM. */
_must_check_ int request_init(struct request *ret);
void request_clear(struct request *request);

/*
 * Opens the files that --da and --scatter name and puts references to them into the job; a name
 * without a slash that is no file here stays the name of one of the daemon's own. -ECANCELED with
 * *complaint, -ENOMEM.
 */
_must_check_ int request_open_files(struct request *request, struct complaint *complaint);

/* Takes one option; value is NULL for those without. -ECANCELED with *complaint, -ENOMEM. */
_must_check_ int request_set(struct request *request, int key, const char *value,
			     struct complaint *complaint);

/*
 * When all options are taken: checks the whole by the daemon's own rules, so that what can be known
 * here is said here. -ECANCELED with *complaint, -EINVAL as client_status has it, -ENOMEM.
 */
_must_check_ int request_check(const struct request *request, struct complaint *complaint);
