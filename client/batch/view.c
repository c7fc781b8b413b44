/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/batch/view.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/output/progress.h"
#include "client/output/table.h"
#include "client/output/tint.h"
#include "client/output/when.h"
#include "protocol/base/time.h"
#include "protocol/control/batch.h"
#include "protocol/control/message.h"

static void add_count(struct table *table, uint64_t n, enum tint tint)
{
	table_addf(table, n ? tint : TINT_NONE, "%" PRIu64, n);
}

static void add_batch(struct table *table, const struct batch *batch, uint64_t now)
{
	const uint64_t *jobs = batch->jobs;
	uint64_t total = 0;
	char ago[WHEN_TEXT_SIZE];

	for (int s = 0; s < _JOB_STATE_MAX; s++)
		total += jobs[s];
	table_add(table, TINT_NONE, batch->name);
	table_add(table, TINT_NONE, when_ago(now, batch->created, ago));
	add_count(table, total, TINT_NONE);
	add_count(table, jobs[JOB_DONE], TINT_GOOD);
	add_count(table, jobs[JOB_FAILED], TINT_BAD);
	add_count(table, jobs[JOB_CANCELLED], TINT_NONE);
	add_count(table, jobs[JOB_RUNNING], TINT_ACTIVE);
	add_count(table, jobs[JOB_QUEUED] + jobs[JOB_WAITING], TINT_WARN);
}

int batch_view_table(const struct term *term, struct json_object *batches, struct problem *problem)
{
	static const struct column columns[] = {
		{ "BATCH", .cut = CUT_END },  { .title = "STARTED" },
		{ "JOBS", .right = true },    { "DONE", .right = true },
		{ "FAILED", .right = true },  { "CANCELLED", .right = true },
		{ "RUNNING", .right = true }, { "WAITING", .right = true },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	uint64_t now = time_real();
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	for (size_t i = 0; r >= 0 && i < message_length(batches); i++) {
		_cleanup_(batch_clear) struct batch batch = { 0 };

		r = batch_from_json(message_at(batches, i), &batch, problem);
		if (r >= 0)
			add_batch(table, &batch, now);
	}
	return r < 0 ? r : table_print(table, term, stdout);
}

/* How far it is, what it waits for, or what came of it. */
static void add_outcome(struct table *table, const struct job *job)
{
	const struct progress *progress = &job->progress;
	const char *phase = phase_to_string(progress->phase);

	if (job->state == JOB_DONE)
		table_add(table, TINT_NONE, job->backup);
	else if (job->state == JOB_FAILED)
		table_add(table, TINT_NONE, job->failure.message);
	else if (job->state == JOB_QUEUED)
		table_add(table, TINT_NONE, "plug the watch in");
	else if (job->state == JOB_WAITING)
		table_add(table, TINT_NONE, "plug the watch in again");
	else if (job->state == JOB_RUNNING && phase && progress->total > 0)
		table_addf(table, TINT_NONE, "%s %u %%", phase, progress_percent(progress));
	else
		table_add(table, TINT_NONE, job->state == JOB_RUNNING ? phase : NULL);
}

static void add_job(struct table *table, const struct job *job)
{
	table_add(table, TINT_NONE, batch_jobs_label(job, LABEL_TICKET));
	table_add(table, TINT_NONE, batch_jobs_label(job, LABEL_CUSTOMER));
	table_addf(table, TINT_NONE, "%" PRId64, job->id);
	table_add(table, tint_job(job->state), job_state_to_string(job->state));
	table_add(table, TINT_NONE, job->port.slot ? job->port.slot : job->request.slot);
	add_outcome(table, job);
}

int batch_view_print(const struct term *term, const struct batch_jobs *jobs)
{
	static const struct column columns[] = {
		{ .title = "TICKET" },        { "CUSTOMER", .cut = CUT_END, .drop = 1 },
		{ "JOB", .right = true },     { .title = "STATE" },
		{ "SLOT", .cut = CUT_START }, { "PROGRESS", .cut = CUT_END },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	if (r < 0)
		return r;
	for (size_t i = 0; i < jobs->n; i++)
		add_job(table, &jobs->list[i]);
	r = table_print(table, term, stdout);
	if (r >= 0)
		printf("%zu jobs: %zu done, %zu failed, %zu cancelled, %zu running, %zu waiting\n",
		       jobs->n, batch_jobs_count(jobs, JOB_DONE),
		       batch_jobs_count(jobs, JOB_FAILED), batch_jobs_count(jobs, JOB_CANCELLED),
		       batch_jobs_count(jobs, JOB_RUNNING),
		       batch_jobs_count(jobs, JOB_QUEUED) + batch_jobs_count(jobs, JOB_WAITING));
	return r;
}
