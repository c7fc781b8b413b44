/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/calls/job-list.h"

#include <errno.h>

#include "client/client.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define METHOD "ListJobs"

/*
 * Moves a reply's jobs to the end of all. The number of them; *before becomes the smallest id, which
 * must go down from reply to reply, or the list would never end. -EBADMSG with *problem.
 */
static int collect(struct json_object *reply, struct json_object *all, int64_t *before,
		   struct problem *problem)
{
	struct json_object *jobs = message_member(reply, "jobs");
	size_t n = MIN_OF(message_length(jobs), (size_t)LIMIT_LIST);

	if (!message_is_array(jobs))
		return problem_set(problem, "jobs", "must be an array");
	for (size_t i = 0; i < n; i++) {
		struct json_object *job = message_at(jobs, i);
		int64_t id;
		int r;

		if (!job || message_int(message_member(job, "id"), &id) < 0 || id >= *before)
			return problem_set(problem, "jobs", "must be jobs, the newest first");
		*before = id;
		r = message_append(all, message_ref(job));
		if (r < 0)
			return r;
	}
	return (int)n;
}

/* One call for the jobs older than before. The exit status, the count in *ret_n. */
static int ask(struct client *client, const struct job_list_query *query, struct json_object *all,
	       int64_t *before, size_t *ret_n)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *parameters;
	struct problem problem = { 0 };
	size_t left = query->limit - message_length(all);
	int r = message_build(&parameters,
			      MEMBERS(M_OBJECT("states", message_ref(query->states)),
				      M_INT("limit", MIN_OF(left, (size_t)LIMIT_LIST)),
				      M_INT_IF(*before != INT64_MAX, "before", *before),
				      M_OBJECT("labels", message_ref(query->labels)),
				      M_STRING_OPT("since", query->since)));

	if (r < 0)
		return client_status(client, r);
	r = client_call(client, METHOD, parameters, &reply);
	if (r != STATUS_DONE)
		return r;
	r = collect(reply, all, before, &problem);
	if (r < 0)
		return client_bad_reply(client, r, METHOD, &problem);
	*ret_n = (size_t)r;
	return STATUS_DONE;
}

int job_list_fetch(struct client *client, const struct job_list_query *query,
		   struct json_object *all)
{
	int64_t before = INT64_MAX;
	size_t n = 1;

	while (n > 0 && message_length(all) < query->limit) {
		int r = ask(client, query, all, &before, &n);

		if (r != STATUS_DONE)
			return r;
	}
	return STATUS_DONE;
}
