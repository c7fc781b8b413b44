/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/calls/submission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "client/calls/connection.h"
#include "client/calls/request.h"
#include "client/client.h"
#include "protocol/base/fd.h"
#include "protocol/control/message.h"

#define METHOD "Submit"

void submission_clear(struct submission *submission)
{
	message_unref(submission->reply);
	free(submission->ids);
	*submission = (struct submission){ 0 };
}

/* A call takes its descriptors, so it gets others. */
static int copy_fds(const struct request *request, int *ret)
{
	for (size_t i = 0; i < request->n_fds; i++) {
		ret[i] = fcntl(request->fds[i], F_DUPFD_CLOEXEC, 0);
		if (ret[i] < 0) {
			int r = -errno;

			while (i > 0)
				fd_close(ret[--i]);
			return r;
		}
	}
	return 0;
}

static int read_ids(struct submission *submission, struct problem *problem)
{
	struct json_object *jobs = message_member(submission->reply, "jobs");
	size_t n = message_length(jobs);

	if (n == 0)
		return problem_set(problem, "jobs", "must be an array with a job at least");
	submission->ids = calloc(n, sizeof(*submission->ids));
	if (!submission->ids)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (message_int(message_at(jobs, i), &submission->ids[i]) < 0)
			return problem_set(problem, "jobs", "must hold whole numbers");
	submission->n = n;
	return 0;
}

int submission_send(struct client *client, const struct request *request,
		    const struct job_request *job, struct submission *ret,
		    struct complaint *complaint)
{
	_cleanup_(submission_clear) struct submission submission = { 0 };
	struct json_object *object, *parameters;
	struct problem problem = { 0 };
	int fds[ARRAY_SIZE(request->fds)];
	int r = job_request_to_json(job, &object);

	if (r >= 0)
		r = message_build(&parameters, MEMBERS(M_OBJECT("request", object)));
	if (r < 0)
		return r;
	r = copy_fds(request, fds);
	if (r < 0) {
		message_unref(parameters);
		return r;
	}
	r = client_try(client, METHOD, parameters, fds, request->n_fds, &submission.reply,
		       complaint);
	if (r >= 0)
		r = read_ids(&submission, &problem);
	if (r == -EBADMSG)
		return complaint_bad_reply(complaint, METHOD, &problem);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(submission);
	return 0;
}
