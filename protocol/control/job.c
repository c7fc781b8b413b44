/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/job.h"

#include <errno.h>

#include "protocol/control/job-internal.h"
#include "protocol/control/message.h"

const char *const job_state_words[_JOB_STATE_MAX] = {
	[JOB_QUEUED] = "queued", [JOB_RUNNING] = "running", [JOB_WAITING] = "waiting",
	[JOB_DONE] = "done",     [JOB_FAILED] = "failed",   [JOB_CANCELLED] = "cancelled",
};

const char *const read_method_words[_METHOD_MAX] = {
	[METHOD_AUTO] = "auto",
	[METHOD_BROM] = "brom",
	[METHOD_DA] = "da",
};

const char *const verify_mode_words[_VERIFY_MAX] = {
	[VERIFY_AUTO] = "auto",
	[VERIFY_NONE] = "none",
	[VERIFY_SAMPLE] = "sample",
	[VERIFY_FULL] = "full",
};

const char *const after_action_words[_AFTER_MAX] = {
	[AFTER_RESET] = "reset",
	[AFTER_OFF] = "off",
	[AFTER_STAY] = "stay",
};

const char *const phase_words[_PHASE_MAX] = {
	[PHASE_HANDSHAKE] = "handshake", [PHASE_IDENTIFY] = "identify", [PHASE_UPLOAD] = "upload",
	[PHASE_READ] = "read",           [PHASE_VERIFY] = "verify",     [PHASE_REBUILD] = "rebuild",
	[PHASE_PUBLISH] = "publish",
};

#define DEFINE_WORDS(name, type, table)                                         \
	const char *name##_to_string(type value)                                \
	{                                                                       \
		return (size_t)value < ARRAY_SIZE(table) ? table[value] : NULL; \
	}                                                                       \
                                                                                \
	int name##_from_string(const char *s, type *ret)                        \
	{                                                                       \
		int index = word_find(table, ARRAY_SIZE(table), s);             \
                                                                                \
		if (index < 0)                                                  \
			return index;                                           \
		*ret = (type)index;                                             \
		return 0;                                                       \
	}                                                                       \
	struct words_##name##_end

DEFINE_WORDS(job_state, enum job_state, job_state_words);
DEFINE_WORDS(read_method, enum read_method, read_method_words);
DEFINE_WORDS(verify_mode, enum verify_mode, verify_mode_words);
DEFINE_WORDS(after_action, enum after_action, after_action_words);
DEFINE_WORDS(phase, enum phase, phase_words);

bool job_state_is_final(enum job_state state)
{
	return state == JOB_DONE || state == JOB_FAILED || state == JOB_CANCELLED;
}

bool job_state_may_become(enum job_state from, enum job_state to)
{
	static const bool allowed[_JOB_STATE_MAX][_JOB_STATE_MAX] = {
		/* It may fail before it ran: its time is over. */
		[JOB_QUEUED] = { [JOB_RUNNING] = true,
				 [JOB_FAILED] = true,
				 [JOB_CANCELLED] = true },
		/* Back to the queue when the daemon stops, or comes back after it was killed. */
		[JOB_RUNNING] = { [JOB_QUEUED] = true,
				  [JOB_WAITING] = true,
				  [JOB_DONE] = true,
				  [JOB_FAILED] = true,
				  [JOB_CANCELLED] = true },
		[JOB_WAITING] = { [JOB_QUEUED] = true,
				  [JOB_RUNNING] = true,
				  [JOB_FAILED] = true,
				  [JOB_CANCELLED] = true },
		/* Retry; what is done stays done. */
		[JOB_FAILED] = { [JOB_QUEUED] = true },
		[JOB_CANCELLED] = { [JOB_QUEUED] = true },
	};

	return (size_t)from < _JOB_STATE_MAX && (size_t)to < _JOB_STATE_MAX && allowed[from][to];
}

void job_clear(struct job *job)
{
	job_request_clear(&job->request);
	port_clear(&job->port);
	free(job->backup);
	failure_clear(&job->failure);
	hook_results_free(job->hooks, job->n_hooks);
	*job = (struct job){ 0 };
}
