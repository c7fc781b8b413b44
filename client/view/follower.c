/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/view/follower.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/calls/catalogue.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/progress.h"
#include "client/output/text.h"
#include "client/output/tint.h"
#include "client/output/when.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

/* Plain output has a line when this many more per cent are done. */
#define PLAIN_STEP 10U

struct followed {
	int64_t id;
	bool seen;
	enum job_state state;
	struct progress progress;
	unsigned int step; /* of the phase, last printed */
	char *backup;      /* that it made, of those the user named; NULL: none */
};

struct follower {
	struct client *client;
	struct followed *jobs;
	size_t n_jobs;
	bool given; /* the jobs are those the user named; others are none of his business */
	bool drawn; /* the line stands on the terminal */
};

static bool follower_shows(const struct follower *follower)
{
	return !follower->client->json && !follower->client->quiet;
}

/* One line is drawn again and again, instead of one a step. */
static bool follower_draws(const struct follower *follower)
{
	return follower_shows(follower) && follower->client->out.live;
}

static struct followed *follower_find(struct follower *follower, int64_t id)
{
	for (size_t i = 0; i < follower->n_jobs; i++)
		if (follower->jobs[i].id == id)
			return &follower->jobs[i];
	return NULL;
}

int follower_new(struct client *client, const int64_t *ids, size_t n, struct follower **ret)
{
	_cleanup_(follower_freep) struct follower *follower = calloc(1, sizeof(*follower));

	if (!follower)
		return -ENOMEM;
	follower->client = client;
	follower->given = n > 0;
	if (n > 0) {
		follower->jobs = calloc(n, sizeof(*follower->jobs));
		if (!follower->jobs)
			return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		if (!follower_find(follower, ids[i]))
			follower->jobs[follower->n_jobs++].id = ids[i];
	*ret = TAKE_PTR(follower);
	return 0;
}

void follower_free(struct follower *follower)
{
	if (!follower)
		return;
	follower_pause(follower);
	for (size_t i = 0; i < follower->n_jobs; i++)
		free(follower->jobs[i].backup);
	free(follower->jobs);
	free(follower);
}

void follower_pause(struct follower *follower)
{
	if (!follower->drawn)
		return;
	fputs(TERM_CLEAR_LINE, stdout);
	fflush(stdout);
	follower->drawn = false;
}

static int follower_add(struct follower *follower, int64_t id, struct followed **ret)
{
	struct followed *jobs = reallocarray(follower->jobs, follower->n_jobs + 1, sizeof(*jobs));

	if (!jobs)
		return -ENOMEM;
	follower->jobs = jobs;
	*ret = &jobs[follower->n_jobs++];
	**ret = (struct followed){ .id = id };
	return 0;
}

static void follower_forget(struct follower *follower, struct followed *followed)
{
	*followed = follower->jobs[--follower->n_jobs];
}

/* "job 12: done, …" on stdout, the state in its colour. */
_printf_(3, 4) static void follower_say(struct follower *follower, const struct job *job,
					const char *format, ...)
{
	const struct term *term = &follower->client->out;
	_cleanup_free_ char *text = NULL, *clean = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	clean = text ? text_clean(text) : NULL;
	follower_pause(follower);
	printf("job %" PRId64 ": %s%s%s%s\n", job->id, term_begin(term, tint_job(job->state)),
	       job_state_to_string(job->state), term_end(term, tint_job(job->state)),
	       clean ? clean : "");
	fflush(stdout);
}

static void follower_say_done(struct follower *follower, const struct job *job)
{
	char span[WHEN_TEXT_SIZE];
	bool timed = job->started && job->finished >= job->started;

	if (timed)
		when_span((double)(job->finished - job->started) / (double)USEC_PER_SEC, span);
	follower_say(follower, job, "%s%s%s%s", timed ? " in " : "", timed ? span : "",
		     job->backup ? ", backup " : "", job->backup ? job->backup : "");
}

/* A state that is new, on stdout; a terminal is spared those that the drawn line shows. */
static void follower_say_state(struct follower *follower, const struct job *job)
{
	const char *slot = job->port.slot;

	if (job->state == JOB_DONE)
		follower_say_done(follower, job);
	else if (job->state == JOB_WAITING)
		follower_say(follower, job, " for the watch to come back");
	else if (follower_draws(follower))
		return;
	else if (job->state == JOB_RUNNING && slot)
		follower_say(follower, job, " on %s%s%s%s", slot, job->port.chip ? " (" : "",
			     job->port.chip ? job->port.chip : "", job->port.chip ? ")" : "");
	else
		follower_say(follower, job, "%s", "");
}

/* Why a job did not end well, on stderr. */
static void follower_lament(struct follower *follower, const struct job *job)
{
	const struct client *client = follower->client;
	const char *code = failure_code_to_string(job->failure.code);

	follower_pause(follower);
	if (job->state == JOB_CANCELLED) {
		print_failure(client, "job %" PRId64 " was cancelled", job->id);
		print_hint(client, "'mtkrbctl retry %" PRId64 "' queues it again", job->id);
		return;
	}
	print_failure(client, "job %" PRId64 " failed: %s%s%s%s", job->id,
		      job->failure.message ? job->failure.message : "no reason given",
		      code ? " (" : "", code ? code : "", code ? ")" : "");
	if (job->failure.hint)
		print_hint(client, "%s", job->failure.hint);
	else
		print_hint(client, "'mtkrbctl retry %" PRId64 "' tries it again", job->id);
}

static int follower_say_step(struct followed *followed, const struct job *job, bool new_phase)
{
	_cleanup_free_ char *text = NULL;
	unsigned int step = progress_percent(&job->progress) / PLAIN_STEP;

	if (!new_phase && step <= followed->step)
		return 0;
	followed->step = step;
	text = progress_text(&job->progress);
	if (!text)
		return -ENOMEM;
	print_line("job %" PRId64 ": %s", job->id, text);
	return 0;
}

static bool job_is_running(const struct followed *followed)
{
	return followed->seen && followed->state == JOB_RUNNING;
}

/* The job whose progress the line shows: the first that runs, else the first that has not ended. */
static const struct followed *follower_active(const struct follower *follower)
{
	const struct followed *other = NULL;

	for (size_t i = 0; i < follower->n_jobs; i++) {
		const struct followed *f = &follower->jobs[i];

		if (job_is_running(f))
			return f;
		if (!other && f->seen && !job_state_is_final(f->state))
			other = f;
	}
	return other;
}

static size_t follower_count(const struct follower *follower, enum job_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < follower->n_jobs; i++)
		n += follower->jobs[i].seen && follower->jobs[i].state == state;
	return n;
}

static size_t follower_ended(const struct follower *follower)
{
	return follower_count(follower, JOB_DONE) + follower_count(follower, JOB_FAILED) +
	       follower_count(follower, JOB_CANCELLED);
}

/* "job 12", with a counter where there are several. */
static char *follower_head(const struct follower *follower, const struct followed *active)
{
	if (follower->n_jobs < 2)
		return str_format("job %" PRId64, active->id);
	if (follower->given)
		return str_format("[%zu/%zu] job %" PRId64, follower_ended(follower),
				  follower->n_jobs, active->id);
	return str_format("[%zu of %zu] job %" PRId64, follower_count(follower, JOB_RUNNING),
			  follower->n_jobs, active->id);
}

static char *follower_line(const struct follower *follower, const struct followed *active)
{
	const struct term *term = &follower->client->out;
	_cleanup_free_ char *head = follower_head(follower, active);
	_cleanup_free_ char *line = NULL;

	if (!head)
		return NULL;
	if (active->state == JOB_RUNNING)
		return progress_line(&active->progress, head, term);
	line = str_format("%s  %s", head,
			  active->state == JOB_WAITING ? "waiting for the watch to come back"
						       : "queued, waiting for a watch");
	return line ? text_cut(line, term->columns - TERM_MARGIN, false, term->unicode) : NULL;
}

static int follower_draw(struct follower *follower)
{
	const struct followed *active = follower_active(follower);
	_cleanup_free_ char *line = NULL;

	if (!active) {
		follower_pause(follower);
		return 0;
	}
	term_measure(&follower->client->out, STDOUT_FILENO);
	line = follower_line(follower, active);
	if (!line)
		return -ENOMEM;
	printf("%s%s", TERM_CLEAR_LINE, line);
	fflush(stdout);
	follower->drawn = true;
	return 0;
}

/* What is new, in lines that stay. */
static int follower_tell(struct follower *follower, struct followed *followed,
			 const struct job *job, bool new_state, bool new_phase)
{
	if (new_state && follower_shows(follower) &&
	    (job->state == JOB_DONE || !job_state_is_final(job->state) ||
	     !follower_draws(follower)))
		follower_say_state(follower, job);
	if (new_state && (job->state == JOB_FAILED || job->state == JOB_CANCELLED))
		follower_lament(follower, job);
	if (follower_shows(follower) && !follower_draws(follower) && job->state == JOB_RUNNING &&
	    job->progress.phase != PHASE_NONE)
		return follower_say_step(followed, job, new_phase);
	return 0;
}

int follower_update(struct follower *follower, const struct job *job)
{
	struct followed *followed = follower_find(follower, job->id);
	bool new_state, new_phase;
	int r;

	if (!followed && follower->given)
		return 0;
	if (!followed) {
		r = follower_add(follower, job->id, &followed);
		if (r < 0)
			return r;
	}
	new_state = !followed->seen || followed->state != job->state;
	new_phase = new_state || followed->progress.phase != job->progress.phase;
	followed->seen = true;
	followed->state = job->state;
	followed->progress = job->progress;
	if (follower->given && job->state == JOB_DONE &&
	    str_replace(&followed->backup, job->backup) < 0)
		return -ENOMEM;
	r = follower_tell(follower, followed, job, new_state, new_phase);
	if (r < 0)
		return r;
	if (!follower->given && job_state_is_final(job->state))
		follower_forget(follower, followed);
	return follower_draws(follower) ? follower_draw(follower) : 0;
}

bool follower_is_complete(const struct follower *follower)
{
	return follower->given && follower_ended(follower) == follower->n_jobs;
}

/* What has the same bytes as an older backup; asked when all is over, so that it holds up nothing. */
static void follower_say_twins(const struct follower *follower)
{
	for (size_t i = 0; i < follower->n_jobs; i++) {
		const struct followed *f = &follower->jobs[i];
		_cleanup_free_ char *twin =
			f->backup ? catalogue_twin(follower->client, f->backup) : NULL;

		if (twin)
			print_line("job %" PRId64 ": identical to %s", f->id, twin);
	}
}

int follower_finish(struct follower *follower)
{
	size_t done = follower_count(follower, JOB_DONE);

	follower_pause(follower);
	if (follower_shows(follower))
		follower_say_twins(follower);
	if (follower->n_jobs > 1 && follower_shows(follower))
		print_line("%zu of %zu jobs done, %zu failed, %zu cancelled", done,
			   follower->n_jobs, follower_count(follower, JOB_FAILED),
			   follower_count(follower, JOB_CANCELLED));
	return done == follower->n_jobs ? STATUS_DONE : STATUS_FAILED;
}
