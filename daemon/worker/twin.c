/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/twin.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "protocol/base/fd.h"

#define PIECE (64U << 10)

void twin_forget_cached(int fd)
{
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static bool have_same_bytes(int a, int b, uint64_t size)
{
	_cleanup_free_ uint8_t *pieces = malloc(2 * PIECE);

	if (!pieces)
		return false;
	for (uint64_t at = 0; at < size; at += PIECE) {
		size_t n = (size_t)MIN_OF(PIECE, size - at);

		if (fd_pread_all(a, pieces, n, at) < 0 ||
		    fd_pread_all(b, pieces + PIECE, n, at) < 0 ||
		    memcmp(pieces, pieces + PIECE, n) != 0)
			return false;
	}
	return true;
}

void twin_compare(struct twin *twin, const char *name, int fd, uint64_t size)
{
	_cleanup_close_ int other = -1;
	struct stat st;

	if (twin->dir < 0 || size == 0)
		return;
	other = openat(twin->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (other < 0 || fstat(other, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != size)
		return;
	twin_forget_cached(other);
	/* What is not noted is only not shared. */
	if (have_same_bytes(fd, other, size))
		(void)worker_done_add(&twin->same, name);
}
