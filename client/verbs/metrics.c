/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/output/metrics.h"
#include "client/output/output.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/job.h"
#include "protocol/control/message.h"
#include "protocol/control/port.h"

enum { KEY_OUTPUT = 'o' };

/* What the daemon says of itself. */
struct figures {
	char *version;
	double uptime; /* seconds */
	struct json_object *jobs, *ended;
	uint64_t free, backups, backup_bytes, damaged, read_bytes;
	uint64_t last_backup, longest_unverified; /* 0: none */
	double done_seconds;
};

static void figures_clear(struct figures *figures)
{
	free(figures->version);
	message_unref(figures->jobs);
	message_unref(figures->ended);
}

#define F(type_, name_, flags_)                                                             \
	{                                                                                   \
		.name = #name_, .type = (type_), .offset = offsetof(struct figures, name_), \
		.flags = (flags_)                                                           \
	}

static const struct field figure_fields[] = {
	F(FIELD_STRING, version, FIELD_REQUIRED),    F(FIELD_REAL, uptime, FIELD_REQUIRED),
	F(FIELD_OBJECT, jobs, FIELD_REQUIRED),       F(FIELD_OBJECT, ended, FIELD_REQUIRED),
	F(FIELD_UINT, free, FIELD_REQUIRED),         F(FIELD_UINT, backups, FIELD_REQUIRED),
	F(FIELD_UINT, backup_bytes, FIELD_REQUIRED), F(FIELD_UINT, damaged, FIELD_REQUIRED),
	F(FIELD_UINT, read_bytes, FIELD_REQUIRED),   F(FIELD_TIME, last_backup, 0),
	F(FIELD_TIME, longest_unverified, 0),        F(FIELD_REAL, done_seconds, FIELD_REQUIRED),
};

/* ---- Writing ---- */

static int64_t number_of(struct json_object *object, const char *name)
{
	int64_t n;

	return message_int(message_member(object, name), &n) < 0 ? 0 : n;
}

static void put_jobs(FILE *out, const struct figures *figures)
{
	static const enum job_state ends[] = { JOB_DONE, JOB_FAILED, JOB_CANCELLED };

	metric_family(out, "mtkrb_jobs", METRIC_GAUGE, NULL, "Jobs by the state they are in.");
	for (int state = 0; state < _JOB_STATE_MAX; state++) {
		const char *word = job_state_to_string((enum job_state)state);

		metric_int(out, "mtkrb_jobs", "state", word, number_of(figures->jobs, word));
	}
	metric_family(out, "mtkrb_jobs_ended", METRIC_COUNTER, NULL,
		      "Jobs that ended, by how; a retried job may end again.");
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const char *word = job_state_to_string(ends[i]);

		metric_int(out, "mtkrb_jobs_ended_total", "state", word,
			   number_of(figures->ended, word));
	}
	metric_family(out, "mtkrb_job_duration_seconds", METRIC_SUMMARY, "seconds",
		      "From the start to the end of the jobs that are done.");
	metric_real(out, "mtkrb_job_duration_seconds_sum", figures->done_seconds);
	metric_int(out, "mtkrb_job_duration_seconds_count", NULL, NULL,
		   number_of(figures->ended, job_state_to_string(JOB_DONE)));
	metric_family(out, "mtkrb_read_bytes", METRIC_COUNTER, "bytes",
		      "Bytes of the backups that were made.");
	metric_int(out, "mtkrb_read_bytes_total", NULL, NULL, (int64_t)figures->read_bytes);
}

/* A time that is not known is left out. */
static void put_time(FILE *out, const char *name, uint64_t real_usec, const char *help)
{
	if (real_usec == 0)
		return;
	metric_family(out, name, METRIC_GAUGE, "seconds", help);
	metric_int(out, name, NULL, NULL, (int64_t)(real_usec / USEC_PER_SEC));
}

static void put_gauge(FILE *out, const char *name, const char *unit, uint64_t value,
		      const char *help)
{
	metric_family(out, name, METRIC_GAUGE, unit, help);
	metric_int(out, name, NULL, NULL, (int64_t)value);
}

static void put_backups(FILE *out, const struct figures *figures)
{
	put_gauge(out, "mtkrb_backups", NULL, figures->backups, "Backups in the catalogue.");
	put_gauge(out, "mtkrb_backups_size_bytes", "bytes", figures->backup_bytes,
		  "Bytes of all backups; equal ones are stored once and counted each.");
	put_gauge(out, "mtkrb_backups_damaged", NULL, figures->damaged,
		  "Backups that were found damaged.");
	put_gauge(out, "mtkrb_free_bytes", "bytes", figures->free,
		  "Bytes free on the file system of the backups.");
	put_time(out, "mtkrb_last_backup_timestamp_seconds", figures->last_backup,
		 "When the newest backup was made.");
	put_time(out, "mtkrb_longest_unverified_timestamp_seconds", figures->longest_unverified,
		 "Since when the backup that was not verified for longest has not been.");
}

static int put_ports(FILE *out, struct json_object *ports, struct problem *problem)
{
	int64_t counts[_PORT_STATE_MAX] = { 0 };

	if (!message_is_array(ports))
		return problem_set(problem, "ports", "must be an array");
	for (size_t i = 0; i < message_length(ports); i++) {
		struct port port = { 0 };
		int r = port_from_json(message_at(ports, i), &port, problem);

		if (r < 0)
			return r;
		counts[port.state]++;
		port_clear(&port);
	}
	metric_family(out, "mtkrb_ports", METRIC_GAUGE, NULL,
		      "Ports with a watch, by what happens there.");
	for (int state = 0; state < _PORT_STATE_MAX; state++)
		metric_int(out, "mtkrb_ports", "state",
			   port_state_to_string((enum port_state)state), counts[state]);
	return 0;
}

static int put_slots(FILE *out, struct json_object *slots, struct problem *problem)
{
	if (!message_is_array(slots))
		return problem_set(problem, "slots", "must be an array");
	metric_family(out, "mtkrb_slot_occupied", METRIC_GAUGE, NULL,
		      "Places of the bench: 1 with a watch in it, 0 when empty.");
	for (size_t i = 0; i < message_length(slots); i++) {
		struct json_object *slot = message_at(slots, i);
		const char *name = message_string(message_member(slot, "name"));

		if (!name)
			return problem_set(problem, "slots", "must be slots with a name");
		metric_int(out, "mtkrb_slot_occupied", "slot", name,
			   message_member(slot, "port") != NULL);
	}
	return 0;
}

/* ---- Asking ---- */

/* All that the daemon was asked. */
struct answers {
	struct json_object *status, *ports, *slots;
};

static void answers_clear(struct answers *answers)
{
	message_unref(answers->status);
	message_unref(answers->ports);
	message_unref(answers->slots);
}

static int ask_all(struct client *client, struct answers *answers)
{
	int r = client_call(client, "GetStatus", NULL, &answers->status);

	if (r == STATUS_DONE)
		r = client_call(client, "ListPorts", NULL, &answers->ports);
	if (r == STATUS_DONE)
		r = client_call(client, "ListSlots", NULL, &answers->slots);
	return r;
}

static int put_all(FILE *out, const struct answers *answers, struct problem *problem)
{
	_cleanup_(figures_clear) struct figures figures = { 0 };
	int r = message_read_known(answers->status, figure_fields, ARRAY_SIZE(figure_fields),
				   &figures, problem);

	if (r < 0)
		return r;
	metric_family(out, "mtkrb_build_info", METRIC_GAUGE, NULL, "The daemon's version.");
	metric_int(out, "mtkrb_build_info", "version", figures.version, 1);
	metric_family(out, "mtkrb_uptime_seconds", METRIC_GAUGE, "seconds",
		      "How long the daemon has been running.");
	metric_real(out, "mtkrb_uptime_seconds", figures.uptime);
	put_jobs(out, &figures);
	put_backups(out, &figures);
	r = put_ports(out, message_member(answers->ports, "ports"), problem);
	if (r >= 0)
		r = put_slots(out, message_member(answers->slots, "slots"), problem);
	metric_end(out);
	return r;
}

static int make_text(const struct answers *answers, char **ret, struct problem *problem)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return -ENOMEM;
	r = put_all(out, answers, problem);
	if (fclose(out) != 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	return 0;
}

static int print_answers(const struct client *client, const struct answers *answers)
{
	_cleanup_message_ struct json_object *document = NULL;
	int r = message_build(&document, MEMBERS(M_OBJECT("status", message_ref(answers->status)),
						 M_OBJECT("ports", message_ref(answers->ports)),
						 M_OBJECT("slots", message_ref(answers->slots))));

	return r < 0 ? r : print_json(client, document);
}

static int metrics_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(answers_clear) struct answers answers = { 0 };
	_cleanup_free_ char *text = NULL;
	struct problem problem = { 0 };
	const char *value, *path = NULL;
	char **operands;
	size_t n;
	int key, r;

	while ((key = arguments_next(arguments, &value)) > 0)
		path = value;
	if (key < 0 || arguments_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	if (path && client->json) {
		arguments_wrong(arguments, "-o is for the text: --json goes to stdout");
		return arguments->status;
	}
	r = ask_all(client, &answers);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_answers(client, &answers));
	r = make_text(&answers, &text, &problem);
	if (r < 0)
		return client_bad_reply(client, r, "GetStatus, ListPorts or ListSlots", &problem);
	return output_write(client, path, text);
}

static const struct verb_option metrics_options[] = {
	{ "output", KEY_OUTPUT, "FILE", "write it there, at once and whole; - is stdout" },
	{ 0 },
};

const struct verb verb_metrics = {
	.name = "metrics",
	.group = "Daemon and ports",
	.arguments = "",
	.summary = "figures to watch, in OpenMetrics text",
	.details = "For the textfile collector of node-exporter, from a timer or cron:\n"
		   "  mtkrbctl metrics -o /var/lib/prometheus/node-exporter/mtkrb.prom",
	.options = metrics_options,
	.run = metrics_run,
};
