/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs as people see them: a line in a table, or all about one. Both print on stdout. */

#include "client/output/term.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"

struct json_object;
struct problem;

/* A table of an array of jobs. -EBADMSG with *problem, -ENOMEM. */
_must_check_ int job_view_table(const struct term *term, struct json_object *jobs,
				struct problem *problem);

/* -ENOMEM. */
_must_check_ int job_view_print(const struct term *term, const struct job *job);
