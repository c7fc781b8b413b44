/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the log tells of a job: its end, and that it waits. Every way there comes through here. */

#include "daemon/log.h"
#include "protocol/control/job.h"

/* The fields of the job's lines; borrows from job. */
struct log_context job_log_context(const struct job *job);

/* To be called once for each new state that is committed; what is no news to an operator is quiet. */
void job_log_state(const struct job *job);
