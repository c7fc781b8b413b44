/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/archive/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "daemon/archive/internal.h"
#include "daemon/archive/tree.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define FILE_MODE      0640
#define DIRECTORY_MODE 0750

#define LOCK_TRIES      20
#define LOCK_PAUSE_NSEC 10000000L

int archive_open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int archive_make_directory(int parent, const char *name)
{
	if (mkdirat(parent, name, DIRECTORY_MODE) < 0) {
		if (errno != EEXIST)
			return -errno;
	} else if (fsync(parent) < 0) {
		return -errno;
	}
	return archive_open_directory(parent, name);
}

int archive_job_name(int64_t job, char ret[ARCHIVE_JOB_NAME_SIZE])
{
	if (job <= 0)
		return -EINVAL;
	(void)snprintf(ret, ARCHIVE_JOB_NAME_SIZE, "%" PRId64, job);
	return 0;
}

/*
 * A daemon that was killed while it started a worker still lives on in that process, lock and all,
 * for the moment until it has become the worker.
 */
static int lock_file(int fd)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NSEC };

	for (unsigned int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (i == LOCK_TRIES)
			return -EALREADY;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

/* flock and not a pid file: the kernel lets go of it however we end. The pid is for people. */
static int take_lock(struct archive *archive)
{
	char pid[16];
	int n, r;

	archive->lock = openat(archive->state, "lock",
			       O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_MODE);
	if (archive->lock < 0)
		return -errno;
	r = lock_file(archive->lock);
	if (r < 0)
		return r;
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(archive->lock, 0) < 0)
		return -errno;
	return fd_pwrite_all(archive->lock, pid, (size_t)n, 0);
}

static int open_state(struct archive *archive, const char *path)
{
	_cleanup_free_ char *real = NULL;

	if (mkdir(path, DIRECTORY_MODE) < 0 && errno != EEXIST)
		return -errno;
	archive->state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (archive->state < 0)
		return -errno;
	real = realpath(path, NULL);
	if (!real)
		return -errno;
	archive->path = str_format("%s/backups", real);
	return archive->path ? 0 : -ENOMEM;
}

static int open_parts(struct archive *archive)
{
	const struct {
		const char *name;
		int *fd;
	} parts[] = {
		{ "staging", &archive->staging },
		{ "backups", &archive->backups },
		{ "trash", &archive->trash },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int fd = archive_make_directory(archive->state, parts[i].name);

		if (fd < 0)
			return fd;
		*parts[i].fd = fd;
	}
	return 0;
}

int archive_open(const char *state_directory, struct archive **ret)
{
	_cleanup_(archive_closep) struct archive *archive = malloc(sizeof(*archive));
	int r;

	if (!archive)
		return -ENOMEM;
	*archive = (struct archive){
		.state = -1, .staging = -1, .backups = -1, .trash = -1, .lock = -1
	};
	r = open_state(archive, state_directory);
	if (r >= 0)
		r = take_lock(archive);
	if (r >= 0)
		r = open_parts(archive);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(archive);
	return 0;
}

void archive_close(struct archive *archive)
{
	if (!archive)
		return;
	fd_close(archive->trash);
	fd_close(archive->backups);
	fd_close(archive->staging);
	fd_close(archive->state);
	fd_close(archive->lock);
	free(archive->path);
	free(archive);
}

int archive_free_space(const struct archive *archive, uint64_t *ret)
{
	struct statvfs st;

	if (fstatvfs(archive->backups, &st) < 0)
		return -errno;
	*ret = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

int archive_staging_directory(const struct archive *archive)
{
	return archive->staging;
}

int archive_open_staging(struct archive *archive, int64_t job)
{
	char name[ARCHIVE_JOB_NAME_SIZE];
	int r = archive_job_name(job, name);

	return r < 0 ? r : archive_make_directory(archive->staging, name);
}

bool archive_has_staging(const struct archive *archive, int64_t job)
{
	char name[ARCHIVE_JOB_NAME_SIZE];
	struct stat st;

	return archive_job_name(job, name) >= 0 &&
	       fstatat(archive->staging, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Out of sight by one rename; what an earlier crash left under that name goes first. */
static int move_to_trash(struct archive *archive, int parent, const char *name)
{
	int r;

	if (renameat2(parent, name, archive->trash, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	r = archive_tree_remove(archive->trash, name);
	if (r < 0)
		return r;
	return renameat2(parent, name, archive->trash, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

int archive_remove_staging(struct archive *archive, int64_t job)
{
	char name[ARCHIVE_JOB_NAME_SIZE];
	int r = archive_job_name(job, name);

	if (r >= 0)
		r = move_to_trash(archive, archive->staging, name);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return archive_tree_remove(archive->trash, name);
}

void archive_month_of(const char *id, char year[5], char month[3])
{
	(void)snprintf(year, 5, "%.4s", id);
	(void)snprintf(month, 3, "%.2s", id + 4);
}

int archive_open_month(const struct archive *archive, const char *id)
{
	_cleanup_close_ int fd = -1;
	char year[5], month[3];

	if (!backup_id_is_valid(id))
		return -ENOENT;
	archive_month_of(id, year, month);
	fd = archive_open_directory(archive->backups, year);
	return fd < 0 ? fd : archive_open_directory(fd, month);
}

int archive_open_backup(const struct archive *archive, const char *id)
{
	_cleanup_close_ int month = archive_open_month(archive, id);

	return month < 0 ? month : archive_open_directory(month, id);
}

int archive_remove_backup(struct archive *archive, const char *id)
{
	_cleanup_close_ int month = archive_open_month(archive, id);
	int r;

	if (month < 0)
		return month;
	r = move_to_trash(archive, month, id);
	if (r < 0)
		return r;
	if (fsync(month) < 0)
		return -errno;
	return archive_tree_remove(archive->trash, id);
}

/* The visitor of one directory's entries. */
typedef int (*entry_visitor)(int parent, const char *name, void *userdata);

static bool is_directory(int parent, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(parent, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Of files, or only of directories. Takes fd. */
static int each_entry(int fd, bool files, entry_visitor visit, void *userdata)
{
	const struct dirent *entry;
	DIR *directory;
	int r = 0;

	directory = fdopendir(fd);
	if (!directory) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	while (r >= 0) {
		errno = 0;
		entry = readdir(directory);
		if (!entry) {
			r = -errno;
			break;
		}
		if (entry->d_name[0] != '.' && (files || is_directory(dirfd(directory), entry)))
			r = visit(dirfd(directory), entry->d_name, userdata);
	}
	(void)closedir(directory);
	return r < 0 ? r : 0;
}

/* Visits parent/name/; takes nothing. "." is parent itself. */
static int each_directory_in(int parent, const char *name, entry_visitor visit, void *userdata)
{
	int fd = archive_open_directory(parent, name);

	return fd < 0 ? fd : each_entry(fd, false, visit, userdata);
}

static bool is_number(const char *name, size_t digits)
{
	return strlen(name) == digits && strspn(name, "0123456789") == digits;
}

struct backup_walk {
	int (*found)(const char *id, void *userdata);
	void *userdata;
	const char *year, *month;
};

static int visit_backup(int parent, const char *name, void *userdata)
{
	const struct backup_walk *walk = userdata;
	char year[5], month[3];

	(void)parent;
	if (!backup_id_is_valid(name))
		return 0;
	archive_month_of(name, year, month);
	if (!streq(year, walk->year) || !streq(month, walk->month))
		return 0;
	return walk->found(name, walk->userdata);
}

static int visit_month(int parent, const char *name, void *userdata)
{
	struct backup_walk *walk = userdata;

	if (!is_number(name, 2))
		return 0;
	walk->month = name;
	return each_directory_in(parent, name, visit_backup, walk);
}

static int visit_year(int parent, const char *name, void *userdata)
{
	struct backup_walk *walk = userdata;

	if (!is_number(name, 4))
		return 0;
	walk->year = name;
	return each_directory_in(parent, name, visit_month, walk);
}

int archive_walk_backups(const struct archive *archive,
			 int (*found)(const char *id, void *userdata), void *userdata)
{
	struct backup_walk walk = { .found = found, .userdata = userdata };

	return each_directory_in(archive->backups, ".", visit_year, &walk);
}

struct staging_walk {
	int (*found)(int64_t job, void *userdata);
	void *userdata;
};

static int visit_staging(int parent, const char *name, void *userdata)
{
	const struct staging_walk *walk = userdata;
	int64_t job;

	(void)parent;
	if (!is_number(name, strlen(name)) || name[0] == '0' ||
	    parse_int(name, 1, INT64_MAX, &job) < 0)
		return 0;
	return walk->found(job, walk->userdata);
}

int archive_walk_staging(const struct archive *archive, int (*found)(int64_t job, void *userdata),
			 void *userdata)
{
	struct staging_walk walk = { .found = found, .userdata = userdata };

	return each_directory_in(archive->staging, ".", visit_staging, &walk);
}

static int visit_trash(int parent, const char *name, void *userdata)
{
	(void)userdata;
	return archive_tree_remove(parent, name);
}

int archive_sweep(struct archive *archive)
{
	int fd = archive_open_directory(archive->trash, ".");

	/* Files too: what archive_share was about to rename. */
	return fd < 0 ? fd : each_entry(fd, true, visit_trash, NULL);
}
