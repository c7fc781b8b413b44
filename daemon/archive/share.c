/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Equal files are stored once: a staged file is replaced by a clone of a published one or, where the
 * file system has no clones, by a second link to it. The new name is made in trash/, which a crash
 * may leave and the next start sweeps, and takes the old one's place by a rename: at every moment
 * the file is there, whole, and durable.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/archive/internal.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define FILE_MODE  0640
#define DEPTH_MAX  4U /* folders; a backup has two */
#define SPARE_SIZE 40

/* A file by its folder, which is open, and its name there, which is borrowed. */
struct place {
	int folder;
	const char *name;
	struct stat st;
};

static void place_close(struct place *place)
{
	fd_close(place->folder);
}
#define PLACE_NONE ((struct place){ .folder = -1 })

/* Goes down to path below directory, never through a link; only to a regular file. */
static int place_open(int directory, const char *path, struct place *ret)
{
	_cleanup_close_ int folder = archive_open_directory(directory, ".");
	const char *slash;

	for (unsigned int depth = 0; folder >= 0 && (slash = strchr(path, '/')); depth++) {
		_cleanup_free_ char *name = strndup(path, (size_t)(slash - path));
		int next;

		if (!name || depth == DEPTH_MAX)
			return name ? -ELOOP : -ENOMEM;
		next = archive_open_directory(folder, name);
		fd_close(folder);
		folder = next;
		path = slash + 1;
	}
	if (folder < 0)
		return folder;
	if (fstatat(folder, path, &ret->st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(ret->st.st_mode))
		return -EINVAL;
	ret->folder = TAKE_FD(folder);
	ret->name = path;
	return 0;
}

/* -EOPNOTSUPP where the file system cannot. What is new must be durable before it is renamed. */
static int clone_file(int trash, const char *spare, const struct place *from)
{
	_cleanup_close_ int source =
		openat(from->folder, from->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int fd = -1;

	if (source < 0)
		return -errno;
	fd = openat(trash, spare, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, FICLONE, source) < 0)
		return errno == ENOSPC || errno == EIO ? -errno : -EOPNOTSUPP;
	return fsync(fd) < 0 ? -errno : 0;
}

/* A name for the bytes of from in trash/. */
static int make_spare(int trash, const char *spare, const struct place *from)
{
	int r;

	if (unlinkat(trash, spare, 0) < 0 && errno != ENOENT)
		return -errno;
	r = clone_file(trash, spare, from);
	if (r != -EOPNOTSUPP)
		return r;
	if (unlinkat(trash, spare, 0) < 0)
		return -errno;
	return linkat(from->folder, from->name, trash, spare, 0) < 0 ? -errno : 0;
}

/* They may be made one: equal size, and ours both, since their mode is going to be set. */
static bool may_share(const struct place *old, const struct place *new)
{
	return old->st.st_size == new->st.st_size && old->st.st_uid == new->st.st_uid &&
	       old->st.st_dev == new->st.st_dev;
}

static int share_file(int trash, const char *spare, const struct place *old,
		      const struct place *new)
{
	int r;

	if (!may_share(old, new))
		return -EXDEV;
	if (old->st.st_ino == new->st.st_ino) /* an earlier attempt came as far as here */
		return 0;
	r = make_spare(trash, spare, old);
	if (r >= 0 && renameat(trash, spare, new->folder, new->name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(trash, spare, 0);
	return r;
}

int archive_share(struct archive *archive, int64_t job, const char *id, char *const *names,
		  size_t n, uint64_t *ret_bytes)
{
	char name[ARCHIVE_JOB_NAME_SIZE], spare[SPARE_SIZE];
	_cleanup_close_ int staging = -1, twin = archive_open_backup(archive, id);
	uint64_t bytes = 0;
	int r = twin < 0 ? twin : archive_job_name(job, name);

	if (r < 0)
		return r;
	staging = archive_open_directory(archive->staging, name);
	if (staging < 0)
		return staging;
	(void)snprintf(spare, sizeof(spare), "share-%" PRId64, job);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(place_close) struct place old = PLACE_NONE, new = PLACE_NONE;

		r = is_plain_path(names[i]) ? place_open(twin, names[i], &old) : -EINVAL;
		if (r >= 0)
			r = place_open(staging, names[i], &new);
		if (r >= 0)
			r = share_file(archive->trash, spare, &old, &new);
		if (r >= 0)
			bytes += (uint64_t) new.st.st_size;
	}
	*ret_bytes = bytes;
	return 0;
}
