/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/batch/news.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/batch/jobs.h"
#include "client/calls/events.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/when.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/batch.h"

#define RETRY_MS 250

struct known {
	int64_t id;
	enum job_state state;
};

struct batch_news {
	struct client *client;
	const char *name;
	bool *prompted;
	struct events *events; /* NULL: none are followed, or no more */
	struct known *jobs;
	size_t n_jobs;
	size_t room;
};

int batch_news_new(struct client *client, const char *name, bool *prompted, struct batch_news **ret)
{
	struct batch_news *news = calloc(1, sizeof(*news));

	if (!news)
		return -ENOMEM;
	*news = (struct batch_news){ .client = client, .name = name, .prompted = prompted };
	*ret = news;
	return 0;
}

void batch_news_free(struct batch_news *news)
{
	if (!news)
		return;
	events_free(news->events);
	free(news->jobs);
	free(news);
}

/* 1 when this state of the job is new. */
static int remember(struct batch_news *news, const struct job *job)
{
	for (size_t i = 0; i < news->n_jobs; i++)
		if (news->jobs[i].id == job->id) {
			bool same = news->jobs[i].state == job->state;

			news->jobs[i].state = job->state;
			return !same;
		}
	if (news->n_jobs == news->room) {
		size_t room = news->room ? news->room * 2 : 16;
		struct known *jobs = reallocarray(news->jobs, room, sizeof(*jobs));

		if (!jobs)
			return -ENOMEM;
		news->jobs = jobs;
		news->room = room;
	}
	news->jobs[news->n_jobs++] = (struct known){ job->id, job->state };
	return 1;
}

static void end_prompt(struct batch_news *news)
{
	if (*news->prompted)
		fputc('\n', stderr);
	*news->prompted = false;
}

static void tell_done(struct batch_news *news, const char *who, const struct job *job)
{
	char span[WHEN_TEXT_SIZE];

	end_prompt(news);
	print_note(news->client, "%s: done in %s (job %" PRId64 ")", who,
		   when_span((double)(job->finished - job->started) / (double)USEC_PER_SEC, span),
		   job->id);
}

static void tell_failed(struct batch_news *news, const char *who, const struct job *job)
{
	const struct client *client = news->client;

	end_prompt(news);
	if (client->err.tty)
		fputc('\a', stderr);
	print_failure(client, "%s: job %" PRId64 " failed: %s", who, job->id,
		      job->failure.message ? job->failure.message : "no reason given");
	if (job->failure.hint)
		print_hint(client, "%s", job->failure.hint);
	else
		print_hint(client, "'mtkrbctl retry %" PRId64 "' tries it again", job->id);
}

/* What the person at the bench has to know of it. */
static void tell_state(struct batch_news *news, const char *who, const struct job *job)
{
	const struct client *client = news->client;

	if (job->state == JOB_FAILED)
		tell_failed(news, who, job);
	if (client->quiet || job->state == JOB_FAILED || job->state == JOB_QUEUED)
		return;
	if (job->state == JOB_DONE) {
		tell_done(news, who, job);
		return;
	}
	end_prompt(news);
	if (job->state == JOB_RUNNING)
		print_note(client, "%s: begun%s%s (job %" PRId64 ")", who,
			   job->port.slot ? " on " : "", job->port.slot ? job->port.slot : "",
			   job->id);
	else if (job->state == JOB_WAITING)
		print_note(client, "%s: the watch has left; plug it in again (job %" PRId64 ")",
			   who, job->id);
	else
		print_note(client, "%s: job %" PRId64 " was cancelled", who, job->id);
}

int batch_news_tell(struct batch_news *news, const struct job *job)
{
	const char *batch = batch_jobs_label(job, LABEL_BATCH);
	const char *ticket = batch_jobs_label(job, LABEL_TICKET);
	_cleanup_free_ char *who = NULL;
	int r;

	if (!batch || !streq(batch, news->name))
		return 0;
	r = remember(news, job);
	if (r <= 0)
		return r;
	who = ticket ? str_format("ticket %s", ticket) : str_format("batch %s", batch);
	if (!who)
		return -ENOMEM;
	tell_state(news, who, job);
	return 0;
}

int batch_news_follow(struct batch_news *news, struct complaint *complaint)
{
	return events_open_polled(news->client->socket_path, &news->events, complaint);
}

int batch_news_fd(const struct batch_news *news)
{
	return news->events ? events_fd(news->events) : -1;
}

int batch_news_patience(const struct batch_news *news)
{
	return news->events && events_fd(news->events) < 0 ? RETRY_MS : -1;
}

/* One attempt: EVENTS_NEXT when the daemon is there again. */
static int look_for_daemon(struct batch_news *news)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	int r = events_retry(news->events, &complaint);

	return r < 0 && r != -ENOMEM ? EVENTS_LOST : r;
}

int batch_news_take(struct batch_news *news)
{
	int r = EVENTS_NEXT;

	if (!news->events)
		return 0;
	if (events_fd(news->events) < 0)
		r = look_for_daemon(news);
	while (r == EVENTS_NEXT) {
		_cleanup_complaint_ struct complaint complaint = { 0 };
		_cleanup_(event_clear) struct event event = { 0 };

		r = events_poll(news->events, &event, &complaint);
		if (r == EVENTS_NEXT && event.has_job) {
			int told = batch_news_tell(news, &event.job);

			if (told < 0)
				return told;
		}
	}
	if (r < 0 || r == EVENTS_ENDED)
		events_free(TAKE_PTR(news->events));
	return r == -ENOMEM ? r : 0;
}
