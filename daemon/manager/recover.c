/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/internal.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/fd.h"
#include "protocol/control/limits.h"

/* Of jobs whose end is longer ago the watch may stay on the bench, but not their batch. */
#define SERVED_SINCE_USEC (86400 * USEC_PER_SEC)

/* A row that an earlier version wrote: what it did not keep is in the manifest. */
static int complete_row(struct manager *manager, const struct backup *row)
{
	_cleanup_(backup_clear) struct backup backup = { 0 };
	_cleanup_free_ char *why = NULL;
	int r = archive_read_backup(manager->archive, row->id, &backup, &why);

	if (r < 0) { /* bad sectors are not worth a daemon that does not start */
		log_event(LOG_WARNING, &(struct log_context){ .backup = row->id },
			  "backup %s cannot be read, verify it: %s", row->id,
			  why ?: strerrordesc_np(-r));
		return 0;
	}
	backup.verified = row->verified;
	backup.damaged = row->damaged;
	return store_add_backup(manager->store, &backup, NULL);
}

/* A backup that was renamed into place in the moment before its row was to be committed. */
static int adopt_backup(const char *id, void *userdata)
{
	struct manager *manager = userdata;
	_cleanup_free_ char *why = NULL;
	struct backup backup = { 0 };
	const struct job *job;
	int r;

	r = store_get_backup(manager->store, id, &backup);
	if (r >= 0) {
		r = *backup.content ? 0 : complete_row(manager, &backup);
		backup_clear(&backup);
		return r;
	}
	if (r != -ENOENT)
		return r;
	r = archive_read_backup(manager->archive, id, &backup, &why);
	if (r < 0) {
		log_event(LOG_WARNING,
			  &(struct log_context){ .id = LOG_ID_BACKUP_UNREADABLE, .backup = id },
			  "backup %s is not in the catalogue and cannot be: %s", id,
			  why ?: strerrordesc_np(-r));
		return 0;
	}
	job = queue_find(manager->queue, backup.job);
	if (job && job->state == JOB_RUNNING)
		r = queue_publish(manager->queue, job->id, &backup);
	else
		r = store_add_backup(manager->store, &backup, NULL);
	backup_clear(&backup);
	log_event(LOG_NOTICE, &(struct log_context){ .id = LOG_ID_BACKUP_ADOPTED, .backup = id },
		  "backup %s added to the catalogue from its manifest", id);
	return r;
}

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

static int report_missing(struct manager *manager)
{
	struct backup_filter all = { 0 };
	struct backup *backups = NULL;
	size_t n = 0;
	int r;

	r = store_list_backups(manager->store, &all, &backups, &n);
	for (size_t i = 0; i < n; i++) {
		_cleanup_close_ int fd = archive_open_backup(manager->archive, backups[i].id);

		if (fd == -ENOENT)
			log_event(LOG_WARNING,
				  &(struct log_context){ .id = LOG_ID_BACKUP_MISSING,
							 .backup = backups[i].id },
				  "backup %s is in the catalogue but not at %s", backups[i].id,
				  backups[i].path);
		backup_clear(&backups[i]);
	}
	free(backups);
	return r;
}

int recover(struct manager *manager)
{
	int r;

	r = archive_sweep(manager->archive);
	if (r < 0)
		log_warning("what was removed cannot be swept out of trash: %s",
			    strerrordesc_np(-r));
	r = archive_walk_backups(manager->archive, adopt_backup, manager);
	if (r < 0)
		return r;
	recover_running(manager);
	r = archive_walk_staging(manager->archive, sweep_staging, manager);
	if (r >= 0)
		r = job_files_walk(manager->job_files, sweep_job_files, manager);
	if (r >= 0)
		r = report_missing(manager);
	if (r >= 0)
		recover_served(manager);
	return r;
}
