/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The way into the flash that a job takes: the boot ROM's own reads where the chip has them, a
 * download agent where the job wants it or the boot ROM refuses; and how the watch is left.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/worker/session.h"
#include "daemon/worker/staging.h"
#include "protocol/base/cleanup.h"

struct flash_route {
	struct session *session;
	const struct job_request *request;
	const struct worker_files *files;
	struct staging *staging; /* notes a change of speed that the line did not survive */
	/* Told now and then while an agent goes to the watch. */
	void (*uploading)(void *userdata, uint64_t done, uint64_t total);
	void *userdata;
	uint64_t told_at; /* of our own: when */
};

/* Opens session->flash by the job's method; on failure *failure says why. */
_must_check_ int flash_route_open(struct flash_route *route, struct failure *failure);

/* Does with the watch what the job wants. One that does not obey is left as it is. */
void flash_route_leave(struct flash_route *route);

/* What that will be, in a sentence. */
const char *flash_route_describe_end(const struct flash_route *route);
