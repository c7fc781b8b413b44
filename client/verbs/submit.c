/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/calls/request.h"
#include "client/calls/submission.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "client/view/follow.h"

static void submit_print_ids(const struct client *client, const int64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%" PRId64 "\n", ids[i]);
	if (n == 1 && client->out.tty)
		print_note(client, "Queued. To see it through: mtkrbctl follow %" PRId64, ids[0]);
}

static int submit_show(struct client *client, const struct submission *submission, bool follow)
{
	int r = 0;

	if (client->json)
		r = follow ? print_json_line(submission->reply)
			   : print_json(client, submission->reply);
	if (r < 0)
		return client_status(client, r);
	if (follow)
		return follow_jobs(client, submission->ids, submission->n);
	if (!client->json)
		submit_print_ids(client, submission->ids, submission->n);
	return STATUS_DONE;
}

static int submit_run(struct client *client, struct arguments *arguments)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_(submission_clear) struct submission submission = { 0 };
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
	if (r >= 0)
		r = submission_send(client, &request, &request.job, &submission, &complaint);
	if (r < 0)
		return client_complain(client, r, &complaint);
	return submit_show(client, &submission, request.follow);
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
