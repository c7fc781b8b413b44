/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The download agent for a watch, out of what came with the job: the file that the job names, else
 * the first fitting one, by name, of those that the daemon keeps.
 */

#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"
#include "protocol/control/worker-message.h"
#include "protocol/device/brom.h"
#include "protocol/device/da-file.h"

struct agent {
	int fd; /* of the file; -1: none */
	struct da_file *file;
	const struct da_entry *entry;
};

/* True when the job came with a file or the daemon's directory of them. */
bool agent_is_offered(const struct worker_files *files);

/*
 * Finds the agent for the chip of identity, which must be known. -ENOENT with FAILURE_DA_MISSING
 * when there is none, or the named file is no good.
 */
_must_check_ int agent_find(const struct worker_files *files, const struct job_request *request,
			    const struct brom_identity *identity, struct agent *ret,
			    struct failure *failure);
void agent_close(struct agent *agent);
