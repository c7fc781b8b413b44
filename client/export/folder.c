/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/export/export.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define PIECE (1U << 20)

/* A copy on its way: a folder of another name in the folder it is for. */
struct copy {
	const struct export_source *source;
	const char *folder;
	int parent, dir;
	char *name; /* "" until it is there */
};

/* Calls visit for each folder of name ("a", "a/b" of "a/b/c"), the outermost first. */
static int each_folder(const char *name, int (*visit)(struct copy *copy, const char *folder),
		       struct copy *copy)
{
	int r = 0;

	for (const char *slash = strchr(name, '/'); slash && r >= 0;
	     slash = strchr(slash + 1, '/')) {
		_cleanup_free_ char *folder = strndup(name, (size_t)(slash - name));

		r = folder ? visit(copy, folder) : -ENOMEM;
	}
	return r;
}

static int make_folder(struct copy *copy, const char *folder)
{
	return mkdirat(copy->dir, folder, EXPORT_FOLDER_MODE) < 0 && errno != EEXIST ? -errno : 0;
}

static int sync_folder(struct copy *copy, const char *folder)
{
	_cleanup_close_ int fd = openat(copy->dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_sync(fd);
}

static int remove_folder(struct copy *copy, const char *folder)
{
	(void)unlinkat(copy->dir, folder, AT_REMOVEDIR);
	return 0;
}

/* Nothing of a copy that failed is left. */
static void abandon(struct copy *copy)
{
	const struct sums *sums = &copy->source->sums;

	for (size_t i = 0; i < sums->n && copy->dir >= 0; i++)
		(void)unlinkat(copy->dir, sums->items[i].name, 0);
	/* A folder goes when it is empty: the inner ones first, so once for each level. */
	for (size_t level = 0; level < sums->n && copy->dir >= 0 && level < 8; level++)
		for (size_t i = 0; i < sums->n; i++)
			(void)each_folder(sums->items[i].name, remove_folder, copy);
	if (copy->name)
		(void)unlinkat(copy->parent, copy->name, AT_REMOVEDIR);
}

static void copy_end(struct copy *copy)
{
	if (copy->name)
		abandon(copy);
	fd_close(copy->dir);
	fd_close(copy->parent);
	free(copy->name);
}

static int write_bytes(int from, int to, uint64_t size)
{
	_cleanup_free_ uint8_t *piece = malloc(PIECE);
	int r = piece ? 0 : -ENOMEM;

	for (uint64_t at = 0; at < size && r >= 0; at += PIECE) {
		size_t n = (size_t)MIN_OF(PIECE, size - at);

		r = fd_pread_all(from, piece, n, at);
		if (r >= 0)
			r = fd_write_all(to, piece, n);
	}
	return r;
}

/* What was written is read back from the disk, not from memory. */
static int read_back(int fd, uint64_t size, const char *expected)
{
	char sha256[DIGEST_HEX_SIZE];
	int r = fd_sync(fd);

	if (r < 0)
		return r;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	r = digest_file(fd, 0, size, sha256);
	return r < 0 || streq(sha256, expected) ? r : -EBADMSG;
}

static int set_time(int fd, uint64_t usec)
{
	const struct timespec time = { .tv_sec = (time_t)(usec / 1000000) };

	return futimens(fd, (const struct timespec[]){ time, time }) < 0 ? -errno : 0;
}

static int copy_file(struct copy *copy, const struct sum *sum, struct complaint *complaint)
{
	_cleanup_close_ int from = -1, to = -1;
	uint64_t size;
	int r = export_go_on(complaint);

	if (r < 0)
		return r;
	from = export_open_file(copy->source, sum->name, &size, complaint);
	if (from < 0)
		return from;
	r = each_folder(sum->name, make_folder, copy);
	if (r >= 0) {
		to = openat(copy->dir, sum->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			    EXPORT_FILE_MODE);
		r = to < 0 ? -errno : write_bytes(from, to, size);
	}
	if (r >= 0)
		r = set_time(to, copy->source->backup.created);
	if (r >= 0)
		r = read_back(to, size, sum->sha256);
	if (r == -EBADMSG || r == -ENODATA)
		return export_damaged(copy->source, sum->name, complaint);
	return r < 0 ? export_failed(r, copy->folder, complaint) : 0;
}

/* Folders, then the rename: the copy is there under its name when all of it is on the disk. */
static int copy_publish(struct copy *copy)
{
	const struct sums *sums = &copy->source->sums;
	int r = 0;

	for (size_t i = 0; i < sums->n && r >= 0; i++)
		r = each_folder(sums->items[i].name, sync_folder, copy);
	if (r >= 0)
		r = fd_sync(copy->dir);
	if (r >= 0)
		r = fd_rename_new(copy->parent, copy->name, copy->source->backup.id);
	if (r >= 0)
		free(TAKE_PTR(copy->name));
	return r;
}

static int copy_begin(struct copy *copy)
{
	_cleanup_free_ char *name = NULL;
	struct stat st;

	if (mkdir(copy->folder, EXPORT_FOLDER_MODE) < 0 && errno != EEXIST)
		return -errno;
	copy->parent = open(copy->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy->parent < 0)
		return -errno;
	if (fstatat(copy->parent, copy->source->backup.id, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	name = str_format(".%s.%d", copy->source->backup.id, (int)getpid());
	if (!name)
		return -ENOMEM;
	if (mkdirat(copy->parent, name, EXPORT_FOLDER_MODE) < 0)
		return -errno;
	copy->name = TAKE_PTR(name);
	copy->dir = openat(copy->parent, copy->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return copy->dir < 0 ? -errno : 0;
}

int export_to_folder(const struct export_source *source, const char *folder,
		     struct complaint *complaint)
{
	_cleanup_(copy_end) struct copy copy = {
		.source = source, .folder = folder, .parent = -1, .dir = -1
	};
	_cleanup_free_ char *place = str_format("%s/%s", folder, source->backup.id);
	int r = place ? copy_begin(&copy) : -ENOMEM;

	if (r == -EEXIST)
		return export_failed(r, place, complaint);
	if (r < 0)
		return export_failed(r, folder, complaint);
	for (size_t i = 0; i < source->sums.n; i++) {
		r = copy_file(&copy, &source->sums.items[i], complaint);
		if (r < 0)
			return r;
	}
	r = copy_publish(&copy);
	return r < 0 ? export_failed(r, place, complaint) : 0;
}
