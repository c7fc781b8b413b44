/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How large the flash is and what of it a job means: gathers the evidence, judges it, and gives every
 * range its length, before the first image is opened. What it finds is in the staging's state, by
 * which a later attempt goes on without asking again.
 */

#include <stdint.h>

#include "daemon/worker/session.h"
#include "daemon/worker/staging.h"
#include "protocol/base/cleanup.h"

struct flash_search {
	struct session *session;
	const struct job_request *request;
	int scatter; /* the job's scatter file, -1: none */
	struct staging *staging;
	struct failure *failure;
	int file_error; /* of its own: what made noting a probe fail, 0: nothing did */
};

/* Ends with a resolved and saved state, or with *failure; the state then tells what was tried. */
_must_check_ int flash_search_run(struct flash_search *search);

/*
 * The id that the flash itself gave, in this attempt or an earlier one, or the agent: in the state
 * or put into buffer. NULL: neither was asked, or had one.
 */
const uint8_t *flash_search_jedec(const struct staging_state *state, const struct session *session,
				  uint8_t buffer[DA_REPORT_JEDEC]);
