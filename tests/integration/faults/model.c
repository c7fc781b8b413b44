/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/faults/model.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "protocol/base/digest.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

static struct model_job *find_job(struct model *model, int64_t id)
{
	for (size_t i = model->n_jobs; i > 0; i--)
		if (model->jobs[i - 1].id == id)
			return &model->jobs[i - 1];
	return NULL;
}

struct model_job *model_add(struct model *model, int64_t id)
{
	struct model_job *job = find_job(model, id);

	if (job)
		return job;
	assert_true(model->n_jobs < MODEL_JOBS_MAX);
	job = &model->jobs[model->n_jobs++];
	*job = (struct model_job){ .id = id };
	return job;
}

/* ---- jobs ---- */

static bool claim_holds(const struct model_job *known, enum job_state state)
{
	switch (known->claim) {
	case CLAIM_CANCELLED:
		return state == JOB_CANCELLED;
	case CLAIM_RETRIED:
		return state == JOB_QUEUED || state == JOB_WAITING || state == JOB_DONE;
	case CLAIM_DONE:
		return state == JOB_DONE;
	default:
		return true;
	}
}

static void look_at_job(struct model *model, const struct job *job)
{
	struct model_job *known = model_add(model, job->id);

	if (!claim_holds(known, job->state))
		fail_msg("job %" PRId64 " is %s after a restart; acknowledged was %d", job->id,
			 job_state_to_string(job->state), (int)known->claim);
	known->state = job->state;
	if (job->state == JOB_DONE)
		known->claim = CLAIM_DONE;
	assert_int_equal(job->state == JOB_DONE, job->backup != NULL);
	(void)snprintf(known->backup, sizeof(known->backup), "%s", job->backup ?: "");
}

/* One page of the list, newest first, below before; the oldest id on it, 0 for an empty one. */
static int64_t look_at_page(struct model *model, int64_t before, size_t *n)
{
	_cleanup_free_ char *parameters = str_format("{\"before\":%" PRId64 "}", before);
	_cleanup_message_ struct json_object *reply =
		rig_call(model->rig, "ListJobs", parameters, NULL);
	struct json_object *jobs = message_member(reply, "jobs");
	int64_t oldest = 0;

	for (size_t i = 0; i < message_length(jobs); i++) {
		struct problem problem;
		struct job job = { 0 };

		assert_int_equal(job_from_json(message_at(jobs, i), &job, &problem), 0);
		look_at_job(model, &job);
		oldest = job.id;
		(*n)++;
		job_clear(&job);
	}
	return oldest;
}

/* Every acknowledged job is there; one more may be, whose acknowledgement was cut off. */
static void check_jobs(struct model *model)
{
	int64_t before = INT64_MAX;
	size_t n = 0;

	while ((before = look_at_page(model, before, &n)) > 1)
		;
	if (n != model->n_jobs)
		fail_msg("%zu jobs are listed, %zu were acknowledged", n, model->n_jobs);
}

/* ---- backups ---- */

static struct model_backup *find_backup(struct model *model, const char *id)
{
	for (size_t i = 0; i < model->n_backups; i++)
		if (streq(model->backups[i].id, id))
			return &model->backups[i];
	return NULL;
}

/* Each file against its line of SHA256SUMS. */
static void check_sums(const char *directory)
{
	_cleanup_free_ char *path = str_format("%s/SHA256SUMS", directory);
	_cleanup_free_ char *text = NULL;
	unsigned int n = 0;
	char *rest = NULL;

	assert_int_equal(fd_read_file(AT_FDCWD, path, 1U << 20, &text, NULL), 0);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		_cleanup_free_ char *file = NULL;
		char is[DIGEST_HEX_SIZE];
		_cleanup_close_ int fd = -1;

		assert_true(strlen(line) > 66);
		file = str_format("%s/%s", directory, line + 66);
		fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fail_msg("%s is not there", file);
		assert_int_equal(digest_file(fd, 0, file_size(file), is), 0);
		assert_memory_equal(is, line, 64);
		n++;
	}
	assert_true(n >= 3);
}

static void look_at_directory(struct model *model, const char *directory)
{
	const char *id = strrchr(directory, '/') + 1;
	struct model_backup *backup = find_backup(model, id);

	if (!backup) {
		_cleanup_free_ char *image = str_format("%s/ROM_0", directory);

		assert_true(model->n_backups < MODEL_BACKUPS_MAX);
		backup = &model->backups[model->n_backups++];
		*backup = (struct model_backup){ 0 };
		(void)snprintf(backup->id, sizeof(backup->id), "%s", id);
		check_sums(directory);
		if (!same_content(image, model->image))
			model->lost += file_size(model->image);
	}
	if (backup->removed)
		fail_msg("backup %s was removed and is there again", id);
	backup->there = true;
}

static bool is_listed(struct json_object *list, const char *id)
{
	for (size_t i = 0; i < message_length(list); i++)
		if (streq_ptr(message_string(message_member(message_at(list, i), "id")), id))
			return true;
	return false;
}

/* The catalogue and the directories say the same. */
static void check_backups(struct model *model)
{
	_cleanup_free_ char *pattern = str_format("%s/backups/*/*/*", model->rig->state);
	_cleanup_message_ struct json_object *reply =
		rig_call(model->rig, "ListBackups", "{}", NULL);
	struct json_object *list = message_member(reply, "backups");
	glob_t found = { 0 };

	for (size_t i = 0; i < model->n_backups; i++)
		model->backups[i].there = false;
	(void)glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		look_at_directory(model, found.gl_pathv[i]);
		if (!is_listed(list, strrchr(found.gl_pathv[i], '/') + 1))
			fail_msg("%s is not in the catalogue", found.gl_pathv[i]);
	}
	if (message_length(list) != found.gl_pathc)
		fail_msg("%zu backups in the catalogue, %zu directories", message_length(list),
			 (size_t)found.gl_pathc);
	globfree(&found);
}

/* A job that is done has its backup, unless that was removed. */
static void check_done(struct model *model)
{
	for (size_t i = 0; i < model->n_jobs; i++) {
		const struct model_job *job = &model->jobs[i];

		if (job->state == JOB_DONE && !find_backup(model, job->backup))
			fail_msg("job %" PRId64 " is done, but %s was never seen", job->id,
				 job->backup);
	}
}

/* ---- what is left over ---- */

static void check_staging(struct model *model)
{
	_cleanup_free_ char *pattern = str_format("%s/staging/*", model->rig->state);
	glob_t found = { 0 };

	(void)glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int64_t id = strtoll(strrchr(found.gl_pathv[i], '/') + 1, NULL, 10);
		const struct model_job *job = find_job(model, id);

		if (!job || job->state == JOB_DONE || job->state == JOB_CANCELLED)
			fail_msg("%s was left behind", found.gl_pathv[i]);
	}
	globfree(&found);
}

static void check_trash(const struct model *model)
{
	_cleanup_free_ char *pattern = str_format("%s/trash/*", model->rig->state);
	glob_t found = { 0 };

	(void)glob(pattern, 0, NULL, &found);
	if (found.gl_pathc > 0)
		fail_msg("%s was left behind", found.gl_pathv[0]);
	globfree(&found);
}

/* A read that was whole is published without its watch: that may go on still. */
static void wait_until_idle(const struct model *model)
{
	for (int i = 0; i < 4000; i++) {
		_cleanup_message_ struct json_object *reply =
			rig_call(model->rig, "ListJobs", "{\"states\":[\"running\"]}", NULL);

		if (message_length(message_member(reply, "jobs")) == 0)
			return;
		sleep_ms(5);
	}
	fail_msg("a job runs on a bench without ports");
}

void model_check(struct model *model)
{
	wait_until_idle(model);
	check_jobs(model);
	check_backups(model);
	check_done(model);
	check_staging(model);
	check_trash(model);
}
