/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A finished read becomes a backup: a second process reads the files back, then they are settled on
 * the disk, a file in a turn of the loop, and renamed.
 */

#include "daemon/manager/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

struct publication {
	struct manager *manager;
	struct publication *next;
	int64_t job;
	char *twin; /* id of an older backup that should have the same bytes, NULL: none */
	struct archive_publish *publish; /* NULL: it is still being checked */
	sd_event_source *step;
};

bool publication_is_running(const struct manager *manager, int64_t job)
{
	for (const struct publication *p = manager->publications; p; p = p->next)
		if (p->job == job)
			return true;
	return false;
}

static void publication_free(struct publication *publication)
{
	struct publication **link = &publication->manager->publications;

	while (*link != publication)
		link = &(*link)->next;
	*link = publication->next;
	sd_event_source_disable_unref(publication->step);
	archive_publish_free(publication->publish);
	free(publication->twin);
	free(publication);
}

void publications_forget(struct manager *manager)
{
	while (manager->publications)
		publication_free(manager->publications);
}

void publication_tidy(struct manager *manager, int64_t id)
{
	struct job job = { 0 };
	int r = store_get_job(manager->store, id, &job);
	/* Without its watch, it was cancelled and retried: then it begins again. */
	bool keep = r >= 0 &&
		    (job.state == JOB_FAILED || (!job_state_is_final(job.state) && job.port.chip));

	job_clear(&job);
	if (!keep && (r >= 0 || r == -ENOENT))
		(void)archive_remove_staging(manager->archive, id);
}

/* What the check found to be the same in both is stored once from now on. */
static void share_with_twin(const struct publication *publication, const struct worker_done *result)
{
	struct log_context context = { .job = publication->job, .backup = publication->twin };
	uint64_t bytes = 0;
	char text[16];
	int r;

	if (result->n_same == 0)
		return;
	r = archive_share(publication->manager->archive, publication->job, publication->twin,
			  result->same, result->n_same, &bytes);
	if (r < 0 && r != -ENOENT)
		log_event(LOG_WARNING, &context,
			  "what is the same as in backup %s cannot be stored once: %s",
			  publication->twin, strerrordesc_np(-r));
	else if (bytes > 0)
		log_event(LOG_INFO, &context, "the same as backup %s: %s are stored once",
			  publication->twin, format_bytes(bytes, text));
}

static void end_publication(struct publication *publication)
{
	struct manager *manager = publication->manager;

	publication_free(publication);
	manager_schedule(manager);
}

static void fail_publication(struct publication *publication, int error, const char *why)
{
	struct manager *manager = publication->manager;
	struct failure failure = { 0 };

	(void)failure_set(&failure, error == -ENOSPC ? FAILURE_NO_SPACE : FAILURE_ARCHIVE_ERROR,
			  error == -EBADMSG ? "retry reads it again"
					    : "mend the disk, then retry: what was read is kept",
			  "the backup of job %" PRId64 " cannot be published: %s", publication->job,
			  why ?: strerrordesc_np(-error));
	(void)queue_end(manager->queue, publication->job, JOB_FAILED, &failure);
	failure_clear(&failure);
	if (error == -EBADMSG)
		(void)archive_remove_staging(manager->archive, publication->job);
	end_publication(publication);
}

/* Takes the row. */
static void finish_publication(struct publication *publication, struct backup *backup)
{
	struct manager *manager = publication->manager;
	_cleanup_free_ char *meid = backup->meid ? strdup(backup->meid) : NULL;

	/* A process of its own has just read all of it. */
	backup->verified = time_real();
	(void)queue_publish(manager->queue, publication->job, backup);
	backup_clear(backup);
	if (meid)
		pruner_look_at(manager->pruner, meid);
	end_publication(publication);
}

static bool is_wanted(const struct publication *publication)
{
	const struct job *job = queue_find(publication->manager->queue, publication->job);

	return job && job->state == JOB_RUNNING;
}

static int on_step(_unused_ sd_event_source *source, void *userdata)
{
	struct publication *publication = userdata;
	_cleanup_free_ char *why = NULL;
	struct backup backup = { 0 };
	int r;

	if (!is_wanted(publication)) {
		publication_tidy(publication->manager, publication->job);
		end_publication(publication);
		return 0;
	}
	r = archive_publish_step(publication->publish, &backup, &why);
	if (r == 0)
		finish_publication(publication, &backup);
	else if (r < 0)
		fail_publication(publication, r, why);
	return 0;
}

/* From the check to the steps, one in each turn of the loop. */
static void begin_steps(struct publication *publication)
{
	struct manager *manager = publication->manager;
	_cleanup_free_ char *why = NULL;
	int r = archive_publish_begin(manager->archive, publication->job, &publication->publish,
				      &why);

	if (r >= 0)
		r = sd_event_add_defer(manager->event, &publication->step, on_step, publication);
	if (r >= 0)
		r = sd_event_source_set_enabled(publication->step, SD_EVENT_ON);
	if (r < 0)
		fail_publication(publication, r, why);
}

static void on_checked(struct worker *worker, const struct failure *failure, void *userdata)
{
	struct publication *publication = userdata;
	struct manager *manager = publication->manager;

	if (is_wanted(publication) && failure->code == FAILURE_NONE) {
		share_with_twin(publication, worker_result(worker));
		begin_steps(publication);
		return;
	}
	if (!is_wanted(publication))
		publication_tidy(manager, publication->job);
	else if (failure->code != FAILURE_CANCELLED)
		(void)queue_end(manager->queue, publication->job, JOB_FAILED, failure);
	/* What is damaged is no use to a retry: that reads again. */
	if (failure->code == FAILURE_ARCHIVE_ERROR)
		(void)archive_remove_staging(manager->archive, publication->job);
	end_publication(publication);
}

static const struct worker_handler publication_handler = { .ended = on_checked };

/* An older backup with the same content; the check compares with it. */
static int find_twin(struct manager *manager, int64_t job, char **ret)
{
	_cleanup_(backup_clear) struct backup row = { 0 };
	int r = archive_peek(manager->archive, job, &row);

	return r < 0 ? r : store_find_twin(manager->store, row.content, ret);
}

/* Without a twin that can be opened it is a check like any other. */
static void add_twin(struct publication *publication, struct worker_files *files)
{
	struct manager *manager = publication->manager;

	if (!manager->config.deduplicate ||
	    find_twin(manager, publication->job, &publication->twin) < 0)
		return;
	files->fds[WORKER_FILE_TWIN] = archive_open_backup(manager->archive, publication->twin);
}

static int start_check(struct manager *manager, int64_t job)
{
	static const struct progress progress = { .phase = PHASE_PUBLISH, .eta = -1 };
	struct publication *publication = malloc(sizeof(*publication));
	_cleanup_(worker_files_close) struct worker_files files = WORKER_FILES_NONE;
	struct worker *worker;
	int r;

	if (!publication)
		return -ENOMEM;
	*publication = (struct publication){ .manager = manager,
					     .next = manager->publications,
					     .job = job };
	manager->publications = publication;
	queue_set_progress(manager->queue, job, &progress);
	r = archive_open_staging(manager->archive, job);
	if (r >= 0) {
		files.fds[WORKER_FILE_DIRECTORY] = r;
		add_twin(publication, &files);
		r = worker_pool_check(manager->pool, &(struct worker_check){ 0 }, &files,
				      &publication_handler, publication, &worker);
	}
	if (r < 0)
		publication_free(publication);
	return r;
}

void publication_begin(struct manager *manager, const struct job *job)
{
	struct failure failure = { 0 };
	int r = start_check(manager, job->id);

	if (r >= 0)
		return;
	(void)failure_set(&failure, FAILURE_ARCHIVE_ERROR, "retry publishes what was read",
			  "the backup of job %" PRId64 " cannot be checked: %s", job->id,
			  strerrordesc_np(-r));
	(void)queue_end(manager->queue, job->id, JOB_FAILED, &failure);
	failure_clear(&failure);
}

bool publication_resume(struct manager *manager, const struct job *job)
{
	if (!archive_is_read(manager->archive, job->id) ||
	    (job->state != JOB_RUNNING && queue_start(manager->queue, job->id, &job->port) < 0))
		return false;
	publication_begin(manager, job);
	return true;
}
