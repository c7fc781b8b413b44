/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Batches as people see them while they run: all in a table, or one ticket by ticket. On stdout. */

#include "client/batch/jobs.h"
#include "client/output/term.h"
#include "protocol/base/cleanup.h"

struct json_object;
struct problem;

/* A table of an array of batches. -EBADMSG with *problem, -ENOMEM. */
_must_check_ int batch_view_table(const struct term *term, struct json_object *batches,
				  struct problem *problem);

/* -ENOMEM. */
_must_check_ int batch_view_print(const struct term *term, const struct batch_jobs *jobs);
