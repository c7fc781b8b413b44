/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/batch/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "client/client.h"
#include "client/output/csv.h"
#include "client/output/print.h"
#include "client/output/table.h"
#include "client/output/when.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/batch.h"
#include "protocol/control/message.h"

#define METHOD       "GetBackup"
#define DIGEST_SHOWN 12 /* digits in a table; enough to compare by eye */

static const char *const format_words[_REPORT_MAX] = {
	[REPORT_TABLE] = "table",
	[REPORT_CSV] = "csv",
	[REPORT_JSON] = "json",
};

int report_format_from_string(const char *word, enum report_format *ret)
{
	int r = word_find(format_words, _REPORT_MAX, word);

	if (r < 0)
		return -EINVAL;
	*ret = (enum report_format)r;
	return 0;
}

/* ---- Making it ---- */

void batch_report_clear(struct batch_report *report)
{
	for (size_t i = 0; report->rows && i < report->jobs->n; i++)
		backup_clear(&report->rows[i].backup);
	free(report->rows);
	*report = (struct batch_report){ 0 };
}

/* One that was removed since is no failure. */
static int ask_backup(struct client *client, struct report_row *row)
{
	_cleanup_message_ struct json_object *reply = NULL;
	_cleanup_complaint_ struct complaint complaint = { 0 };
	struct json_object *parameters;
	struct problem problem = { 0 };
	int r = message_build(&parameters, MEMBERS(M_STRING("id", row->job->backup)));

	if (r >= 0)
		r = client_try(client, METHOD, parameters, NULL, 0, &reply, &complaint);
	if (r == -ECANCELED && complaint.status == STATUS_NOT_FOUND)
		return STATUS_DONE;
	if (r < 0)
		return client_complain(client, r, &complaint);
	r = backup_from_json(message_member(reply, "backup"), &row->backup, &problem);
	if (r < 0)
		return client_bad_reply(client, r, METHOD, &problem);
	row->has_backup = true;
	return STATUS_DONE;
}

/* By ticket; what has none stands last, each by itself. */
static int compare_tickets(const void *a, const void *b)
{
	const struct report_row *x = *(const struct report_row *const *)a;
	const struct report_row *y = *(const struct report_row *const *)b;

	if (!x->ticket || !y->ticket)
		return (!x->ticket) - (!y->ticket);
	return strcmp(x->ticket, y->ticket);
}

/* The rows of one ticket, from the first on; their number. */
static size_t count_ticket(struct batch_report *report, const struct report_row *const *rows,
			   size_t n)
{
	bool done = false, open = false;
	size_t i = 0;

	do {
		done = done || rows[i]->job->state == JOB_DONE;
		open = open || !job_state_is_final(rows[i]->job->state);
		i++;
	} while (i < n && rows[0]->ticket && rows[i]->ticket &&
		 streq(rows[0]->ticket, rows[i]->ticket));
	report->tickets++;
	*(done ? &report->passed : open ? &report->open : &report->failed) += 1;
	return i;
}

static int count_tickets(struct batch_report *report)
{
	size_t n = report->jobs->n;
	_cleanup_free_ const struct report_row **rows = calloc(n + 1, sizeof(struct report_row *));

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		rows[i] = &report->rows[i];
		report->bytes += rows[i]->backup.size;
	}
	qsort(rows, n, sizeof(*rows), compare_tickets);
	for (size_t i = 0; i < n;)
		i += count_ticket(report, rows + i, n - i);
	return 0;
}

int batch_report_make(struct client *client, const struct batch_jobs *jobs,
		      struct batch_report *ret)
{
	_cleanup_(batch_report_clear) struct batch_report report = { .jobs = jobs };
	int r = STATUS_DONE;

	report.rows = calloc(jobs->n + 1, sizeof(*report.rows));
	if (!report.rows)
		return client_status(client, -ENOMEM);
	for (size_t i = 0; i < jobs->n && r == STATUS_DONE; i++) {
		struct report_row *row = &report.rows[i];

		row->job = &jobs->list[i];
		row->ticket = batch_jobs_label(row->job, LABEL_TICKET);
		if (row->job->state == JOB_DONE && row->job->backup)
			r = ask_backup(client, row);
	}
	if (r == STATUS_DONE)
		r = client_status(client, count_tickets(&report));
	if (r != STATUS_DONE)
		return r;
	*ret = TAKE_STRUCT(report);
	return STATUS_DONE;
}

/* ---- What a row says ---- */

static const char *row_result(const struct report_row *row)
{
	if (row->job->state == JOB_DONE)
		return "pass";
	return job_state_is_final(row->job->state) ? "fail" : "open";
}

static const char *row_slot(const struct report_row *row)
{
	return row->job->port.slot ? row->job->port.slot : row->job->request.slot;
}

/* From its start to its end; negative while it has not both. */
static int64_t row_seconds(const struct report_row *row)
{
	const struct job *job = row->job;

	if (!job->started || job->finished < job->started)
		return -1;
	return (int64_t)((job->finished - job->started) / USEC_PER_SEC);
}

/* ---- CSV ---- */

static void write_csv_row(const struct report_row *row, struct csv *csv)
{
	const struct job *job = row->job;
	const struct failure *failure = &job->failure;
	int64_t seconds = row_seconds(row);

	csv_add(csv, row->ticket);
	csv_add(csv, batch_jobs_label(job, LABEL_CUSTOMER));
	csv_add(csv, batch_jobs_label(job, LABEL_IMEI));
	csv_add(csv, batch_jobs_label(job, LABEL_NOTE));
	csv_addf(csv, "%" PRId64, job->id);
	csv_add(csv, job_state_to_string(job->state));
	csv_add(csv, row_result(row));
	csv_add(csv, row_slot(row));
	csv_add(csv, job->port.chip);
	csv_add(csv, job->port.meid);
	csv_addf(csv, "%" PRId64, job->attempts);
	if (seconds >= 0)
		csv_addf(csv, "%" PRId64, seconds);
	else
		csv_add(csv, NULL);
	if (row->has_backup)
		csv_addf(csv, "%" PRIu64, row->backup.size);
	else
		csv_add(csv, NULL);
	csv_add(csv, row->backup.sha256);
	csv_add(csv, job->backup);
	csv_add(csv, row->backup.identical_to);
	csv_add(csv, failure_code_to_string(failure->code));
	csv_add(csv, failure->message);
	csv_end_row(csv);
}

static void write_csv(const struct batch_report *report, FILE *out)
{
	static const char *const header[] = {
		"ticket", "customer", "imei",   "note",         "job",      "state",
		"result", "slot",     "chip",   "meid",         "attempts", "seconds",
		"size",   "sha256",   "backup", "identical_to", "failure",  "message",
	};
	struct csv csv = { .out = out };

	for (size_t i = 0; i < ARRAY_SIZE(header); i++)
		csv_add(&csv, header[i]);
	csv_end_row(&csv);
	for (size_t i = 0; i < report->jobs->n; i++)
		write_csv_row(&report->rows[i], &csv);
}

/* ---- JSON ---- */

static int row_to_json(const struct report_row *row, struct json_object **ret)
{
	const struct job *job = row->job;
	struct json_object *labels, *failure = NULL;
	int64_t seconds = row_seconds(row);
	int r = failure_to_json(&job->failure, &failure);

	if (r < 0)
		return r;
	r = labels_to_json(job->request.labels, job->request.n_labels, &labels);
	if (r < 0) {
		message_unref(failure);
		return r;
	}
	return message_build(
		ret,
		MEMBERS(M_STRING_OPT("ticket", row->ticket),
			M_STRING_OPT("customer", batch_jobs_label(job, LABEL_CUSTOMER)),
			M_STRING_OPT("imei", batch_jobs_label(job, LABEL_IMEI)),
			M_STRING_OPT("note", batch_jobs_label(job, LABEL_NOTE)),
			M_INT("job", job->id), M_STRING("state", job_state_to_string(job->state)),
			M_STRING("result", row_result(row)), M_STRING_OPT("slot", row_slot(row)),
			M_STRING_OPT("chip", job->port.chip), M_STRING_OPT("meid", job->port.meid),
			M_INT("attempts", job->attempts),
			M_INT_IF(seconds >= 0, "seconds", seconds),
			M_INT_IF(row->has_backup, "size", row->backup.size),
			M_STRING_OPT("sha256", row->backup.sha256),
			M_STRING_OPT("backup", job->backup),
			M_STRING_OPT("identical_to", row->backup.identical_to),
			M_OBJECT("failure", failure), M_OBJECT("labels", labels)));
}

static int report_to_json(const struct batch_report *report, struct json_object **ret)
{
	_cleanup_message_ struct json_object *rows = NULL;
	struct json_object *object, *totals;
	int r = message_new_array(&rows);

	for (size_t i = 0; r >= 0 && i < report->jobs->n; i++) {
		r = row_to_json(&report->rows[i], &object);
		if (r >= 0)
			r = message_append(rows, object);
	}
	if (r >= 0)
		r = message_build(&totals, MEMBERS(M_INT("tickets", report->tickets),
						   M_INT("passed", report->passed),
						   M_INT("failed", report->failed),
						   M_INT("open", report->open),
						   M_INT("bytes", report->bytes)));
	if (r < 0)
		return r;
	return message_build(ret,
			     MEMBERS(M_STRING("batch", report->jobs->name),
				     M_OBJECT("rows", TAKE_PTR(rows)), M_OBJECT("totals", totals)));
}

/* For people where term is one, else in one line. */
static int write_json(const struct batch_report *report, const struct term *term, FILE *out)
{
	_cleanup_message_ struct json_object *object = NULL;
	_cleanup_free_ char *text = NULL;
	int r = report_to_json(report, &object);

	if (r >= 0)
		r = term->tty ? message_to_pretty_text(object, &text)
			      : message_to_text(object, &text);
	if (r >= 0)
		fprintf(out, "%s\n", text);
	return r;
}

/* ---- Table ---- */

static enum tint row_tint(const struct report_row *row)
{
	if (row->job->state == JOB_DONE)
		return TINT_GOOD;
	return job_state_is_final(row->job->state) ? TINT_BAD : TINT_ACTIVE;
}

/* The backup, or why there is none. */
static const char *row_outcome(const struct report_row *row)
{
	const struct job *job = row->job;

	if (job->state == JOB_DONE)
		return row->has_backup ? job->backup : "removed since";
	return job->failure.message ? job->failure.message : job_state_to_string(job->state);
}

static void add_row(struct table *table, const struct report_row *row)
{
	const struct job *job = row->job;
	int64_t seconds = row_seconds(row);
	char text[WHEN_TEXT_SIZE];

	table_add(table, TINT_NONE, row->ticket);
	table_add(table, TINT_NONE, batch_jobs_label(job, LABEL_CUSTOMER));
	table_add(table, row_tint(row), row_result(row));
	table_addf(table, TINT_NONE, "%" PRId64, job->id);
	table_add(table, TINT_NONE, row_slot(row));
	table_add(table, TINT_NONE, job->port.chip);
	table_addf(table, TINT_NONE, "%" PRId64, job->attempts);
	table_add(table, TINT_NONE, seconds < 0 ? NULL : when_span((double)seconds, text));
	table_add(table, TINT_NONE, row->has_backup ? format_bytes(row->backup.size, text) : NULL);
	table_addf(table, TINT_NONE, "%.*s", DIGEST_SHOWN,
		   row->backup.sha256 ? row->backup.sha256 : "");
	table_add(table, TINT_NONE, row_outcome(row));
}

static int write_table(const struct batch_report *report, const struct term *term, FILE *out)
{
	static const struct column columns[] = {
		{ .title = "TICKET" },
		{ "CUSTOMER", .cut = CUT_END, .drop = 1 },
		{ .title = "RESULT" },
		{ "JOB", .right = true },
		{ "SLOT", .cut = CUT_START },
		{ "CHIP", .drop = 2 },
		{ "TRIES", .right = true, .drop = 4 },
		{ "TIME", .right = true, .drop = 3 },
		{ "SIZE", .right = true, .drop = 3 },
		{ "SHA-256", .drop = 5 },
		{ "BACKUP OR REASON", .cut = CUT_END },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	char size[16];
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	if (r < 0)
		return r;
	for (size_t i = 0; i < report->jobs->n; i++)
		add_row(table, &report->rows[i]);
	r = table_print(table, term, out);
	if (r >= 0)
		fprintf(out, "%zu ticket%s: %zu passed, %zu failed, %zu open; %s\n",
			report->tickets, report->tickets == 1 ? "" : "s", report->passed,
			report->failed, report->open, format_bytes(report->bytes, size));
	return r;
}

int batch_report_write(const struct batch_report *report, enum report_format format,
		       const struct term *term, FILE *out)
{
	switch (format) {
	case REPORT_CSV:
		write_csv(report, out);
		return 0;
	case REPORT_JSON:
		return write_json(report, term, out);
	default:
		return write_table(report, term, out);
	}
}
