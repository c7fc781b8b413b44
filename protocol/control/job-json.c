/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>

#include "protocol/base/time.h"
#include "protocol/control/job-internal.h"
#include "protocol/control/message.h"

int progress_to_json(const struct progress *progress, struct json_object **ret)
{
	return message_build(ret,
			     MEMBERS(M_STRING("phase", phase_to_string(progress->phase)),
				     M_INT("done", progress->done), M_INT("total", progress->total),
				     M_INT("rate", progress->rate),
				     M_REAL_IF(progress->eta >= 0, "eta", progress->eta)));
}

int progress_from_json(struct json_object *object, struct progress *ret, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "phase",
		  .type = FIELD_WORD,
		  .offset = offsetof(struct progress, phase),
		  .flags = FIELD_REQUIRED,
		  .words = phase_words,
		  .n_words = ARRAY_SIZE(phase_words) },
		{ .name = "done",
		  .type = FIELD_UINT,
		  .offset = offsetof(struct progress, done),
		  .flags = FIELD_REQUIRED },
		{ .name = "total",
		  .type = FIELD_UINT,
		  .offset = offsetof(struct progress, total),
		  .flags = FIELD_REQUIRED },
		{ .name = "rate",
		  .type = FIELD_UINT,
		  .offset = offsetof(struct progress, rate),
		  .flags = FIELD_REQUIRED },
		{ .name = "eta",
		  .type = FIELD_REAL,
		  .offset = offsetof(struct progress, eta),
		  .min = 0,
		  .max = INT64_MAX },
	};
	struct progress progress = { .eta = -1 };
	int r;

	r = message_read_known(object, fields, ARRAY_SIZE(fields), &progress, problem);
	if (r == 0)
		*ret = progress;
	return r;
}

/* The parts of a job that are objects; NULL where there is none. */
struct parts {
	struct json_object *request;
	struct json_object *port;
	struct json_object *progress;
	struct json_object *failure;
	struct json_object *hooks;
};

static void parts_clear(struct parts *parts)
{
	message_unref(parts->request);
	message_unref(parts->port);
	message_unref(parts->progress);
	message_unref(parts->failure);
	message_unref(parts->hooks);
}

static int parts_build(const struct job *job, struct parts *parts)
{
	int r;

	r = job_request_to_json(&job->request, &parts->request);
	if (r == 0 && job->port.slot)
		r = port_to_json(&job->port, &parts->port);
	if (r == 0 && job->progress.phase != PHASE_NONE)
		r = progress_to_json(&job->progress, &parts->progress);
	if (r == 0)
		r = failure_to_json(&job->failure, &parts->failure);
	if (r == 0 && job->n_hooks > 0)
		r = hook_results_to_json(job->hooks, job->n_hooks, &parts->hooks);
	return r;
}

/* NULL for "not yet". */
static const char *optional_time(uint64_t real_usec, char buf[TIME_TEXT_SIZE])
{
	return real_usec ? time_format(real_usec, buf) : NULL;
}

int job_to_json(const struct job *job, struct json_object **ret)
{
	char created[TIME_TEXT_SIZE], started[TIME_TEXT_SIZE], finished[TIME_TEXT_SIZE];
	_cleanup_(parts_clear) struct parts parts = { 0 };
	int r;

	r = parts_build(job, &parts);
	if (r < 0)
		return r;
	return message_build(
		ret,
		MEMBERS(M_INT("id", job->id), M_STRING("state", job_state_to_string(job->state)),
			M_OBJECT("request", TAKE_PTR(parts.request)), M_INT("owner", job->owner),
			M_STRING("created", time_format(job->created, created)),
			M_STRING_OPT("started", optional_time(job->started, started)),
			M_STRING_OPT("finished", optional_time(job->finished, finished)),
			M_OBJECT("port", TAKE_PTR(parts.port)),
			M_OBJECT("progress", TAKE_PTR(parts.progress)),
			M_STRING_OPT("backup", job->backup),
			M_OBJECT("failure", TAKE_PTR(parts.failure)),
			M_INT("attempts", job->attempts),
			M_OBJECT("hooks", TAKE_PTR(parts.hooks))));
}

static int read_request(struct json_object *value, void *target, struct problem *problem)
{
	return job_request_from_reply(value, target, problem);
}

static int read_port(struct json_object *value, void *target, struct problem *problem)
{
	return port_from_json(value, target, problem);
}

static int read_progress(struct json_object *value, void *target, struct problem *problem)
{
	return progress_from_json(value, target, problem);
}

static int read_failure(struct json_object *value, void *target, struct problem *problem)
{
	return failure_from_json(value, target, problem);
}

static int read_hooks(struct json_object *value, void *target, struct problem *problem)
{
	struct job *job = target;

	return hook_results_from_json(value, &job->hooks, &job->n_hooks, problem);
}

#define OFFSET(member) offsetof(struct job, member)

static const struct field fields[] = {
	{ .name = "id",
	  .type = FIELD_INT,
	  .offset = OFFSET(id),
	  .flags = FIELD_REQUIRED,
	  .min = 1,
	  .max = INT64_MAX },
	{ .name = "state",
	  .type = FIELD_WORD,
	  .offset = OFFSET(state),
	  .flags = FIELD_REQUIRED,
	  .words = job_state_words,
	  .n_words = ARRAY_SIZE(job_state_words) },
	{ .name = "request",
	  .type = FIELD_CUSTOM,
	  .offset = OFFSET(request),
	  .flags = FIELD_REQUIRED,
	  .read = read_request },
	{ .name = "owner", .type = FIELD_UINT32, .offset = OFFSET(owner), .flags = FIELD_REQUIRED },
	{ .name = "created",
	  .type = FIELD_TIME,
	  .offset = OFFSET(created),
	  .flags = FIELD_REQUIRED },
	{ .name = "started", .type = FIELD_TIME, .offset = OFFSET(started) },
	{ .name = "finished", .type = FIELD_TIME, .offset = OFFSET(finished) },
	{ .name = "port", .type = FIELD_CUSTOM, .offset = OFFSET(port), .read = read_port },
	{ .name = "progress",
	  .type = FIELD_CUSTOM,
	  .offset = OFFSET(progress),
	  .read = read_progress },
	{ .name = "backup",
	  .type = FIELD_STRING,
	  .offset = OFFSET(backup),
	  .flags = FIELD_CLEAN,
	  .min = 1,
	  .max = NAME_MAX },
	{ .name = "failure",
	  .type = FIELD_CUSTOM,
	  .offset = OFFSET(failure),
	  .read = read_failure },
	{ .name = "hooks", .type = FIELD_CUSTOM, .read = read_hooks },
	{ .name = "attempts",
	  .type = FIELD_INT,
	  .offset = OFFSET(attempts),
	  .flags = FIELD_REQUIRED,
	  .min = 0,
	  .max = INT64_MAX },
};

_Static_assert(sizeof(uid_t) == sizeof(uint32_t), "owner is read as uint32_t");

int job_from_json(struct json_object *object, struct job *ret, struct problem *problem)
{
	_cleanup_(job_clear) struct job job = { .progress.eta = -1 };
	int r;

	r = message_read_known(object, fields, ARRAY_SIZE(fields), &job, problem);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(job);
	return 0;
}
