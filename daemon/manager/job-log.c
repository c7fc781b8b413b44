/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/job-log.h"

#include "daemon/log-ids.h"

struct log_context job_log_context(const struct job *job)
{
	return (struct log_context){ .job = job->id,
				     .slot = job->port.slot,
				     .chip = job->port.chip };
}

void job_log_state(const struct job *job)
{
	struct log_context context = job_log_context(job);
	const char *why = job->failure.message ?: "";

	if (job->failure.code != FAILURE_NONE)
		context.failure = failure_code_to_string(job->failure.code);
	switch (job->state) {
	case JOB_DONE:
		context.id = LOG_ID_JOB_DONE;
		context.backup = job->backup;
		log_event(LOG_NOTICE, &context, "backup %s is complete", job->backup);
		break;
	case JOB_FAILED:
		context.id = LOG_ID_JOB_FAILED;
		log_event(LOG_WARNING, &context, "%s: %s", context.failure ?: "failed", why);
		break;
	case JOB_WAITING:
		context.id = LOG_ID_JOB_WAITING;
		log_event(LOG_NOTICE, &context, "waiting for the watch: %s", why);
		break;
	case JOB_CANCELLED:
		context.id = LOG_ID_JOB_CANCELLED;
		log_event(LOG_NOTICE, &context, "cancelled%s%s",
			  job->failure.code == FAILURE_CANCELLED ? "" : ": ",
			  job->failure.code == FAILURE_CANCELLED ? "" : why);
		break;
	default:
		break;
	}
}
