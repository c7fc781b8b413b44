/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/archive/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define FILE_MODE      0640
#define DIRECTORY_MODE 0750

/* The directories from the root of a walk down to where it is. */
struct walk {
	DIR *open[ARCHIVE_TREE_DEPTH];
	char names[ARCHIVE_TREE_DEPTH][NAME_MAX + 1]; /* of open[i] in open[i - 1] */
	size_t depth;                                 /* of them open */
};

static void walk_end(struct walk *walk)
{
	while (walk->depth > 0)
		(void)closedir(walk->open[--walk->depth]);
}

static int walk_enter(struct walk *walk, int parent, const char *name)
{
	int fd;

	if (walk->depth == ARCHIVE_TREE_DEPTH)
		return -ELOOP;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	walk->open[walk->depth] = fdopendir(fd);
	if (!walk->open[walk->depth]) {
		int r = -errno;

		fd_close(fd);
		return r;
	}
	strncpy(walk->names[walk->depth], name, NAME_MAX);
	walk->depth++;
	return 0;
}

static int walk_fd(const struct walk *walk)
{
	return dirfd(walk->open[walk->depth - 1]);
}

/* The next entry of the innermost directory: 1, or 0 at its end. */
static int walk_next(struct walk *walk, const char **ret_name, struct stat *ret)
{
	const struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(walk->open[walk->depth - 1]);
		if (!entry)
			return -errno;
	} while (streq(entry->d_name, ".") || streq(entry->d_name, ".."));
	if (fstatat(walk_fd(walk), entry->d_name, ret, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret_name = entry->d_name;
	return 1;
}

static int settle_fd(int fd, mode_t mode)
{
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

static int settle_file(int parent, const char *name)
{
	_cleanup_close_ int fd =
		openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : settle_fd(fd, FILE_MODE);
}

static int settle_entry(struct walk *walk, const char *name, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return walk_enter(walk, walk_fd(walk), name);
	return S_ISREG(st->st_mode) ? settle_file(walk_fd(walk), name) : -EBADMSG;
}

struct settling {
	struct walk walk;
};

int settling_new(int fd, struct settling **ret)
{
	_cleanup_(settling_freep) struct settling *settling = calloc(1, sizeof(*settling));
	int r;

	if (!settling)
		return -ENOMEM;
	r = walk_enter(&settling->walk, fd, ".");
	if (r < 0)
		return r;
	*ret = TAKE_PTR(settling);
	return 0;
}

void settling_free(struct settling *settling)
{
	if (!settling)
		return;
	walk_end(&settling->walk);
	free(settling);
}

int settling_step(struct settling *settling)
{
	struct walk *walk = &settling->walk;
	const char *name = "";
	struct stat st = { 0 };
	int r;

	if (walk->depth == 0)
		return 0;
	r = walk_next(walk, &name, &st);
	if (r > 0) {
		r = settle_entry(walk, name, &st);
	} else if (r == 0) {
		r = settle_fd(walk_fd(walk), DIRECTORY_MODE);
		(void)closedir(walk->open[--walk->depth]);
	}
	return r < 0 ? r : walk->depth > 0;
}

/* The innermost directory is empty: out of it, and away with it. */
static int remove_innermost(struct walk *walk, int root_parent)
{
	int parent;

	(void)closedir(walk->open[--walk->depth]);
	parent = walk->depth > 0 ? walk_fd(walk) : root_parent;
	return unlinkat(parent, walk->names[walk->depth], AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int remove_entry(struct walk *walk, const char *name, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return walk_enter(walk, walk_fd(walk), name);
	return unlinkat(walk_fd(walk), name, 0) < 0 ? -errno : 0;
}

int archive_tree_remove(int parent, const char *name)
{
	_cleanup_(walk_end) struct walk walk = { 0 };
	const char *entry = "";
	struct stat st = { 0 };
	int r;

	r = walk_enter(&walk, parent, name);
	if (r == -ENOTDIR || r == -ELOOP) /* a file or a link, where there should be none */
		return unlinkat(parent, name, 0) < 0 ? -errno : 0;
	while (r >= 0 && walk.depth > 0) {
		r = walk_next(&walk, &entry, &st);
		if (r > 0)
			r = remove_entry(&walk, entry, &st);
		else if (r == 0)
			r = remove_innermost(&walk, parent);
	}
	return r < 0 ? r : 0;
}
