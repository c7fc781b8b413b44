/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/calls/scatter-check.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "protocol/base/fd.h"
#include "protocol/firmware/scatter.h"

int scatter_check(int fd, const char *path, struct complaint *complaint)
{
	_cleanup_(scatter_freep) struct scatter *scatter = NULL;
	_cleanup_free_ char *text = NULL;
	struct scatter_error error;
	struct stat status;
	int r = fstat(fd, &status) < 0 ? -errno : 0;

	if (r >= 0 && status.st_size > SCATTER_BYTES_MAX)
		r = -EFBIG;
	if (r >= 0) {
		text = malloc((size_t)status.st_size + 1);
		r = text ? fd_pread_all(fd, text, (size_t)status.st_size, 0) : -ENOMEM;
	}
	if (r < 0)
		return complaint_set(complaint, STATUS_USAGE, NULL, "cannot read %s: %s", path,
				     strerror(-r));
	r = scatter_parse(text, (size_t)status.st_size, &scatter, &error);
	if (r == -EBADMSG)
		return complaint_set(complaint, STATUS_USAGE,
				     "correct that line, or leave --scatter out: a readback needs "
				     "no such file",
				     "%s:%u: %s", path, error.line, error.text);
	return r;
}
