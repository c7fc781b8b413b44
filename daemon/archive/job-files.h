/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What came along with a job: its download agent and its scatter file, in <state>/job-files as
 * <job>.da and <job>.scatter, from the reply to Submit to the job's end. Jobs that were submitted
 * together share one content by hard links.
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

struct job_files;

enum job_file {
	JOB_FILE_DA,
	JOB_FILE_SCATTER,
	_JOB_FILE_MAX,
};

/* Opens the directory, made where it is missing; what never became a job's is removed. */
_must_check_ int job_files_open(const char *state_directory, struct job_files **ret);
void job_files_close(struct job_files *files);
DEFINE_CLEANUP(struct job_files *, job_files_close);

/*
 * Takes a durable copy of the regular file fd for the jobs of the next commit. -EINVAL for what is
 * no regular file, -ENODATA for an empty one, -EFBIG over the limit of its kind (limits.h).
 */
_must_check_ int job_files_stage(struct job_files *files, enum job_file kind, int fd);

/* Gives what is staged to n jobs, durably; 0 also when nothing is. Afterwards nothing is staged. */
_must_check_ int job_files_commit(struct job_files *files, const int64_t *jobs, size_t n);

/* Forgets what is staged. */
void job_files_discard(struct job_files *files);

/* Opens a job's file for reading; the caller closes it. -ENOENT. */
_must_check_ int job_files_open_file(const struct job_files *files, int64_t job,
				     enum job_file kind);

/* Removes all that a job has there. */
void job_files_remove(struct job_files *files, int64_t job);

/* Calls found for every file's job, maybe twice for one, until it returns negative. */
_must_check_ int job_files_walk(struct job_files *files, int (*found)(int64_t job, void *userdata),
				void *userdata);
