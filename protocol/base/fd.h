/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whole reads and writes on descriptors, and small files. All return negative errno on failure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/base/cleanup.h"

/* Closes fd unless it is negative, keeps errno, returns -1. */
int fd_close(int fd);

static inline void fd_closep(int *fd)
{
	fd_close(*fd);
}
#define _cleanup_close_ _cleanup_(fd_closep)

/* Switches O_NONBLOCK. */
_must_check_ int fd_set_nonblock(int fd, int on);

/* Writes all of data, waiting where fd is a blocking one. */
_must_check_ int fd_write_all(int fd, const void *data, size_t size);

/* Writes all of data at offset of a file. */
_must_check_ int fd_pwrite_all(int fd, const void *data, size_t size, uint64_t offset);

/* Reads exactly size bytes at offset of a file; -ENODATA when the file ends before. */
_must_check_ int fd_pread_all(int fd, void *data, size_t size, uint64_t offset);

/*
 * Reads a whole small file, relative to dirfd (or AT_FDCWD), into a new NUL-terminated buffer that
 * the caller frees. -EFBIG when it is larger than limit. ret_size may be NULL.
 */
_must_check_ int fd_read_file(int dirfd, const char *path, size_t limit, char **ret,
			      size_t *ret_size);

/*
 * Puts a copy of the regular file from at path below dirfd, durably as fd_replace_file. Its position
 * is neither used nor moved. -EINVAL for what is no regular file, -EFBIG over limit bytes, -EBADF
 * for one that is not open for reading.
 */
_must_check_ int fd_copy_file(int from, int dirfd, const char *path, uint64_t limit, mode_t mode);

/*
 * Replaces path below dirfd by data, durably: temporary file, fsync, rename, fsync of the folder.
 * After a crash the old content or the new is there, never a mixture.
 */
_must_check_ int fd_replace_file(int dirfd, const char *path, const void *data, size_t size,
				 mode_t mode);

/* Puts on the disk what was written to a file, or which entries a directory has. */
_must_check_ int fd_sync(int fd);

/*
 * Renames from to the name to, both directly below dirfd, durably. A directory that takes the place
 * of another needs it empty (-ENOTEMPTY, -EEXIST); with exchange both must be there and swap.
 */
_must_check_ int fd_rename(int dirfd, const char *from, const char *to, bool exchange);

/* The same, but never over anything that is there: -EEXIST. */
_must_check_ int fd_rename_new(int dirfd, const char *from, const char *to);

/*
 * Opens the folder name of the folder at path, made durably with mode where it is missing. A
 * descriptor that the caller closes.
 */
_must_check_ int fd_open_folder(const char *path, const char *name, mode_t mode);
