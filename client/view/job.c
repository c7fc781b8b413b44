/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/view/job.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/output/facts.h"
#include "client/output/progress.h"
#include "client/output/table.h"
#include "client/output/tint.h"
#include "client/output/when.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/message.h"

#define OWNER_SIZE 64

/* A user's name, or the number where there is none. Returns buf. */
static const char *job_owner(uid_t uid, char buf[OWNER_SIZE])
{
	const struct passwd *passwd = getpwuid(uid);

	if (passwd)
		(void)snprintf(buf, OWNER_SIZE, "%s", passwd->pw_name);
	else
		(void)snprintf(buf, OWNER_SIZE, "%u", (unsigned int)uid);
	return buf;
}

/* How far it is, or what came of it. */
static void job_add_outcome(struct table *table, const struct job *job)
{
	char clock[WHEN_TEXT_SIZE];
	const struct progress *progress = &job->progress;
	const char *phase = phase_to_string(progress->phase);

	if (job->state == JOB_DONE)
		table_add(table, TINT_NONE, job->backup);
	else if (job->state == JOB_FAILED)
		table_add(table, TINT_NONE, failure_code_to_string(job->failure.code));
	else if (!phase || job_state_is_final(job->state))
		table_add(table, TINT_NONE, NULL);
	else if (progress->total == 0)
		table_add(table, TINT_NONE, phase);
	else if (progress->eta < 0 || job->state != JOB_RUNNING)
		table_addf(table, TINT_NONE, "%s %u %%", phase, progress_percent(progress));
	else
		table_addf(table, TINT_NONE, "%s %u %%, %s", phase, progress_percent(progress),
			   when_clock(progress->eta, clock));
}

static void job_add_row(struct table *table, const struct job *job, uint64_t now)
{
	const struct port *port = &job->port;
	char ago[WHEN_TEXT_SIZE], owner[OWNER_SIZE];

	table_addf(table, TINT_NONE, "%" PRId64, job->id);
	table_add(table, tint_job(job->state), job_state_to_string(job->state));
	table_add(table, TINT_NONE, port->slot ? port->slot : job->request.slot);
	table_add(table, TINT_NONE, port->chip ? port->chip : job->request.chip);
	job_add_outcome(table, job);
	table_add(table, TINT_NONE, when_ago(now, job->created, ago));
	table_add(table, TINT_NONE, job_owner(job->owner, owner));
}

int job_view_table(const struct term *term, struct json_object *jobs, struct problem *problem)
{
	static const struct column columns[] = {
		{ "ID", .right = true },
		{ .title = "STATE" },
		{ "SLOT", .cut = CUT_START },
		{ "CHIP", .cut = CUT_END },
		{ "PROGRESS", .cut = CUT_END },
		{ .title = "CREATED" },
		{ "OWNER", .cut = CUT_END, .drop = 1 },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	uint64_t now = time_real();
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	for (size_t i = 0; r >= 0 && i < message_length(jobs); i++) {
		_cleanup_(job_clear) struct job job = { 0 };

		r = job_from_json(message_at(jobs, i), &job, problem);
		if (r >= 0)
			job_add_row(table, &job, now);
	}
	return r < 0 ? r : table_print(table, term, stdout);
}

static void job_add_range(struct table *table, const struct range *range)
{
	char size[16];

	if (range->length == RANGE_AUTO)
		facts_add(table, "read", TINT_NONE, "%s from 0x%" PRIx64 " to the end",
			  range->name ? range->name : "ROM_0", range->start);
	else
		facts_add(table, "read", TINT_NONE,
			  "%s from 0x%" PRIx64 ", 0x%" PRIx64 " bytes (%s)",
			  range->name ? range->name : "ROM_0", range->start, range->length,
			  format_bytes(range->length, size));
}

static void job_add_wish(struct table *table, const char *what, const char *value)
{
	if (value)
		facts_add(table, "wanted", TINT_NONE, "%s %s", what, value);
}

static void job_add_request(struct table *table, const struct job_request *request)
{
	char span[WHEN_TEXT_SIZE];

	for (size_t i = 0; i < request->n_ranges; i++)
		job_add_range(table, &request->ranges[i]);
	facts_add(table, "method", TINT_NONE, "%s, verify %s, %s, then %s",
		  read_method_to_string(request->method), verify_mode_to_string(request->verify),
		  request->rebuild ? "rebuild firmware files" : "no firmware files",
		  after_action_to_string(request->after));
	job_add_wish(table, "slot", request->slot);
	job_add_wish(table, "chip", request->chip);
	job_add_wish(table, "ME ID", request->meid);
	facts_add_known(table, "scatter", request->scatter);
	facts_add_known(table, "agent", request->da);
	if (request->priority)
		facts_add(table, "priority", TINT_NONE, "%" PRId64, request->priority);
	if (request->timeout > 0)
		facts_add(table, "timeout", TINT_NONE, "%s", when_span(request->timeout, span));
	for (size_t i = 0; i < request->n_labels; i++)
		facts_add(table, "label", TINT_NONE, "%s=%s", request->labels[i].key,
			  request->labels[i].value);
}

static void job_add_port(struct table *table, const struct port *port)
{
	if (!port->slot)
		return;
	facts_add(table, "port", TINT_NONE, "%s (%s, %s)", port->slot,
		  port->device ? port->device : "no device", port->mode ? port->mode : "-");
	facts_add_known(table, "chip", port->chip);
	facts_add_known(table, "ME ID", port->meid);
}

static void job_add_failure(struct table *table, const struct failure *failure)
{
	const char *code = failure_code_to_string(failure->code);

	if (!code)
		return;
	facts_add(table, "failure", TINT_BAD, "%s", code);
	facts_add_known(table, "reason", failure->message);
	facts_add_known(table, "hint", failure->hint);
}

static void job_add_hook(struct table *table, const struct hook_result *hook)
{
	const char *message = hook->message ? hook->message : "";
	const char *colon = hook->message ? ": " : "";

	switch (hook->outcome) {
	case HOOK_OK:
		facts_add(table, "hook", TINT_NONE, "%s ok", hook->name);
		break;
	case HOOK_FAILED:
		facts_add(table, "hook", TINT_BAD, "%s failed (exit %" PRId64 ")%s%s", hook->name,
			  hook->status, colon, message);
		break;
	case HOOK_KILLED:
		facts_add(table, "hook", TINT_BAD, "%s killed (signal %" PRId64 ")%s%s", hook->name,
			  hook->status, colon, message);
		break;
	case HOOK_TIMEOUT:
		facts_add(table, "hook", TINT_BAD, "%s took longer than %.0f s and was killed%s%s",
			  hook->name, hook->seconds, colon, message);
		break;
	default:
		facts_add(table, "hook", TINT_BAD, "%s %s%s%s", hook->name,
			  hook_outcome_to_string(hook->outcome), colon, message);
		break;
	}
}

int job_view_print(const struct term *term, const struct job *job)
{
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_free_ char *progress = progress_text(&job->progress);
	char owner[OWNER_SIZE];
	int r = progress ? facts_new(&table) : -ENOMEM;

	if (r < 0)
		return r;
	facts_add(table, "job", TINT_HEADER, "%" PRId64, job->id);
	facts_add(table, "state", tint_job(job->state), "%s", job_state_to_string(job->state));
	if (*progress && !job_state_is_final(job->state))
		facts_add(table, "progress", TINT_NONE, "%s", progress);
	job_add_failure(table, &job->failure);
	facts_add_known(table, "backup", job->backup);
	job_add_port(table, &job->port);
	facts_add_time(table, "created", job->created);
	facts_add_time(table, "started", job->started);
	facts_add_time(table, "finished", job->finished);
	facts_add(table, "attempts", TINT_NONE, "%" PRId64, job->attempts);
	facts_add(table, "owner", TINT_NONE, "%s", job_owner(job->owner, owner));
	job_add_request(table, &job->request);
	for (size_t i = 0; i < job->n_hooks; i++)
		job_add_hook(table, &job->hooks[i]);
	return table_print(table, term, stdout);
}
