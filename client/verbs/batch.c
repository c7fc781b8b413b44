/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/arguments.h"
#include "client/batch/jobs.h"
#include "client/batch/news.h"
#include "client/batch/report.h"
#include "client/batch/scan.h"
#include "client/batch/view.h"
#include "client/calls/events.h"
#include "client/calls/request.h"
#include "client/client.h"
#include "client/output/output.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "client/view/follow.h"
#include "protocol/base/strings.h"
#include "protocol/control/batch.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define ACTIONS "start NAME, status [NAME], report NAME or finish NAME"

/* Above those of request_options. */
enum {
	KEY_FIELDS = 0x200,
	KEY_AGAIN,
	KEY_WAIT,
	KEY_CANCEL_WAITING,
	KEY_FORMAT,
	KEY_OUTPUT = 'o',
};

struct batch_options {
	struct request request; /* of each job that start makes */
	bool has_request;
	struct ticket_format fields;
	bool again;
	bool wait;
	bool cancel_waiting;
	enum report_format format;
	const char *output; /* NULL: stdout */
};

static void batch_options_clear(struct batch_options *options)
{
	request_clear(&options->request);
	ticket_format_clear(&options->fields);
}

/* ---- start ---- */

/* What a line says, or the batch itself, is no option; nor can there be several jobs of a ticket. */
static int batch_check_request(const struct batch_options *options, struct complaint *complaint)
{
	const struct job_request *job = &options->request.job;
	static const char *const keys[] = { LABEL_BATCH, LABEL_TICKET };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (labels_get(job->labels, job->n_labels, keys[i]))
			return complaint_set(complaint, STATUS_USAGE, NULL,
					     "--label=%s=... is not for a batch: its name and the "
					     "lines say that",
					     keys[i]);
	if (options->request.follow || job->count != 1)
		return complaint_set(complaint, STATUS_USAGE,
				     "'mtkrbctl submit --count=N --label=batch=NAME' queues jobs "
				     "without tickets",
				     "--%s is not for a batch: each line is a job",
				     options->request.follow ? "follow" : "count");
	return request_check(&options->request, complaint);
}

/* It becomes a label of each job. */
static int batch_check_name(const char *name, struct complaint *complaint)
{
	struct label *labels = NULL;
	size_t n = 0;
	int r = *name ? labels_add(&labels, &n, LABEL_BATCH, name) : -EINVAL;

	labels_free(labels, n);
	return r == -EINVAL ? complaint_set(complaint, STATUS_USAGE, "as in batch start monday",
					    "'%s' cannot be the name of a batch", name)
			    : r;
}

static int batch_start(struct client *client, const char *name, struct batch_options *options)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	struct batch_scan scan = { .name = name,
				   .request = &options->request,
				   .format = &options->fields,
				   .again = options->again };
	int r = batch_check_request(options, &complaint);

	if (r >= 0)
		r = batch_check_name(name, &complaint);
	if (r >= 0)
		r = request_open_files(&options->request, &complaint);
	if (r < 0)
		return client_complain(client, r, &complaint);
	return batch_scan_run(client, &scan);
}

/* ---- status ---- */

static int batch_list(struct client *client)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *batches;
	struct problem problem = { 0 };
	int r = client_call(client, "ListBatches", NULL, &reply);

	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	batches = message_member(reply, "batches");
	if (!message_is_array(batches))
		r = problem_set(&problem, "batches", "must be an array");
	else if (message_length(batches) == 0)
		print_note(client, "No batches. To begin one: mtkrbctl batch start NAME");
	else
		r = batch_view_table(&client->out, batches, &problem);
	return r < 0 ? client_bad_reply(client, r, "ListBatches", &problem) : STATUS_DONE;
}

static int batch_status(struct client *client, const char *name,
			struct batch_options *options _unused_)
{
	_cleanup_(batch_jobs_clear) struct batch_jobs jobs = { 0 };
	_cleanup_message_ struct json_object *document = NULL;
	int r = batch_jobs_fetch(client, name, &jobs);

	if (r != STATUS_DONE)
		return r;
	if (!client->json)
		return client_status(client, batch_view_print(&client->out, &jobs));
	r = message_build(&document, MEMBERS(M_STRING("batch", name),
					     M_OBJECT("jobs", message_ref(jobs.objects))));
	return client_status(client, r < 0 ? r : print_json(client, document));
}

/* ---- report ---- */

static int batch_write_file(const struct client *client, const struct batch_report *report,
			    const struct batch_options *options)
{
	const struct term plain = { .unicode = client->out.unicode };
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return client_status(client, -ENOMEM);
	r = batch_report_write(report, options->format, &plain, out);
	if (fclose(out) != 0)
		r = -ENOMEM;
	return r < 0 ? client_status(client, r) : output_write(client, options->output, text);
}

static int batch_write(const struct client *client, const struct batch_report *report,
		       const struct batch_options *options)
{
	if (options->output && !streq(options->output, "-"))
		return batch_write_file(client, report, options);
	return client_status(client,
			     batch_report_write(report, options->format, &client->out, stdout));
}

/* *ret_passed: all tickets have a backup. */
static int batch_show_report(struct client *client, const struct batch_jobs *jobs,
			     const struct batch_options *options, bool *ret_passed)
{
	_cleanup_(batch_report_clear) struct batch_report report = { 0 };
	int r = batch_report_make(client, jobs, &report);

	if (r != STATUS_DONE)
		return r;
	*ret_passed = report.passed == report.tickets;
	return batch_write(client, &report, options);
}

static int batch_report(struct client *client, const char *name, struct batch_options *options)
{
	_cleanup_(batch_jobs_clear) struct batch_jobs jobs = { 0 };
	int r = batch_jobs_fetch(client, name, &jobs);
	bool passed;

	return r == STATUS_DONE ? batch_show_report(client, &jobs, options, &passed) : r;
}

/* ---- finish ---- */

static size_t batch_waiting(const struct batch_jobs *jobs)
{
	return batch_jobs_count(jobs, JOB_QUEUED) + batch_jobs_count(jobs, JOB_WAITING);
}

static int batch_refuse(const struct client *client, const struct batch_jobs *jobs)
{
	print_failure(client, "batch %s is not finished: %zu still run, %zu wait for their watch",
		      jobs->name, batch_jobs_count(jobs, JOB_RUNNING), batch_waiting(jobs));
	print_hint(client, "--wait waits for all of them, --cancel-waiting cancels those whose "
			   "watch never came");
	return STATUS_FAILED;
}

/* One that has begun or ended meanwhile is left alone. */
static int batch_cancel(struct client *client, const struct job *job)
{
	_cleanup_message_ struct json_object *reply = NULL;
	_cleanup_complaint_ struct complaint complaint = { 0 };
	struct json_object *parameters;
	int r = message_build(&parameters, MEMBERS(M_INT("id", job->id)));

	if (r >= 0)
		r = client_try(client, "Cancel", parameters, NULL, 0, &reply, &complaint);
	if (r == -ECANCELED && complaint.status == STATUS_REFUSED)
		return STATUS_DONE;
	return r < 0 ? client_complain(client, r, &complaint) : STATUS_DONE;
}

static int batch_cancel_waiting(struct client *client, const struct batch_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++) {
		const struct job *job = &jobs->list[i];
		int r;

		if (job->state != JOB_QUEUED && job->state != JOB_WAITING)
			continue;
		r = batch_cancel(client, job);
		if (r != STATUS_DONE)
			return r;
	}
	return STATUS_DONE;
}

static int batch_tell(void *userdata, const struct event *event)
{
	return event->has_job ? batch_news_tell(userdata, &event->job) : 0;
}

static void batch_pause(void *userdata _unused_)
{
}

/* Until the first LIMIT_LIST that have not ended have: the stream ends with them. */
static int batch_follow(struct client *client, const struct batch_jobs *jobs,
			struct batch_news *news)
{
	static const struct follow_view view = { batch_tell, batch_pause };
	/* The events are not what this verb prints as JSON. */
	struct client follower = *client;
	int64_t ids[LIMIT_LIST];
	size_t n = 0;

	for (size_t i = 0; i < jobs->n && n < ARRAY_SIZE(ids); i++)
		if (!job_state_is_final(jobs->list[i].state))
			ids[n++] = jobs->list[i].id;
	follower.json = false;
	return n > 0 ? follow_events(&follower, ids, n, &view, news) : STATUS_DONE;
}

static bool batch_is_open(const struct batch_jobs *jobs)
{
	return batch_jobs_count(jobs, JOB_RUNNING) + batch_waiting(jobs) > 0;
}

static int batch_fetch_again(struct client *client, struct batch_jobs *jobs)
{
	const char *name = jobs->name;

	batch_jobs_clear(jobs);
	return batch_jobs_fetch(client, name, jobs);
}

/* Also for those that are added meanwhile. */
static int batch_wait(struct client *client, struct batch_jobs *jobs)
{
	_cleanup_(batch_news_freep) struct batch_news *news = NULL;
	bool prompted = false;
	int r = client_status(client, batch_news_new(client, jobs->name, &prompted, &news));

	while (r == STATUS_DONE && batch_is_open(jobs)) {
		r = batch_follow(client, jobs, news);
		if (r == STATUS_DONE)
			r = batch_fetch_again(client, jobs);
	}
	return r;
}

static int batch_end(struct client *client, struct batch_jobs *jobs,
		     const struct batch_options *options)
{
	int r = STATUS_DONE;

	if (options->cancel_waiting && !options->wait && batch_jobs_count(jobs, JOB_RUNNING) > 0)
		return batch_refuse(client, jobs);
	if (options->cancel_waiting)
		r = batch_cancel_waiting(client, jobs);
	if (r == STATUS_DONE && options->cancel_waiting)
		r = batch_fetch_again(client, jobs);
	if (r == STATUS_DONE && options->wait)
		r = batch_wait(client, jobs);
	if (r == STATUS_DONE && batch_is_open(jobs))
		r = batch_refuse(client, jobs);
	return r;
}

static int batch_finish(struct client *client, const char *name, struct batch_options *options)
{
	_cleanup_(batch_jobs_clear) struct batch_jobs jobs = { 0 };
	bool passed = false;
	int r = output_check(client, options->output);

	if (r == STATUS_DONE)
		r = batch_jobs_fetch(client, name, &jobs);
	if (r == STATUS_DONE)
		r = batch_end(client, &jobs, options);
	if (r == STATUS_DONE)
		r = batch_show_report(client, &jobs, options, &passed);
	return r == STATUS_DONE && !passed ? STATUS_FAILED : r;
}

/* ---- The command line ---- */

static int batch_fields(struct arguments *arguments, struct batch_options *options,
			const char *value)
{
	char why[TICKET_WHY_SIZE];
	int r;

	ticket_format_clear(&options->fields);
	r = ticket_format_parse(value, &options->fields, why);
	return r < 0 ? arguments_wrong(arguments, "--fields=%s: %s", value,
				       r == -EINVAL ? why : "out of memory")
		     : 0;
}

/* An option of a job. */
static int batch_job_option(struct arguments *arguments, struct batch_options *options, int key,
			    const char *value)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	int r = request_set(&options->request, key, value, &complaint);

	options->has_request = true;
	if (r < 0)
		arguments->status = client_complain(arguments->client, r, &complaint);
	return r;
}

static int batch_option(struct arguments *arguments, struct batch_options *options, int key,
			const char *value)
{
	switch (key) {
	case KEY_FIELDS:
		return batch_fields(arguments, options, value);
	case KEY_AGAIN:
		options->again = true;
		return 0;
	case KEY_WAIT:
		options->wait = true;
		return 0;
	case KEY_CANCEL_WAITING:
		options->cancel_waiting = true;
		return 0;
	case KEY_FORMAT:
		if (report_format_from_string(value, &options->format) < 0)
			return arguments_wrong(arguments,
					       "--format=%s: not one of table, csv, json", value);
		return 0;
	case KEY_OUTPUT:
		options->output = value;
		return 0;
	default:
		return batch_job_option(arguments, options, key, value);
	}
}

static int batch_dispatch(struct client *client, struct arguments *arguments, char **operands,
			  size_t n, struct batch_options *options)
{
	static const struct {
		const char *name;
		int (*run)(struct client *client, const char *name, struct batch_options *options);
	} actions[] = { { "start", batch_start },
			{ "status", batch_status },
			{ "report", batch_report },
			{ "finish", batch_finish } };

	if (options->has_request && !streq(operands[0], "start")) {
		(void)arguments_wrong(arguments, "the options of a job belong to batch start");
		return arguments->status;
	}
	if (streq(operands[0], "status") && n == 1)
		return batch_list(client);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (streq(operands[0], actions[i].name) && n == 2 && *operands[1])
			return actions[i].run(client, operands[1], options);
	(void)arguments_wrong(arguments, "%s: not " ACTIONS, operands[0]);
	return arguments->status;
}

static int batch_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(batch_options_clear) struct batch_options options = { 0 };
	const char *value;
	char **operands, why[TICKET_WHY_SIZE];
	size_t n;
	int key, r = request_init(&options.request);

	if (r >= 0)
		r = ticket_format_parse(TICKET_FIELDS, &options.fields, why);
	if (r < 0)
		return client_status(client, r);
	while ((key = arguments_next(arguments, &value)) > 0)
		if (batch_option(arguments, &options, key, value) < 0)
			return arguments->status;
	if (key < 0 || arguments_operands(arguments, 1, 2, &operands, &n) < 0)
		return arguments->status;
	if (client->json)
		options.format = REPORT_JSON;
	return batch_dispatch(client, arguments, operands, n, &options);
}

static const struct verb_option batch_options[] = {
	{ "fields", KEY_FIELDS, "KEYS",
	  "start: what a line holds (default " TICKET_FIELDS "); - passes one over" },
	{ "again", KEY_AGAIN, NULL, "start: take tickets that are in the batch already" },
	{ "wait", KEY_WAIT, NULL, "finish: wait until all jobs have ended" },
	{ "cancel-waiting", KEY_CANCEL_WAITING, NULL,
	  "finish: cancel the jobs whose watch never came" },
	{ "format", KEY_FORMAT, "FORMAT", "finish, report: table (the default), csv or json" },
	{ "output", KEY_OUTPUT, "FILE",
	  "finish, report: write there, at once and whole; - is stdout" },
	{ 0 },
};

const struct verb verb_batch = {
	.name = "batch",
	.group = "Jobs",
	.arguments = "start NAME | status [NAME] | report NAME | finish NAME",
	.summary = "a day's watches by ticket: scan them in, see how far they are, report",
	.details =
		"start reads tickets from standard input, as a barcode scanner types them, and "
		"queues a job\nfor each at once. A line is a ticket, or its fields with tabs or "
		"semicolons between them:\n"
		"\n"
		"  4711\n"
		"  4711;Ms. O'Hara;490154203237518;screen broken\n"
		"  @A1 4712        the watch in slot A1\n"
		"  @A1             the next ticket's watch is in slot A1\n"
		"\n"
		"A ticket without a slot gets the next watch that comes, in the order of scanning; "
		"no watch\ngets two. What is wrong with a line is said and the next is read; exit "
		"status 1 when any was\nnot taken.\n"
		"\n"
		"A batch is the jobs with the label batch=NAME; --label=batch=NAME of submit adds "
		"more. finish\nis for when all have ended, and ends with status 1 when a ticket "
		"has no "
		"backup; report can be\nhad at any time. In CSV, a text that begins with = + - or "
		"@ "
		"gets an apostrophe before it, so\nthat no spreadsheet takes it for a formula.",
	.options = batch_options,
	.more_options = request_options,
	.more_title = "Options of a job, for start",
	.run = batch_run,
};
