/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/user-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "protocol/base/fd.h"

const char *user_file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int cannot_open(const char *path, int error, struct complaint *complaint)
{
	return complaint_set(complaint, error == EACCES ? STATUS_NOT_PERMITTED : STATUS_NOT_FOUND,
			     NULL, "cannot open %s: %s", path, strerror(error));
}

int user_file_open(const char *path, int *ret, struct complaint *complaint)
{
	/* A pipe would make us wait; it is refused instead. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot_open(path, errno, complaint);
	if (!S_ISREG(st.st_mode))
		return complaint_set(complaint, STATUS_USAGE, NULL, "%s is not a regular file",
				     path);
	*ret = TAKE_FD(fd);
	return 0;
}
