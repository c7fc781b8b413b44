/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES (256U * 1024U)

int fd_close(int fd)
{
	if (fd >= 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
	}
	return -1;
}

int fd_set_nonblock(int fd, int on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int fd_write_all(int fd, const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			if (errno == EINTR)
				continue;
			if (errno != EAGAIN)
				return -errno;
			(void)poll(&pfd, 1, -1);
			continue;
		}
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int fd_pwrite_all(int fd, const void *data, size_t size, uint64_t offset)
{
	const uint8_t *p = data;

	while (size > 0) {
		ssize_t n = pwrite(fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

int fd_pread_all(int fd, void *data, size_t size, uint64_t offset)
{
	uint8_t *p = data;

	while (size > 0) {
		ssize_t n = pread(fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		p += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

int fd_read_file(int dirfd, const char *path, size_t limit, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *data = NULL;
	size_t size = 0, room = 4096;

	if (fd < 0)
		return -errno;
	for (;;) {
		char *grown;
		ssize_t n;

		if (!data || size + 1 == room) {
			room = data ? room * 2 : room;
			grown = realloc(data, room);
			if (!grown)
				return -ENOMEM;
			data = grown;
		}
		n = read(fd, data + size, room - size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > limit)
			return -EFBIG;
	}
	data[size] = '\0';
	if (ret_size)
		*ret_size = size;
	*ret = TAKE_PTR(data);
	return 0;
}

static int sync_parent(int dirfd, const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_close_ int fd = -1;

	if (!copy)
		return -ENOMEM;
	fd = openat(dirfd, dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int fd_sync(int fd)
{
	return fsync(fd) < 0 ? -errno : 0;
}

int fd_rename(int dirfd, const char *from, const char *to, bool exchange)
{
	if (renameat2(dirfd, from, dirfd, to, exchange ? RENAME_EXCHANGE : 0) < 0)
		return -errno;
	return fd_sync(dirfd);
}

int fd_rename_new(int dirfd, const char *from, const char *to)
{
	if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
		return fd_sync(dirfd);
	if (errno != EINVAL)
		return -errno;
	/* File systems of other machines have no such rename: as good as one looks first. */
	if (faccessat(dirfd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return fd_rename(dirfd, from, to, false);
}

/* Makes the temporary file permanent under its name, or removes it; r is how writing it went. */
static int finish_file(int fd, int dirfd, const char *temporary, const char *path, int r)
{
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	if (r >= 0 && renameat(dirfd, temporary, dirfd, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dirfd, temporary, 0);
		return r;
	}
	return sync_parent(dirfd, path);
}

/* The temporary file of path; the caller frees the name. */
static int create_temporary(int dirfd, const char *path, mode_t mode, char **ret_name)
{
	_cleanup_free_ char *name = NULL;
	int fd;

	if (asprintf(&name, "%s.tmp", path) < 0)
		return -ENOMEM;
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	*ret_name = TAKE_PTR(name);
	return fd;
}

int fd_replace_file(int dirfd, const char *path, const void *data, size_t size, mode_t mode)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = create_temporary(dirfd, path, mode, &temporary);

	if (!temporary)
		return fd;
	return finish_file(fd, dirfd, temporary, path, fd_write_all(fd, data, size));
}

/* To the end of from, which may be another one than it was when its size was asked for. */
static int copy_content(int from, int to, uint64_t limit)
{
	_cleanup_free_ uint8_t *piece = malloc(COPY_BYTES);
	uint64_t offset = 0;

	if (!piece)
		return -ENOMEM;
	for (;;) {
		ssize_t n = pread(from, piece, COPY_BYTES, (off_t)offset);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		offset += (uint64_t)n;
		if (offset > limit)
			return -EFBIG;
		r = fd_write_all(to, piece, (size_t)n);
		if (r < 0)
			return r;
	}
}

int fd_copy_file(int from, int dirfd, const char *path, uint64_t limit, mode_t mode)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size < 0 || (uint64_t)st.st_size > limit)
		return -EFBIG;
	fd = create_temporary(dirfd, path, mode, &temporary);
	if (!temporary)
		return fd;
	return finish_file(fd, dirfd, temporary, path, copy_content(from, fd, limit));
}

int fd_open_folder(const char *path, const char *name, mode_t mode)
{
	_cleanup_close_ int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int folder, r;

	if (parent < 0)
		return -errno;
	if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
		return -errno;
	r = fd_sync(parent);
	if (r < 0)
		return r;
	folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return folder < 0 ? -errno : folder;
}
