/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/archive/job-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"

#define DIRECTORY      "job-files"
#define DIRECTORY_MODE 0750
#define FILE_MODE      0640
#define NAME_SIZE      40

struct job_files {
	int directory;
	bool staged[_JOB_FILE_MAX];
};

static const struct {
	const char *suffix, *incoming;
	uint64_t limit;
} kinds[_JOB_FILE_MAX] = {
	[JOB_FILE_DA] = { "da", "incoming.da", LIMIT_AGENT_BYTES },
	[JOB_FILE_SCATTER] = { "scatter", "incoming.scatter", LIMIT_SCATTER_BYTES },
};

static void name_of(int64_t job, enum job_file kind, char ret[NAME_SIZE])
{
	(void)snprintf(ret, NAME_SIZE, "%" PRId64 ".%s", job, kinds[kind].suffix);
}

int job_files_open(const char *state_directory, struct job_files **ret)
{
	_cleanup_(job_files_closep) struct job_files *files = calloc(1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	files->directory = fd_open_folder(state_directory, DIRECTORY, DIRECTORY_MODE);
	if (files->directory < 0)
		return files->directory;
	job_files_discard(files);
	*ret = TAKE_PTR(files);
	return 0;
}

void job_files_close(struct job_files *files)
{
	if (!files)
		return;
	fd_close(files->directory);
	free(files);
}

int job_files_stage(struct job_files *files, enum job_file kind, int fd)
{
	const char *incoming = kinds[kind].incoming;
	struct stat st;
	int r;

	files->staged[kind] = false;
	r = fd_copy_file(fd, files->directory, incoming, kinds[kind].limit, FILE_MODE);
	if (r < 0)
		return r;
	if (fstatat(files->directory, incoming, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (st.st_size == 0)
		return -ENODATA;
	files->staged[kind] = true;
	return 0;
}

/* What lies at a job's name is of a job that never came to be: numbers are not used twice. */
static int give(struct job_files *files, int64_t job, enum job_file kind)
{
	char name[NAME_SIZE];

	name_of(job, kind, name);
	if (unlinkat(files->directory, name, 0) < 0 && errno != ENOENT)
		return -errno;
	if (linkat(files->directory, kinds[kind].incoming, files->directory, name, 0) < 0)
		return -errno;
	return 0;
}

int job_files_commit(struct job_files *files, const int64_t *jobs, size_t n)
{
	bool any = false;
	int r = 0;

	for (enum job_file kind = 0; kind < _JOB_FILE_MAX; kind++) {
		for (size_t i = 0; files->staged[kind] && r >= 0 && i < n; i++)
			r = give(files, jobs[i], kind);
		any |= files->staged[kind];
	}
	if (!any)
		return 0;
	job_files_discard(files);
	return r < 0 ? r : fd_sync(files->directory);
}

void job_files_discard(struct job_files *files)
{
	for (enum job_file kind = 0; kind < _JOB_FILE_MAX; kind++) {
		char half[NAME_SIZE];

		(void)snprintf(half, sizeof(half), "%s.tmp", kinds[kind].incoming);
		(void)unlinkat(files->directory, kinds[kind].incoming, 0);
		(void)unlinkat(files->directory, half, 0);
		files->staged[kind] = false;
	}
}

int job_files_open_file(const struct job_files *files, int64_t job, enum job_file kind)
{
	char name[NAME_SIZE];
	int fd;

	name_of(job, kind, name);
	fd = openat(files->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void job_files_remove(struct job_files *files, int64_t job)
{
	for (enum job_file kind = 0; kind < _JOB_FILE_MAX; kind++) {
		char name[NAME_SIZE];

		name_of(job, kind, name);
		(void)unlinkat(files->directory, name, 0);
	}
}

/* The job that a name speaks of; -EINVAL for a name that is none of ours. */
static int parse_name(const char *name, int64_t *ret)
{
	const char *dot = strchr(name, '.');
	char digits[NAME_SIZE];

	if (!dot || (size_t)(dot - name) >= sizeof(digits) || name[0] < '1' || name[0] > '9')
		return -EINVAL;
	memcpy(digits, name, (size_t)(dot - name));
	digits[dot - name] = '\0';
	return parse_int(digits, 1, INT64_MAX, ret);
}

int job_files_walk(struct job_files *files, int (*found)(int64_t job, void *userdata),
		   void *userdata)
{
	struct dirent **entries;
	int n = scandirat(files->directory, ".", &entries, NULL, NULL), r = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		int64_t job;

		if (r >= 0 && parse_name(entries[i]->d_name, &job) >= 0)
			r = found(job, userdata);
		free(entries[i]);
	}
	free(entries);
	return MIN_OF(r, 0);
}
