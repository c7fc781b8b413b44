/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/calls/events.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/progress.h"
#include "client/output/text.h"
#include "client/output/tint.h"
#include "client/output/when.h"
#include "client/verb.h"
#include "client/view/follow.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

/* "TIME  what  state  details": details are cleaned here. */
static int monitor_line(const struct client *client, const char *what, enum tint tint,
			const char *state, const char *details)
{
	const struct term *term = &client->out;
	_cleanup_free_ char *clean_what = text_clean(what), *clean = text_clean(details);
	char now[WHEN_TEXT_SIZE];

	if (!clean || !clean_what)
		return -ENOMEM;
	printf("%s%s%s  %s  %s%s%s%s%s\n", term_begin(term, TINT_FAINT),
	       when_local(time_real(), now), term_end(term, TINT_FAINT), clean_what,
	       term_begin(term, tint), state, term_end(term, tint), *clean ? "  " : "", clean);
	fflush(stdout);
	return 0;
}

/* What there is to say about a job beyond its state. */
static char *monitor_job_details(const struct job *job)
{
	const char *code = failure_code_to_string(job->failure.code);

	if (job->state == JOB_RUNNING && job->progress.phase != PHASE_NONE)
		return progress_text(&job->progress);
	if (job->state == JOB_DONE && job->backup)
		return str_format("backup %s", job->backup);
	if (code)
		return str_format("%s: %s", code, job->failure.message ? job->failure.message : "");
	return strdup("");
}

static int monitor_job(const struct client *client, const struct job *job)
{
	_cleanup_free_ char *what = str_format("job %" PRId64, job->id);
	_cleanup_free_ char *details = monitor_job_details(job);

	if (!what || !details)
		return -ENOMEM;
	return monitor_line(client, what, tint_job(job->state), job_state_to_string(job->state),
			    details);
}

static int monitor_port(const struct client *client, const struct port *port)
{
	_cleanup_free_ char *what = str_format("port %s", port->slot);
	_cleanup_free_ char *job = port->job ? str_format(" job %" PRId64, port->job) : strdup("");
	_cleanup_free_ char *details = NULL;

	if (!what || !job)
		return -ENOMEM;
	details = str_format("%s %s%s%s%s%s%s%s", port->device, port->mode, port->chip ? " " : "",
			     port->chip ? port->chip : "", port->meid ? " " : "",
			     port->meid ? port->meid : "", job, port->failure.message ? ": " : "");
	if (details && port->failure.message) {
		char *longer = str_format("%s%s", details, port->failure.message);

		free(details);
		details = longer;
	}
	if (!details)
		return -ENOMEM;
	return monitor_line(client, what, tint_port(port->state), port_state_to_string(port->state),
			    details);
}

static int monitor_show(void *userdata, const struct event *event)
{
	const struct client *client = userdata;
	int r = 0;

	if (client->json)
		return 0;
	if (event->has_port)
		r = monitor_port(client, &event->port);
	if (r >= 0 && event->has_job)
		r = monitor_job(client, &event->job);
	return r;
}

/* Nothing is drawn that would have to go. */
static void monitor_pause(void *userdata _unused_)
{
}

static int monitor_run(struct client *client, struct arguments *arguments)
{
	static const struct follow_view view = { monitor_show, monitor_pause };
	char **operands;
	size_t n;

	if (arguments_only_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	return follow_events(client, NULL, 0, &view, client);
}

const struct verb verb_monitor = {
	.name = "monitor",
	.group = "Jobs",
	.arguments = "",
	.summary = "every event of ports and jobs, until interrupted",
	.run = monitor_run,
};
