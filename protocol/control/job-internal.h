/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files behind job.h share: word tables for the tables of fields. */

#include "protocol/control/job.h"

extern const char *const job_state_words[_JOB_STATE_MAX];
extern const char *const read_method_words[_METHOD_MAX];
extern const char *const verify_mode_words[_VERIFY_MAX];
extern const char *const after_action_words[_AFTER_MAX];
extern const char *const phase_words[_PHASE_MAX]; /* PHASE_NONE has no word */

