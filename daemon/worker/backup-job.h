/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One backup from the request to the finished directory: is it the right watch, how large is its
 * flash, read it, prove it, write the papers.
 */

#include "daemon/worker/session.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"
#include "protocol/control/worker-message.h"

/*
 * Takes the staging directory out of files; the rest stays the caller's. 0 when the backup is complete there. On failure *failure says
 * why and what there is already is saved for a later attempt; -ECANCELED comes without a failure.
 */
_must_check_ int backup_job_run(int link_fd, struct session *session, const char *device,
				const struct worker_read *read, struct worker_files *files,
				struct failure *failure);
