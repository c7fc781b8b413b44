/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/batch.h"

#include <stddef.h>

#include "protocol/base/time.h"
#include "protocol/control/message.h"

void batch_clear(struct batch *batch)
{
	free(batch->name);
	*batch = (struct batch){ 0 };
}

static int jobs_to_json(const struct batch *batch, struct json_object **ret)
{
	_cleanup_message_ struct json_object *jobs = NULL;
	int r = message_build(&jobs, NULL, 0);

	for (int s = 0; r >= 0 && s < _JOB_STATE_MAX; s++)
		if (batch->jobs[s])
			r = message_add(jobs, M_INT(job_state_to_string((enum job_state)s),
						    batch->jobs[s]));
	if (r >= 0)
		*ret = TAKE_PTR(jobs);
	return r;
}

int batch_to_json(const struct batch *batch, struct json_object **ret)
{
	char created[TIME_TEXT_SIZE], finished[TIME_TEXT_SIZE];
	struct json_object *jobs;
	int r = jobs_to_json(batch, &jobs);

	if (r < 0)
		return r;
	return message_build(
		ret, MEMBERS(M_STRING("name", batch->name),
			     M_STRING("created", time_format(batch->created, created)),
			     M_STRING_OPT("finished",
					  batch->finished ? time_format(batch->finished, finished)
							  : NULL),
			     M_OBJECT("jobs", jobs)));
}

struct reading {
	uint64_t *jobs;
	struct problem *problem;
};

static int read_count(const char *name, struct json_object *value, void *userdata)
{
	const struct reading *reading = userdata;
	enum job_state state;
	int64_t n;

	/* A state that we do not know is a newer daemon's. */
	if (job_state_from_string(name, &state) < 0)
		return 0;
	if (message_int(value, &n) < 0 || n < 0)
		return problem_set(reading->problem, name, "must be a number of jobs");
	reading->jobs[state] = (uint64_t)n;
	return 0;
}

static int read_jobs(struct json_object *value, void *target, struct problem *problem)
{
	struct batch *batch = target;
	struct reading reading = { batch->jobs, problem };

	if (!message_is_object(value))
		return problem_set(problem, "", "must be an object");
	return message_each(value, read_count, &reading);
}

static const struct field fields[] = {
	{ .name = "name",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct batch, name),
	  .flags = FIELD_REQUIRED },
	{ .name = "created",
	  .type = FIELD_TIME,
	  .offset = offsetof(struct batch, created),
	  .flags = FIELD_REQUIRED },
	{ .name = "finished", .type = FIELD_TIME, .offset = offsetof(struct batch, finished) },
	{ .name = "jobs", .type = FIELD_CUSTOM, .flags = FIELD_REQUIRED, .read = read_jobs },
};

int batch_from_json(struct json_object *object, struct batch *ret, struct problem *problem)
{
	_cleanup_(batch_clear) struct batch batch = { 0 };
	int r;

	r = message_read_known(object, fields, ARRAY_SIZE(fields), &batch, problem);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(batch);
	return 0;
}
