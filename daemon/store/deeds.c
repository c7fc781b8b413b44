/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/store/internal.h"
#include "protocol/base/strings.h"

int store_audit_job(struct store *store, uid_t uid, enum audit_action action, int64_t id,
		    const char *detail)
{
	char object[24];

	(void)snprintf(object, sizeof(object), "%" PRId64, id);
	return store_add_audit(store, uid, action, object, detail);
}

static const char *origin_of(const struct job *job)
{
	for (size_t i = 0; i < job->request.n_labels; i++)
		if (streq(job->request.labels[i].key, "origin"))
			return job->request.labels[i].value;
	return NULL;
}

int store_submit_jobs(struct store *store, struct job *jobs, size_t n)
{
	int r = store_begin(store);

	if (r < 0)
		return r;
	r = store_add_jobs(store, jobs, n);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = store_audit_job(store, jobs[i].owner, AUDIT_SUBMIT, jobs[i].id,
				    origin_of(&jobs[i]));
	r = store_end(store, r);
	for (size_t i = 0; i < n && r < 0; i++)
		jobs[i].id = 0;
	return r;
}

int store_retry_job(struct store *store, const struct job *job, uid_t uid)
{
	int r = store_begin(store);

	if (r < 0)
		return r;
	r = store_update_job(store, job);
	if (r >= 0)
		r = store_audit_job(store, uid, AUDIT_RETRY, job->id, NULL);
	return store_end(store, r);
}

int store_let_go(struct store *store, const char *id, uid_t uid, enum audit_action action,
		 const char *detail)
{
	int r = store_begin(store);

	if (r < 0)
		return r;
	r = store_remove_backup(store, id);
	if (r >= 0)
		r = store_add_audit(store, uid, action, id, detail);
	return store_end(store, r);
}
