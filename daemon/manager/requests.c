/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What others ask of the manager: jobs and backups. */

#include "daemon/manager/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/auth.h"
#include "protocol/base/fd.h"

/* ---- jobs ---- */

/* Jobs that cannot have their files do not run without them; nobody was told of them yet. */
static void end_without_files(struct manager *manager, const int64_t *ids, size_t n, int error)
{
	struct failure failure = { 0 };

	(void)failure_set(&failure,
			  error == -ENOSPC || error == -EDQUOT ? FAILURE_NO_SPACE
							       : FAILURE_ARCHIVE_ERROR,
			  "see that the state directory can be written, then submit it again",
			  "what came with the job cannot be stored: %s", strerrordesc_np(-error));
	for (size_t i = 0; i < n; i++)
		(void)queue_end(manager->queue, ids[i], JOB_CANCELLED, &failure);
	failure_clear(&failure);
}

int manager_submit(struct manager *manager, const struct job_request *request, uid_t owner,
		   int64_t *ret_ids)
{
	int r = queue_submit(manager->queue, request, owner, ret_ids);

	if (r < 0) {
		job_files_discard(manager->job_files);
		return r;
	}
	r = job_files_commit(manager->job_files, ret_ids, (size_t)request->count);
	if (r < 0) {
		end_without_files(manager, ret_ids, (size_t)request->count, r);
		return r;
	}
	ports_forgive(manager);
	manager_schedule(manager);
	return 0;
}

static int end_cancelled(struct manager *manager, const struct job *job, uid_t uid)
{
	struct bench_port *port = bench_by_job(&manager->bench, job->id);
	struct failure failure = { 0 };
	int64_t id = job->id;
	int r;

	if (port && port->worker)
		worker_stop(port->worker);
	(void)failure_set(&failure, FAILURE_CANCELLED, "retry starts it again", "cancelled");
	r = queue_cancel(manager->queue, id, uid, &failure);
	failure_clear(&failure);
	/* A worker that still writes there ends first; then its staging goes. */
	if (r >= 0 && !port && !publication_is_running(manager, id))
		(void)archive_remove_staging(manager->archive, id);
	return r;
}

int manager_cancel(struct manager *manager, int64_t id, uid_t uid)
{
	const struct job *job = queue_find(manager->queue, id);
	struct job stored = { 0 };
	int r;

	if (!job) {
		r = store_get_job(manager->store, id, &stored);
		job_clear(&stored);
		return r < 0 ? r : -EINVAL;
	}
	if (!auth_may_direct(uid, job->owner))
		return -EPERM;
	r = end_cancelled(manager, job, uid);
	manager_schedule(manager);
	return r;
}

int manager_retry(struct manager *manager, int64_t id, uid_t uid)
{
	const struct job *job;
	struct job stored = { 0 };
	uid_t owner;
	int r;

	r = store_get_job(manager->store, id, &stored);
	if (r < 0)
		return r;
	owner = stored.owner;
	job_clear(&stored);
	if (!auth_may_direct(uid, owner))
		return -EPERM;
	r = queue_retry(manager->queue, id, uid, &job);
	if (r < 0)
		return r;
	if (!publication_is_running(manager, id) && publication_resume(manager, job))
		return 0;
	ports_forgive(manager);
	manager_schedule(manager);
	return 0;
}

const struct job *const *manager_unfinished(const struct manager *manager, size_t *ret_n)
{
	return queue_jobs(manager->queue, ret_n);
}

int manager_get_job(struct manager *manager, int64_t id, struct job *ret)
{
	const struct job *live = queue_find(manager->queue, id);
	int r = store_get_job(manager->store, id, ret);

	if (r >= 0 && live && live->state == ret->state)
		ret->progress = live->progress;
	/* What ran after it is an ornament: a job whose hooks cannot be read is shown without. */
	if (r >= 0 && store_get_hooks(manager->store, id, &ret->hooks, &ret->n_hooks) < 0)
		log_warning("%s", store_error_text(manager->store));
	return r;
}

/* ---- backups ---- */

int manager_remove_backup(struct manager *manager, const char *id, uid_t uid)
{
	struct backup backup = { 0 };
	struct job job = { 0 };
	uid_t owner = getuid();
	int r;

	r = store_get_backup(manager->store, id, &backup);
	if (r < 0)
		return r;
	if (store_get_job(manager->store, backup.job, &job) >= 0)
		owner = job.owner;
	job_clear(&job);
	backup_clear(&backup);
	if (!auth_may_control(uid, owner))
		return -EPERM;
	/* The row first: what a crash leaves is then whole, and found again. */
	r = store_let_go(manager->store, id, uid, AUDIT_REMOVE, NULL);
	if (r >= 0)
		r = archive_remove_backup(manager->archive, id);
	if (r >= 0)
		log_event(LOG_NOTICE,
			  &(struct log_context){ .id = LOG_ID_BACKUP_REMOVED, .backup = id },
			  "backup %s removed by user %u", id, uid);
	return r == -ENOENT ? 0 : r;
}

/* ---- the audit ---- */

void manager_audit(struct manager *manager, uid_t uid, enum audit_action action, const char *object,
		   const char *detail)
{
	int r = store_add_audit(manager->store, uid, action, object, detail);

	if (r < 0)
		log_error("the audit does not say that user %u did %s %s: %s", uid,
			  audit_action_to_string(action), object ?: "", strerrordesc_np(-r));
}
