/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/internal.h"

#include <errno.h>
#include <string.h>

#include "protocol/control/limits.h"

/* Of jobs whose end is longer ago the watch may stay on the bench, but not their batch. */
#define SERVED_SINCE_USEC (86400 * USEC_PER_SEC)

/* A read that was finished needs no watch any more; one whose watch is not known begins again. */
static void recover_job(struct manager *manager, const struct job *job,
			const struct failure *failure)
{
	int64_t id = job->id;

	if (publication_resume(manager, job))
		return;
	if (job->port.chip && archive_has_staging(manager->archive, id)) {
		(void)queue_wait(manager->queue, id, failure);
		return;
	}
	(void)archive_remove_staging(manager->archive, id);
	(void)queue_put_back(manager->queue, id);
}

/* What ran when the daemon ended goes on where it stopped, or begins again. */
static void recover_running(struct manager *manager)
{
	struct failure failure = { 0 };
	size_t n, i = 0;
	int64_t id;

	(void)failure_set(&failure, FAILURE_DEVICE_LOST,
			  "plug the watch in again; the read goes on where it stopped",
			  "the daemon was restarted in the middle of the read");
	for (;;) {
		const struct job *const *jobs = queue_jobs(manager->queue, &n);

		while (i < n && jobs[i]->state != JOB_RUNNING)
			i++;
		if (i == n)
			break;
		id = jobs[i]->id;
		recover_job(manager, jobs[i], &failure);
		/* One that failed at once has left the queue. */
		if (queue_find(manager->queue, id))
			i++;
	}
	failure_clear(&failure);
}

/* Which watches jobs had lately: one may be plugged in still. */
static void recover_served(struct manager *manager)
{
	uint64_t now = time_real();
	struct job_filter filter = { .states =
					     1U << JOB_DONE | 1U << JOB_FAILED | 1U << JOB_RUNNING,
				     .since = now - MIN_OF(now, SERVED_SINCE_USEC),
				     .limit = LIMIT_LIST };
	struct job *jobs = NULL;
	size_t n = 0;
	int r = store_list_jobs(manager->store, &filter, &jobs, &n);

	if (r < 0)
		log_warning("which watches were read lately is not known: %s", strerrordesc_np(-r));
	for (size_t i = n; i > 0; i--) {
		served_add(&manager->served, &jobs[i - 1]);
		job_clear(&jobs[i - 1]);
	}
	free(jobs);
}

/* A failed job keeps what it has read and what it came with: a retry goes on from there. */
static int may_go_on(struct manager *manager, int64_t id, bool *ret)
{
	struct job job = { 0 };
	int r;

	r = store_get_job(manager->store, id, &job);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = r >= 0 && (!job_state_is_final(job.state) || job.state == JOB_FAILED);
	job_clear(&job);
	return 0;
}

static int sweep_staging(int64_t id, void *userdata)
{
	struct manager *manager = userdata;
	bool keep;
	int r;

	r = may_go_on(manager, id, &keep);
	return r < 0 || keep ? r : archive_remove_staging(manager->archive, id);
}

static int sweep_job_files(int64_t id, void *userdata)
{
	struct manager *manager = userdata;
	bool keep;
	int r;

	r = may_go_on(manager, id, &keep);
	if (r >= 0 && !keep)
		job_files_remove(manager->job_files, id);
	return r;
}

int recover(struct manager *manager)
{
	int r;

	r = archive_sweep(manager->archive);
	if (r < 0)
		log_warning("what was removed cannot be swept out of trash: %s",
			    strerrordesc_np(-r));
	r = reconcile(manager);
	if (r < 0)
		return r;
	recover_running(manager);
	r = archive_walk_staging(manager->archive, sweep_staging, manager);
	if (r >= 0)
		r = job_files_walk(manager->job_files, sweep_job_files, manager);
	if (r >= 0)
		recover_served(manager);
	return r;
}
