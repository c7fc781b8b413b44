/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

/* An even rate asks for small pieces, few system calls for large ones: a thousand a second. */
#define PIECES_PER_SEC 1000
#define PIECE_MAX      4096 /* what a pty has room for even when its reader is late */

struct line {
	struct line_config config;
	int fd;      /* the pty's master, or the tty */
	int far_end; /* of the pty, kept open */
	char *device;
	uint64_t free_at; /* when the last piece has gone through */
	bool linked;
};

int line_new(const struct line_config *config, struct line **ret)
{
	struct line *line = calloc(1, sizeof(*line));

	if (!line)
		return -ENOMEM;
	line->config = *config;
	line->fd = line->far_end = -1;
	*ret = line;
	return 0;
}

void line_free(struct line *line)
{
	if (!line)
		return;
	line_hang_up(line);
	free(line);
}

static int make_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	t.c_cflag &= ~(tcflag_t)CRTSCTS;
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

static int open_pty(struct line *line)
{
	char name[PATH_MAX];
	int r;

	line->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (line->fd < 0 || grantpt(line->fd) < 0 || unlockpt(line->fd) < 0)
		return -errno;
	r = ptsname_r(line->fd, name, sizeof(name));
	if (r != 0)
		return -r;
	line->far_end = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line->far_end < 0)
		return -errno;
	r = make_raw(line->far_end);
	return r < 0 ? r : str_replace(&line->device, name);
}

static int open_tty(struct line *line)
{
	int r;

	line->fd = open(line->config.tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (line->fd < 0)
		return -errno;
	r = make_raw(line->fd);
	return r < 0 ? r : str_replace(&line->device, line->config.tty);
}

/* A link in the place is replaced, whatever it names: one that was left behind is the usual case. */
static int make_link(struct line *line)
{
	const char *path = line->config.link;
	_cleanup_free_ char *temporary = NULL;
	struct stat st;
	int r;

	if (lstat(path, &st) == 0 && !S_ISLNK(st.st_mode))
		return -EEXIST;
	temporary = str_format("%s.%d", path, (int)getpid());
	if (!temporary)
		return -ENOMEM;
	if (symlink(line->device, temporary) < 0)
		return -errno;
	if (rename(temporary, path) < 0) {
		r = -errno;
		unlink(temporary);
		return r;
	}
	line->linked = true;
	return 0;
}

/* Only our own link: another watch may have taken the place. */
static void remove_link(struct line *line)
{
	char target[PATH_MAX];
	ssize_t n;

	if (!line->linked)
		return;
	line->linked = false;
	n = readlink(line->config.link, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	if (streq(target, line->device))
		unlink(line->config.link);
}

int line_open(struct line *line)
{
	int r;

	r = line->config.tty ? open_tty(line) : open_pty(line);
	if (r >= 0 && line->config.link)
		r = make_link(line);
	if (r < 0)
		line_hang_up(line);
	return r;
}

void line_hang_up(struct line *line)
{
	remove_link(line);
	line->far_end = fd_close(line->far_end);
	line->fd = fd_close(line->fd);
	free(line->device);
	line->device = NULL;
	line->free_at = 0;
}

int line_fd(const struct line *line)
{
	return line->fd;
}

const char *line_device(const struct line *line)
{
	return line->device;
}

ssize_t line_read(struct line *line, void *data, size_t size)
{
	ssize_t n = read(line->fd, data, size);

	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -EPIPE;
}

ssize_t line_write(struct line *line, const void *data, size_t size)
{
	ssize_t n = write(line->fd, data, size);

	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
}

uint64_t line_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

size_t line_piece(const struct line *line, size_t size)
{
	uint64_t piece = MIN_OF(line->config.rate / PIECES_PER_SEC, PIECE_MAX);

	if (line->config.rate == 0)
		return size;
	return (size_t)MIN_OF(size, MAX_OF(piece, 1));
}

uint64_t line_take(struct line *line, uint64_t ready, size_t size)
{
	if (line->config.rate == 0)
		return ready;
	line->free_at = MAX_OF(ready, line->free_at) + size * NSEC_PER_SEC / line->config.rate;
	return line->free_at;
}

void line_blocked(struct line *line)
{
	line->free_at = MAX_OF(line->free_at, line_now());
}
