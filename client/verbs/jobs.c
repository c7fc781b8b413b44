/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/calls/job-list.h"
#include "client/calls/query.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/when.h"
#include "client/verb.h"
#include "client/view/job.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

enum { KEY_ALL = 1, KEY_STATE, KEY_LIMIT, KEY_LABEL, KEY_SINCE };

struct jobs_query {
	bool states[_JOB_STATE_MAX];
	bool any_state;             /* was named */
	bool all;                   /* also those that have ended */
	struct json_object *labels; /* NULL: none */
	char since[TIME_TEXT_SIZE]; /* empty: no bound */
	size_t limit;
};

static void jobs_query_clear(struct jobs_query *query)
{
	message_unref(query->labels);
}

/* Which states to ask for; NULL: all of them. */
static int jobs_states(const struct jobs_query *query, struct json_object **ret)
{
	_cleanup_message_ struct json_object *states = NULL;
	int r;

	if (query->all && !query->any_state) {
		*ret = NULL;
		return 0;
	}
	r = message_new_array(&states);
	for (int s = 0; r >= 0 && s < _JOB_STATE_MAX; s++)
		if (query->any_state ? query->states[s] : !job_state_is_final((enum job_state)s))
			r = message_append_string(states, job_state_to_string((enum job_state)s));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(states);
	return 0;
}

static int jobs_print(const struct client *client, struct json_object *jobs,
		      const struct jobs_query *query)
{
	struct problem problem = { 0 };
	int r;

	if (message_length(jobs) == 0) {
		print_note(
			client,
			query->all || query->any_state
				? "No such jobs."
				: "No job is unfinished; 'mtkrbctl jobs --all' shows the others.");
		return STATUS_DONE;
	}
	r = job_view_table(&client->out, jobs, &problem);
	return r < 0 ? client_bad_reply(client, r, "ListJobs", &problem) : STATUS_DONE;
}

static int jobs_list(struct client *client, const struct jobs_query *query)
{
	_cleanup_message_ struct json_object *all = NULL, *document = NULL, *states = NULL;
	int r = jobs_states(query, &states);

	if (r >= 0)
		r = message_new_array(&all);
	if (r < 0)
		return client_status(client, r);
	r = job_list_fetch(client,
			   &(struct job_list_query){ .states = states,
						     .labels = query->labels,
						     .since = *query->since ? query->since : NULL,
						     .limit = query->limit },
			   all);
	if (r != STATUS_DONE)
		return r;
	if (!client->json)
		return jobs_print(client, all, query);
	r = message_build(&document, MEMBERS(M_OBJECT("jobs", TAKE_PTR(all))));
	if (r >= 0)
		r = print_json(client, document);
	return client_status(client, r);
}

static int jobs_option(struct arguments *arguments, struct jobs_query *query, int key,
		       const char *value)
{
	enum job_state state;
	uint64_t since;
	int64_t limit;

	switch (key) {
	case KEY_STATE:
		if (job_state_from_string(value, &state) < 0)
			return arguments_wrong(arguments,
					       "--state=%s: not one of queued, running, waiting, "
					       "done, failed, cancelled",
					       value);
		query->states[state] = query->any_state = true;
		return 0;
	case KEY_LIMIT:
		if (parse_int(value, 1, INT32_MAX, &limit) < 0)
			return arguments_wrong(arguments, "--limit=%s: not a number above 0",
					       value);
		query->limit = (size_t)limit;
		return 0;
	case KEY_LABEL:
		query->all = true;
		return query_add_label(arguments, &query->labels, value);
	case KEY_SINCE:
		if (when_parse(value, &since) < 0)
			return arguments_wrong(arguments, "--since=%s: not " WHEN_FORMS, value);
		time_format(since, query->since);
		query->all = true;
		return 0;
	default:
		query->all = true;
		return 0;
	}
}

static int jobs_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(jobs_query_clear) struct jobs_query query = { .limit = LIMIT_LIST };
	const char *value;
	char **operands;
	size_t n;
	int key;

	while ((key = arguments_next(arguments, &value)) > 0)
		if (jobs_option(arguments, &query, key, value) < 0)
			return arguments->status;
	if (key < 0 || arguments_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	return jobs_list(client, &query);
}

/* Calls method for one job. The exit status; with JSON the reply is printed, *ret_job else read. */
static int job_call(struct client *client, const char *method, int64_t id, struct job *ret_job)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *parameters;
	struct problem problem = { 0 };
	int r = message_build(&parameters, MEMBERS(M_INT("id", id)));

	if (r < 0)
		return client_status(client, r);
	r = client_call(client, method, parameters, &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	r = job_from_json(message_member(reply, "job"), ret_job, &problem);
	return r < 0 ? client_bad_reply(client, r, method, &problem) : STATUS_DONE;
}

static int show_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(job_clear) struct job job = { 0 };
	char **operands;
	int64_t id;
	size_t n;
	int r;

	if (arguments_only_operands(arguments, 1, 1, &operands, &n) < 0 ||
	    arguments_job_id(arguments, operands[0], &id) < 0)
		return arguments->status;
	r = job_call(client, "GetJob", id, &job);
	if (r != STATUS_DONE || client->json)
		return r;
	return client_status(client, job_view_print(&client->out, &job));
}

static int change_one(struct client *client, const char *method, int64_t id)
{
	_cleanup_(job_clear) struct job job = { 0 };
	int r = job_call(client, method, id, &job);

	if (r == STATUS_DONE && !client->json && !client->quiet)
		print_line("job %" PRId64 ": %s", id, job_state_to_string(job.state));
	return r;
}

/* Each job by itself, so that one that cannot be changed does not keep the others from it. */
static int change_run(struct client *client, struct arguments *arguments, const char *method)
{
	int status = STATUS_DONE;
	char **operands;
	size_t n;
	int64_t id;

	if (arguments_only_operands(arguments, 1, SIZE_MAX, &operands, &n) < 0)
		return arguments->status;
	for (size_t i = 0; i < n; i++)
		if (arguments_job_id(arguments, operands[i], &id) < 0)
			return arguments->status;
	for (size_t i = 0; i < n; i++) {
		int r = arguments_job_id(arguments, operands[i], &id);

		r = r < 0 ? arguments->status : change_one(client, method, id);
		if (status == STATUS_DONE)
			status = r;
		if (r == STATUS_NO_DAEMON)
			break;
	}
	return status;
}

static int cancel_run(struct client *client, struct arguments *arguments)
{
	return change_run(client, arguments, "Cancel");
}

static int retry_run(struct client *client, struct arguments *arguments)
{
	return change_run(client, arguments, "Retry");
}

static const struct verb_option jobs_options[] = {
	{ "all", KEY_ALL, NULL, "finished jobs too" },
	{ "state", KEY_STATE, "STATE",
	  "only these: queued, running, waiting, done, failed, "
	  "cancelled" },
	{ "label", KEY_LABEL, "KEY=VALUE",
	  "only those with this label, finished or not; repeatable" },
	{ "since", KEY_SINCE, "TIME", "only those made or finished since: 2026-11-23, 12h, 7d" },
	{ "limit", KEY_LIMIT, "N", "the newest N (default 1000)" },
	{ 0 },
};

const struct verb verb_jobs = {
	.name = "jobs",
	.group = "Jobs",
	.arguments = "",
	.summary = "list the jobs that have not ended, the newest first",
	.options = jobs_options,
	.run = jobs_run,
};

const struct verb verb_show = {
	.name = "show",
	.group = "Jobs",
	.arguments = "ID",
	.summary = "all about one job",
	.run = show_run,
};

const struct verb verb_cancel = {
	.name = "cancel",
	.group = "Jobs",
	.arguments = "ID...",
	.summary = "end jobs before they are done",
	.run = cancel_run,
};

const struct verb verb_retry = {
	.name = "retry",
	.group = "Jobs",
	.arguments = "ID...",
	.summary = "queue failed or cancelled jobs again",
	.run = retry_run,
};
