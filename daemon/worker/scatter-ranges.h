/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From a scatter file to the ranges it means on the watch that is here. A smartphone's scatter file
 * has the addresses; a feature phone's .cfg has names only, and the headers of the firmware found on
 * the watch place them: the boot loaders by their kind, the main files in the order of addresses.
 * The file is held against the watch first: its platform and its flash parts.
 */

#include <stddef.h>
#include <stdint.h>

#include "daemon/worker/staging.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"
#include "protocol/control/job.h"
#include "protocol/firmware/flash-facts.h"
#include "protocol/firmware/scatter.h"

/* What it is held against. */
struct scatter_watch {
	const char *chip; /* "MT6261" */
	const struct flash_facts *facts;
	const uint8_t *jedec; /* 3 bytes that the flash itself gave; NULL: it was not asked */
};

/*
 * Reads and parses the file behind fd; name is what to call it in *failure, "NAME:LINE: why".
 * -EBADMSG, or the error of the read.
 */
_must_check_ int scatter_ranges_load(int fd, const char *name, struct scatter **ret,
				     struct failure *failure);

/*
 * New ranges, one for each part that lies in this flash, with names that are fit for files and
 * unique; the caller frees them with scatter_ranges_free. -EPERM when the file is for another watch:
 * *failure shows both sides.
 */
_must_check_ int scatter_ranges_make(const struct scatter *scatter,
				     const struct scatter_watch *watch, struct range **ret,
				     size_t *ret_n, struct failure *failure);
void scatter_ranges_free(struct range *ranges, size_t n);

/*
 * All of it: the ranges that the file behind fd means on this watch take the place of the default
 * one in the staging. Ranges of the request's own are refused beside a scatter file.
 */
_must_check_ int scatter_ranges_use(int fd, const struct job_request *request,
				    const struct scatter_watch *watch, struct staging *staging,
				    struct failure *failure);
