/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/batch/jobs.h"

#include <errno.h>
#include <stdlib.h>

#include "client/calls/connection.h"
#include "client/calls/job-list.h"
#include "client/client.h"
#include "client/output/print.h"
#include "protocol/control/batch.h"
#include "protocol/control/message.h"

#define METHOD "ListJobs"

void batch_jobs_clear(struct batch_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++)
		job_clear(&jobs->list[i]);
	free(jobs->list);
	message_unref(jobs->objects);
	*jobs = (struct batch_jobs){ 0 };
}

/* Turns the list, which comes with the newest first. -EBADMSG with *problem, -ENOMEM. */
static int take_jobs(struct batch_jobs *jobs, struct json_object *newest_first,
		     struct problem *problem)
{
	size_t n = message_length(newest_first);
	int r = message_new_array(&jobs->objects);

	jobs->list = r < 0 ? NULL : calloc(n + 1, sizeof(*jobs->list));
	if (!jobs->list)
		return -ENOMEM;
	while (n > 0 && r >= 0) {
		struct json_object *object = message_at(newest_first, --n);

		r = job_from_json(object, &jobs->list[jobs->n], problem);
		if (r < 0)
			break;
		jobs->n++;
		r = message_append(jobs->objects, message_ref(object));
	}
	return r;
}

static int fetch(struct client *client, const char *name, struct json_object *all)
{
	_cleanup_message_ struct json_object *labels = NULL;
	int r = message_build(&labels, MEMBERS(M_STRING(LABEL_BATCH, name)));

	if (r == -EINVAL) {
		print_failure(client, "no such batch: %s", name);
		return STATUS_NOT_FOUND;
	}
	if (r < 0)
		return client_status(client, r);
	return job_list_fetch(client,
			      &(struct job_list_query){ .labels = labels, .limit = SIZE_MAX }, all);
}

int batch_jobs_fetch(struct client *client, const char *name, struct batch_jobs *ret)
{
	_cleanup_(batch_jobs_clear) struct batch_jobs jobs = { .name = name };
	_cleanup_message_ struct json_object *all = NULL;
	struct problem problem = { 0 };
	int r = message_new_array(&all);

	if (r < 0)
		return client_status(client, r);
	r = fetch(client, name, all);
	if (r != STATUS_DONE)
		return r;
	r = take_jobs(&jobs, all, &problem);
	if (r < 0)
		return client_bad_reply(client, r, METHOD, &problem);
	if (jobs.n == 0) {
		print_failure(client, "no such batch: %s", name);
		print_hint(client, "'mtkrbctl batch status' lists the batches");
		return STATUS_NOT_FOUND;
	}
	*ret = TAKE_STRUCT(jobs);
	return STATUS_DONE;
}

size_t batch_jobs_count(const struct batch_jobs *jobs, enum job_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < jobs->n; i++)
		n += jobs->list[i].state == state;
	return n;
}

int batch_jobs_of_ticket(struct client *client, const char *name, const char *ticket, int64_t *ret,
			 struct complaint *complaint)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *labels, *parameters, *job;
	int64_t id = 0;
	int r = message_build(&labels,
			      MEMBERS(M_STRING(LABEL_BATCH, name), M_STRING(LABEL_TICKET, ticket)));

	if (r >= 0)
		r = message_build(&parameters,
				  MEMBERS(M_INT("limit", 1), M_OBJECT("labels", labels)));
	if (r >= 0)
		r = client_try(client, METHOD, parameters, NULL, 0, &reply, complaint);
	if (r < 0)
		return r;
	job = message_at(message_member(reply, "jobs"), 0);
	if (job && message_int(message_member(job, "id"), &id) < 0)
		return complaint_bad_reply(complaint, METHOD, NULL);
	*ret = id;
	return 0;
}

const char *batch_jobs_label(const struct job *job, const char *key)
{
	return labels_get(job->request.labels, job->request.n_labels, key);
}
