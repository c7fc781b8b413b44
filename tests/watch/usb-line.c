/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/line-internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "protocol/base/fd.h"
#include "tests/watch/usb-device.h"
#include "tests/watch/usb-redir.h"

struct usb_line {
	struct line line;
	struct usb_redir *redir; /* to a machine, also while the watch is not plugged in; or NULL */
	bool up;
};

/* A line of this kind begins with the line. */
static struct usb_line *usb_line(struct line *line)
{
	return (struct usb_line *)line;
}

static const struct usb_line *usb_line_of(const struct line *line)
{
	return (const struct usb_line *)line;
}

static int connect_machine(struct usb_line *line)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = line->line.config.usbredir;
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return usb_redir_new(TAKE_FD(fd), &line->redir);
}

static int usb_open(struct line *base, bool preloader)
{
	struct usb_line *line = usb_line(base);
	int r;

	if (!line->redir) {
		r = connect_machine(line);
		if (r < 0)
			return r;
	}
	usb_redir_plug(line->redir, preloader ? USB_PRODUCT_PRELOADER : USB_PRODUCT_BOOT_ROM);
	line->up = true;
	return 0;
}

static void usb_hang_up(struct line *base)
{
	struct usb_line *line = usb_line(base);

	if (line->up)
		usb_redir_unplug(line->redir);
	line->up = false;
}

static void usb_free(struct line *base)
{
	struct usb_line *line = usb_line(base);

	usb_redir_free(line->redir);
	free(line);
}

static bool usb_is_up(const struct line *line)
{
	return usb_line_of(line)->up;
}

static const char *usb_device(const struct line *line)
{
	return line->config.usbredir;
}

static int usb_fd(const struct line *base)
{
	const struct usb_line *line = usb_line_of(base);

	return line->redir ? usb_redir_fd(line->redir) : -1;
}

/* Requests are answered at any time, whatever the watch wants. */
static short usb_events(const struct line *base, _unused_ short wanted)
{
	const struct usb_line *line = usb_line_of(base);

	return line->redir ? usb_redir_events(line->redir) : 0;
}

static short usb_ready(const struct line *base)
{
	const struct usb_line *line = usb_line_of(base);

	return line->up ? usb_redir_ready(line->redir) : 0;
}

/* Whatever ends a connection, the next one begins anew. */
static int usb_dispatch(struct line *base, short revents)
{
	struct usb_line *line = usb_line(base);
	int r;

	if (!line->redir)
		return 0;
	r = usb_redir_dispatch(line->redir, revents);
	if (r == 0)
		return usb_ready(base);
	usb_redir_free(line->redir);
	line->redir = NULL;
	line->up = false;
	return r;
}

static ssize_t usb_read(struct line *base, void *data, size_t size)
{
	struct usb_line *line = usb_line(base);

	return line->up ? (ssize_t)usb_redir_read(line->redir, data, size) : -EPIPE;
}

static ssize_t usb_write(struct line *base, const void *data, size_t size)
{
	struct usb_line *line = usb_line(base);

	return line->up ? (ssize_t)usb_redir_write(line->redir, data, size) : -EPIPE;
}

struct line *usb_line_new(void)
{
	static const struct line_kind kind = {
		.open = usb_open,
		.hang_up = usb_hang_up,
		.free = usb_free,
		.is_up = usb_is_up,
		.device = usb_device,
		.fd = usb_fd,
		.events = usb_events,
		.ready = usb_ready,
		.dispatch = usb_dispatch,
		.read = usb_read,
		.write = usb_write,
	};
	struct usb_line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	line->line.kind = &kind;
	return &line->line;
}
