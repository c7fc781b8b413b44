/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/verb.h"
#include "client/view/follow.h"

static int follow_run(struct client *client, struct arguments *arguments)
{
	_cleanup_free_ int64_t *ids = NULL;
	char **operands;
	size_t n;

	if (arguments_only_operands(arguments, 0, SIZE_MAX, &operands, &n) < 0)
		return arguments->status;
	ids = calloc(n + 1, sizeof(*ids));
	if (!ids)
		return client_status(client, -ENOMEM);
	for (size_t i = 0; i < n; i++)
		if (arguments_job_id(arguments, operands[i], &ids[i]) < 0)
			return arguments->status;
	return follow_jobs(client, ids, n);
}

const struct verb verb_follow = {
	.name = "follow",
	.group = "Jobs",
	.arguments = "[ID...]",
	.summary = "progress of jobs until they end",
	.details =
		"Without an ID: of all jobs, until interrupted. Ctrl-C ends the following, never a "
		"job.\nExit status 0 when all the jobs are done, 1 when one failed or was "
		"cancelled.",
	.run = follow_run,
};
