/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Preloaded into the daemon, and so into its workers: writing or settling the files that eio.h
 * chooses fails with EIO, as a dying disk does it.
 */

#include "tests/integration/faults/eio.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKS_MAX 1024

#define NEXT(function) ((__typeof__(&(function)))dlsym(RTLD_NEXT, #function))

static struct eio *eio;

/* By descriptor; whether it is still that file is asked again, as nobody tells us of each close. */
static struct {
	dev_t dev;
	ino_t ino;
} marks[MARKS_MAX];

__attribute__((constructor)) static void find_choice(void)
{
	const char *path = getenv(EIO_VARIABLE);
	int fd = path ? NEXT(open)(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*eio), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map != MAP_FAILED &&
	    strcmp(((struct eio *)map)->program, program_invocation_short_name) == 0)
		eio = map;
}

static int mark(int fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (eio && fd >= 0 && fd < MARKS_MAX && strcmp(slash ? slash + 1 : path, eio->file) == 0 &&
	    fstat(fd, &st) == 0) {
		marks[fd].dev = st.st_dev;
		marks[fd].ino = st.st_ino;
	}
	return fd;
}

static bool is_marked(int fd)
{
	struct stat st;

	return fd >= 0 && fd < MARKS_MAX && marks[fd].ino != 0 && fstat(fd, &st) == 0 &&
	       st.st_dev == marks[fd].dev && st.st_ino == marks[fd].ino;
}

static bool breaks(int fd, uint32_t call)
{
	if (!eio || !atomic_load(&eio->on) || !(eio->calls & call) || !is_marked(fd) ||
	    atomic_fetch_add(&eio->seen, 1) < eio->passing)
		return false;
	(void)atomic_fetch_add(&eio->failed, 1);
	errno = EIO;
	return true;
}

/* The last argument is there where the flags say so; else it is not looked at. */
static mode_t mode_of(int flags, va_list ap)
{
	return __OPEN_NEEDS_MODE(flags) ? va_arg(ap, mode_t) : 0;
}

#define OPEN(function)                                                \
	int function(const char *path, int flags, ...)                \
	{                                                             \
		mode_t mode;                                          \
		va_list ap;                                           \
                                                                      \
		va_start(ap, flags);                                  \
		mode = mode_of(flags, ap);                            \
		va_end(ap);                                           \
		return mark(NEXT(function)(path, flags, mode), path); \
	}

#define OPENAT(function)                                                      \
	int function(int folder, const char *path, int flags, ...)            \
	{                                                                     \
		mode_t mode;                                                  \
		va_list ap;                                                   \
                                                                              \
		va_start(ap, flags);                                          \
		mode = mode_of(flags, ap);                                    \
		va_end(ap);                                                   \
		return mark(NEXT(function)(folder, path, flags, mode), path); \
	}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *data, size_t size)
{
	return breaks(fd, EIO_WRITE) ? -1 : NEXT(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return breaks(fd, EIO_WRITE) ? -1 : NEXT(pwrite)(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	return breaks(fd, EIO_WRITE) ? -1 : NEXT(pwrite64)(fd, data, size, offset);
}

int fsync(int fd)
{
	return breaks(fd, EIO_SYNC) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
	return breaks(fd, EIO_SYNC) ? -1 : NEXT(fdatasync)(fd);
}
