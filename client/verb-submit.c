/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/follow.h"
#include "client/print.h"
#include "client/request.h"
#include "client/verb.h"
#include "protocol/control/message.h"

/* The numbers that Submit answers with; -EBADMSG with *problem. */
static int submit_read_ids(struct json_object *reply, int64_t **ret, size_t *ret_n,
			   struct problem *problem)
{
	struct json_object *jobs = message_member(reply, "jobs");
	size_t n = message_length(jobs);
	_cleanup_free_ int64_t *ids = calloc(n + 1, sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	if (n == 0)
		return problem_set(problem, "jobs", "must be an array with a job at least");
	for (size_t i = 0; i < n; i++)
		if (message_int(message_at(jobs, i), &ids[i]) < 0)
			return problem_set(problem, "jobs", "must hold whole numbers");
	*ret = TAKE_PTR(ids);
	*ret_n = n;
	return 0;
}

static void submit_print_ids(const struct client *client, const int64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%" PRId64 "\n", ids[i]);
	if (n == 1 && client->out.tty)
		print_note(client, "Queued. To see it through: mtkrbctl follow %" PRId64, ids[0]);
}

static int submit_call(struct client *client, struct request *request)
{
	_cleanup_message_ struct json_object *reply = NULL;
	_cleanup_free_ int64_t *ids = NULL;
	struct json_object *job, *parameters;
	struct problem problem = { 0 };
	size_t n = 0, n_fds;
	int r = job_request_to_json(&request->job, &job);

	if (r >= 0)
		r = message_build(&parameters, MEMBERS(M_OBJECT("request", job)));
	if (r < 0)
		return client_status(client, r);
	/* The call takes the descriptors. */
	n_fds = request->n_fds;
	request->n_fds = 0;
	r = client_call_with_fds(client, "Submit", parameters, request->fds, n_fds, &reply);
	if (r != STATUS_DONE)
		return r;
	r = submit_read_ids(reply, &ids, &n, &problem);
	if (r < 0)
		return client_bad_reply(client, r, "Submit", &problem);
	if (client->json) {
		r = request->follow ? print_json_line(reply) : print_json(client, reply);
		if (r < 0)
			return client_status(client, r);
	}
	if (request->follow)
		return follow_jobs(client, ids, n);
	if (!client->json)
		submit_print_ids(client, ids, n);
	return STATUS_DONE;
}

static int submit_run(struct client *client, struct arguments *arguments)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_(request_clear) struct request request = { 0 };
	const char *value;
	char **operands;
	size_t n = 0;
	int key, r = request_init(&request);

	if (r < 0)
		return client_status(client, r);
	while ((key = arguments_next(arguments, &value)) > 0) {
		r = request_set(&request, key, value, &complaint);
		if (r < 0)
			return client_complain(client, r, &complaint);
	}
	if (key < 0 || arguments_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	r = request_open_files(&request, &complaint);
	if (r >= 0)
		r = request_check(&request, &complaint);
	if (r < 0)
		return client_complain(client, r, &complaint);
	return submit_call(client, &request);
}

const struct verb verb_submit = {
	.name = "submit",
	.group = "Jobs",
	.arguments = "",
	.summary = "queue the backup of a watch, print the job's number",
	.details = "Numbers take 0x and the suffixes K, M and G. Without options: everything, from "
		   "the\nnext watch that comes.",
	.options = request_options,
	.run = submit_run,
};
