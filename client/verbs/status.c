/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/output/facts.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "protocol/base/strings.h"
#include "protocol/control/job.h"
#include "protocol/control/message.h"

struct daemon_status {
	char *version;
	double uptime;            /* seconds */
	uint64_t ports, excluded; /* excluded: how many of the ports are */
	struct json_object *jobs; /* state to number */
	uint64_t free;            /* bytes */
};

static void daemon_status_clear(struct daemon_status *status)
{
	free(status->version);
	message_unref(status->jobs);
}

#define F(type_, name_, flags_)                                                                   \
	{                                                                                         \
		.name = #name_, .type = (type_), .offset = offsetof(struct daemon_status, name_), \
		.flags = (flags_)                                                                 \
	}

static const struct field status_fields[] = {
	F(FIELD_STRING, version, FIELD_REQUIRED), F(FIELD_REAL, uptime, FIELD_REQUIRED),
	F(FIELD_UINT, ports, FIELD_REQUIRED),     F(FIELD_OBJECT, jobs, FIELD_REQUIRED),
	F(FIELD_UINT, free, FIELD_REQUIRED),      F(FIELD_UINT, excluded, 0),
};

/* "1 running, 12 done": all states that have any, in the order of a job's life. */
static int status_jobs_text(struct json_object *jobs, char **ret)
{
	_cleanup_free_ char *text = NULL;

	for (int state = 0; state < _JOB_STATE_MAX; state++) {
		const char *word = job_state_to_string((enum job_state)state);
		char *longer;
		int64_t n = 0;

		if (message_int(message_member(jobs, word), &n) < 0 || n <= 0)
			continue;
		longer = str_format("%s%s%" PRId64 " %s", text ? text : "", text ? ", " : "", n,
				    word);
		if (!longer)
			return -ENOMEM;
		free(text);
		text = longer;
	}
	if (!text)
		text = strdup("none");
	if (!text)
		return -ENOMEM;
	*ret = TAKE_PTR(text);
	return 0;
}

static int status_print(const struct client *client, const struct daemon_status *status)
{
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_free_ char *jobs = NULL;
	char up[WHEN_TEXT_SIZE], room[16];
	int r = status_jobs_text(status->jobs, &jobs);

	if (r < 0)
		return r;
	r = facts_new(&table);
	if (r < 0)
		return r;
	facts_add(table, "mtkrbd", TINT_NONE, "%s, up %s", status->version,
		  when_span(status->uptime, up));
	facts_add(table, "socket", TINT_NONE, "%s", client->socket_path);
	if (status->excluded)
		facts_add(table, "ports", TINT_NONE, "%" PRIu64 " (%" PRIu64 " excluded)",
			  status->ports, status->excluded);
	else
		facts_add(table, "ports", TINT_NONE, "%" PRIu64, status->ports);
	facts_add(table, "jobs", TINT_NONE, "%s", jobs);
	facts_add(table, "free", TINT_NONE, "%s", format_bytes(status->free, room));
	return table_print(table, &client->out, stdout);
}

static int status_run(struct client *client, struct arguments *arguments)
{
	_cleanup_message_ struct json_object *reply = NULL;
	_cleanup_(daemon_status_clear) struct daemon_status status = { 0 };
	struct problem problem = { 0 };
	char **operands;
	size_t n;
	int r;

	if (arguments_only_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	r = client_call(client, "GetStatus", NULL, &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	r = message_read_known(reply, status_fields, ARRAY_SIZE(status_fields), &status, &problem);
	if (r < 0)
		return client_bad_reply(client, r, "GetStatus", &problem);
	return client_status(client, status_print(client, &status));
}

const struct verb verb_status = {
	.name = "status",
	.group = "Daemon and ports",
	.arguments = "",
	.summary = "the daemon's version, its ports and jobs, free space",
	.run = status_run,
};
