/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files behind job.h share: word tables for the tables of fields, and a reader. */

#include "protocol/control/job.h"

extern const char *const job_state_words[_JOB_STATE_MAX];
extern const char *const read_method_words[_METHOD_MAX];
extern const char *const verify_mode_words[_VERIFY_MAX];
extern const char *const after_action_words[_AFTER_MAX];
extern const char *const phase_words[_PHASE_MAX]; /* PHASE_NONE has no word */

/*
 * A request as a reply shows it. The same checks, but members that it does not know are passed over:
 * a newer daemon may have more of them.
 */
_must_check_ int job_request_from_reply(struct json_object *object, struct job_request *ret,
					struct problem *problem);
