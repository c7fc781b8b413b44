/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "daemon/log.h"
#include "daemon/manager/manager.h"
#include "daemon/methods/follow.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/paged-list.h"
#include "daemon/methods/submission.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

static int reply_no_such_job(struct call *call, int64_t id)
{
	struct json_object *error;
	int r = error_no_such_job(id, &error);

	return r < 0 ? r : call_error(call, ERROR_NO_SUCH_JOB, error);
}

static int reply_job(struct call *call, struct manager *manager, int64_t id)
{
	struct json_object *object, *reply;
	struct job job = { 0 };
	int r;

	r = manager_get_job(manager, id, &job);
	if (r >= 0)
		r = job_to_json(&job, &object);
	job_clear(&job);
	if (r == -ENOENT)
		return reply_no_such_job(call, id);
	if (r >= 0)
		r = message_build(&reply, MEMBERS(M_OBJECT("job", object)));
	return r < 0 ? r : call_reply(call, reply);
}

/* ---- Submit ---- */

static int invalid_request(struct call *call, const struct problem *problem)
{
	struct json_object *error;
	int r = error_invalid_request(problem, &error);

	return r < 0 ? r : call_error(call, ERROR_INVALID_REQUEST, error);
}

static int reply_ids(struct call *call, const int64_t *ids, size_t n)
{
	_cleanup_message_ struct json_object *array = NULL;
	struct json_object *reply;
	int r = message_new_array(&array);

	for (size_t i = 0; i < n && r >= 0; i++)
		r = message_append_int(array, ids[i]);
	if (r >= 0)
		r = message_build(&reply, MEMBERS(M_OBJECT("jobs", TAKE_PTR(array))));
	return r < 0 ? r : call_reply(call, reply);
}

static int submit(struct call *call, struct manager *manager, const struct job_request *request)
{
	_cleanup_free_ int64_t *ids = calloc((size_t)request->count, sizeof(*ids));
	struct json_object *error;
	int r;

	if (!ids)
		return -ENOMEM;
	r = manager_submit(manager, request, call_uid(call), ids);
	if (r == -EDQUOT) {
		r = error_limit_reached("unfinished jobs of one user", LIMIT_QUEUED_PER_UID,
					&error);
		return r < 0 ? r : call_error(call, ERROR_LIMIT_REACHED, error);
	}
	if (r < 0) {
		log_error("a job cannot be stored: %s", store_error_text(manager_store(manager)));
		return r;
	}
	return reply_ids(call, ids, (size_t)request->count);
}

int method_submit(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = {
		{ .name = "request", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED },
	};
	struct control *control = userdata;
	_cleanup_message_ struct json_object *object = NULL;
	struct job_request request = { 0 };
	struct problem problem;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &object, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = job_request_from_json(object, &request, &problem);
	if (r >= 0)
		r = submission_take_files(call, control->manager, &request, &problem);
	if (r >= 0)
		r = submit(call, control->manager, &request);
	else if (r == -EBADMSG)
		r = invalid_request(call, &problem);
	job_request_clear(&request);
	return r;
}

/* ---- lists ---- */

struct list_jobs {
	struct json_object *states;
	struct json_object *labels;
	uint64_t since;
	int64_t limit;
	int64_t before;
};

static void list_jobs_clear(struct list_jobs *list)
{
	message_unref(list->states);
	message_unref(list->labels);
}

static int read_states(struct json_object *states, unsigned int *ret, struct problem *problem)
{
	unsigned int mask = 0;

	for (size_t i = 0; i < message_length(states); i++) {
		const char *word = message_string(message_at(states, i));
		enum job_state state;

		if (!word || job_state_from_string(word, &state) < 0) {
			(void)problem_set(problem, "", "must be the name of a job's state");
			problem_within_element(problem, "states", i);
			return -EBADMSG;
		}
		mask |= 1U << state;
	}
	*ret = mask;
	return 0;
}

/* The caller frees the labels. */
static int read_labels(struct json_object *object, struct job_filter *filter, struct label **ret,
		       struct problem *problem)
{
	int r = 0;

	if (object)
		r = labels_from_json(object, ret, &filter->n_labels, problem);
	if (r == -EBADMSG)
		problem_within(problem, "labels");
	else if (r >= 0)
		filter->labels = *ret;
	return r;
}

struct job_query {
	struct job_filter filter;
	struct label *labels;
};

static void job_query_free(void *userdata)
{
	struct job_query *query = userdata;

	labels_free(query->labels, query->filter.n_labels);
	free(query);
}

static int add_job(struct manager *manager, struct job *job, struct paged_list *list)
{
	struct json_object *object;
	struct job live = { 0 };
	int r;

	if (job->state == JOB_RUNNING && manager_get_job(manager, job->id, &live) >= 0)
		job->progress = live.progress;
	job_clear(&live);
	r = job_to_json(job, &object);
	return r < 0 ? r : paged_list_add(list, object);
}

/* Newest first. */
static int page_of_jobs(struct manager *manager, void *userdata, size_t limit,
			struct paged_list *list)
{
	struct job_query *query = userdata;
	struct job *jobs = NULL;
	size_t n = 0;
	int r;

	query->filter.limit = limit;
	r = store_list_jobs(manager_store(manager), &query->filter, &jobs, &n);
	if (n > 0)
		query->filter.before = jobs[n - 1].id;
	for (size_t i = 0; i < n; i++) {
		if (r >= 0)
			r = add_job(manager, &jobs[i], list);
		job_clear(&jobs[i]);
	}
	free(jobs);
	return r < 0 ? r : (int)n;
}

static const struct paged_list_type list_of_jobs = {
	.member = "jobs",
	.page = page_of_jobs,
	.free = job_query_free,
};

int method_list_jobs(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = {
		{ .name = "states",
		  .type = FIELD_ARRAY,
		  .max = _JOB_STATE_MAX,
		  .offset = offsetof(struct list_jobs, states) },
		{ .name = "labels",
		  .type = FIELD_OBJECT,
		  .max = LIMIT_LABELS,
		  .offset = offsetof(struct list_jobs, labels) },
		{ .name = "since",
		  .type = FIELD_TIME,
		  .offset = offsetof(struct list_jobs, since) },
		{ .name = "limit",
		  .type = FIELD_INT,
		  .min = 1,
		  .max = LIMIT_LIST,
		  .offset = offsetof(struct list_jobs, limit) },
		{ .name = "before",
		  .type = FIELD_INT,
		  .min = 1,
		  .max = INT64_MAX,
		  .offset = offsetof(struct list_jobs, before) },
	};
	struct control *control = userdata;
	_cleanup_(list_jobs_clear) struct list_jobs list = { .limit = LIMIT_LIST };
	struct job_query *query = calloc(1, sizeof(*query));
	struct problem problem;
	int r = query ? 0 : -ENOMEM;

	if (r >= 0)
		r = message_read(parameters, fields, ARRAY_SIZE(fields), &list, &problem);
	if (r >= 0)
		r = read_states(list.states, &query->filter.states, &problem);
	if (r >= 0)
		r = read_labels(list.labels, &query->filter, &query->labels, &problem);
	if (r < 0) {
		free(query);
		return r == -EBADMSG ? call_invalid(call, &problem) : r;
	}
	query->filter.since = list.since;
	query->filter.before = list.before;
	return paged_list_answer(call, control->manager, &list_of_jobs, query, (size_t)list.limit);
}

/* ---- one job ---- */

static int read_id(struct json_object *parameters, int64_t *ret, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "id",
		  .type = FIELD_INT,
		  .flags = FIELD_REQUIRED,
		  .min = 1,
		  .max = INT64_MAX },
	};

	return message_read(parameters, fields, ARRAY_SIZE(fields), ret, problem);
}

int method_get_job(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	struct problem problem;
	int64_t id;
	int r = read_id(parameters, &id, &problem);

	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	return r < 0 ? r : reply_job(call, control->manager, id);
}

static int wrong_state(struct call *call, struct manager *manager, int64_t id)
{
	struct json_object *error;
	struct job job = { 0 };
	int r;

	r = manager_get_job(manager, id, &job);
	if (r >= 0)
		r = error_wrong_state(id, job_state_to_string(job.state), &error);
	job_clear(&job);
	return r < 0 ? r : call_error(call, ERROR_WRONG_STATE, error);
}

static int change_job(struct call *call, struct json_object *parameters, struct control *control,
		      int (*change)(struct manager *manager, int64_t id, uid_t uid))
{
	struct problem problem;
	int64_t id;
	int r;

	r = read_id(parameters, &id, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = change(control->manager, id, call_uid(call));
	if (r == -ENOENT)
		return reply_no_such_job(call, id);
	if (r == -EINVAL)
		return wrong_state(call, control->manager, id);
	return r < 0 ? r : reply_job(call, control->manager, id);
}

int method_cancel(struct call *call, struct json_object *parameters, void *userdata)
{
	return change_job(call, parameters, userdata, manager_cancel);
}

int method_retry(struct call *call, struct json_object *parameters, void *userdata)
{
	return change_job(call, parameters, userdata, manager_retry);
}

/* ---- Follow ---- */

static int read_ids(struct json_object *array, int64_t **ret, size_t *ret_n,
		    struct problem *problem)
{
	size_t n = message_length(array);
	_cleanup_free_ int64_t *ids = calloc(n + 1, sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (message_int(message_at(array, i), &ids[i]) < 0) {
			(void)problem_set(problem, "", "must be the id of a job");
			problem_within_element(problem, "ids", i);
			return -EBADMSG;
		}
	*ret = TAKE_PTR(ids);
	*ret_n = n;
	return 0;
}

int method_follow(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = {
		{ .name = "ids", .type = FIELD_ARRAY, .max = LIMIT_LIST },
	};
	struct control *control = userdata;
	_cleanup_message_ struct json_object *array = NULL;
	_cleanup_free_ int64_t *ids = NULL;
	struct problem problem;
	int64_t unknown = 0;
	size_t n = 0;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &array, &problem);
	if (r >= 0)
		r = read_ids(array, &ids, &n, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = follow_add(control->follow, call, ids, n, &unknown);
	return r == -ENOENT ? reply_no_such_job(call, unknown) : r;
}
