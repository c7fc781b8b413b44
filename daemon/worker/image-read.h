/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From the flash into the images of the staging: every range that is not there yet, then what is to
 * be read a second time. Tells the daemon how far it is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/worker/session.h"
#include "daemon/worker/staging.h"
#include "protocol/base/cleanup.h"

struct readback;

struct image_read {
	int link; /* to the daemon */
	struct session *session;
	struct staging *staging;
	struct failure *failure;
	/* What came of it. */
	enum verify_mode verify; /* how it was verified in the end */
	uint64_t verified;       /* bytes that were read twice */
	/* Its own. */
	struct readback *readback;
	struct progress progress;
	size_t index; /* of the range being read */
	bool verifying;
	int file_error; /* what made a callback of the readback fail, 0: nothing did */
};

/* With the images open. VERIFY_AUTO goes by the line. On failure *failure says where and why. */
_must_check_ int image_read_run(struct image_read *read, enum verify_mode verify);

/* Reads that had to be repeated, 0 before it has run. */
uint64_t image_read_retries(const struct image_read *read);

/* Pieces that differed when they were read again; after a run. */
uint64_t image_read_mismatches(const struct image_read *read);

void image_read_clear(struct image_read *read);
