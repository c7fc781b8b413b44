/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that a call of Submit names: from its descriptors, or from the daemon's own agents. */

#include "daemon/manager/manager.h"
#include "daemon/server/session.h"
#include "protocol/base/cleanup.h"

struct problem;

/*
 * Stages them for manager_submit() and puts their plain names into the request. Nothing is opened
 * that the daemon does not keep itself. -EBADMSG with *problem; else the daemon's own failure. On
 * failure nothing is staged.
 */
_must_check_ int submission_take_files(struct call *call, struct manager *manager,
				       struct job_request *request, struct problem *problem);

/* Puts in words what is wrong with a file that was sent: -EBADMSG, or error when it is not that. */
_must_check_ int submission_explain(int error, const char *field, uint64_t limit,
				    struct problem *problem);
