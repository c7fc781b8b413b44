/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/line-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

struct tty_line {
	struct line line;
	int fd;      /* the pty's master, or the tty */
	int far_end; /* of the pty, kept open */
	char *device;
	bool linked;
};

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

static int open_pty(struct tty_line *line)
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

static int open_tty(struct tty_line *line)
{
	int r;

	line->fd = open(line->line.config.tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (line->fd < 0)
		return -errno;
	r = make_raw(line->fd);
	return r < 0 ? r : str_replace(&line->device, line->line.config.tty);
}

/* A link in the place is replaced, whatever it names: one that was left behind is the usual case. */
static int make_link(struct tty_line *line)
{
	const char *path = line->line.config.link;
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
static void remove_link(struct tty_line *line)
{
	char target[PATH_MAX];
	ssize_t n;

	if (!line->linked)
		return;
	line->linked = false;
	n = readlink(line->line.config.link, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	if (streq(target, line->device))
		unlink(line->line.config.link);
}

/* A line of this kind begins with the line. */
static struct tty_line *tty_line(struct line *line)
{
	return (struct tty_line *)line;
}

static const struct tty_line *tty_line_of(const struct line *line)
{
	return (const struct tty_line *)line;
}

static int tty_open(struct line *base, _unused_ bool preloader)
{
	struct tty_line *line = tty_line(base);
	int r;

	r = base->config.tty ? open_tty(line) : open_pty(line);
	if (r >= 0 && base->config.link)
		r = make_link(line);
	return r;
}

static void tty_hang_up(struct line *base)
{
	struct tty_line *line = tty_line(base);

	remove_link(line);
	line->far_end = fd_close(line->far_end);
	line->fd = fd_close(line->fd);
	free(line->device);
	line->device = NULL;
}

static void tty_free(struct line *line)
{
	free(tty_line(line));
}

static int tty_fd(const struct line *line)
{
	return tty_line_of(line)->fd;
}

static bool tty_is_up(const struct line *line)
{
	return tty_fd(line) >= 0;
}

static const char *tty_device(const struct line *line)
{
	return tty_line_of(line)->device;
}

static short tty_events(_unused_ const struct line *line, short wanted)
{
	return wanted;
}

/* Only poll() knows. */
static short tty_ready(_unused_ const struct line *line)
{
	return 0;
}

static int tty_dispatch(_unused_ struct line *line, short revents)
{
	if (revents & POLLIN)
		return revents & (POLLIN | POLLOUT);
	return revents & (POLLHUP | POLLERR) ? -EPIPE : revents & POLLOUT;
}

static ssize_t tty_read(struct line *line, void *data, size_t size)
{
	ssize_t n = read(tty_fd(line), data, size);

	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -EPIPE;
}

static ssize_t tty_write(struct line *line, const void *data, size_t size)
{
	ssize_t n = write(tty_fd(line), data, size);

	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
}

struct line *tty_line_new(void)
{
	static const struct line_kind kind = {
		.open = tty_open,
		.hang_up = tty_hang_up,
		.free = tty_free,
		.is_up = tty_is_up,
		.device = tty_device,
		.fd = tty_fd,
		.events = tty_events,
		.ready = tty_ready,
		.dispatch = tty_dispatch,
		.read = tty_read,
		.write = tty_write,
	};
	struct tty_line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	line->line.kind = &kind;
	line->fd = line->far_end = -1;
	return &line->line;
}
