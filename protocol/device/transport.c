/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/time.h"

/* VTIME's unit: how long one read() of a tty waits by itself. */
#define TICK_USEC (100 * USEC_PER_MSEC)

/* While bytes flow nobody waits, so the stop descriptor is looked at by the clock. */
#define STOP_CHECK_USEC (20 * USEC_PER_MSEC)

/* What output may still need to leave before the port is closed; then it is thrown away. */
#define CLOSE_STEPS     5
#define CLOSE_STEP_USEC (20 * USEC_PER_MSEC)

/*
 * What comes during a pause, 8 KiB at the most, waits in the kernel, which has room for 64 KiB. At USB
 * full speed it is less than the 4096 bytes that a tty holds ready: beyond them each read costs more.
 */
#define SLOW_BYTES_PER_SEC 4000000U
#define SLOW_PAUSE_USEC    2000
#define SLOW_MISSING_BYTES (16U * 1024U)

enum line_state { LINE_QUIET, LINE_READY, LINE_HUNG_UP };

struct transport {
	int fd;
	int stop_fd;
	int flags; /* of fd, as fcntl has them */
	enum line_kind kind;
	bool tty;    /* read() waits TICK_USEC by itself and then returns 0 */
	bool socket; /* a closed peer must not raise SIGPIPE */
	uint64_t stop_checked_usec;
};

/* A pty's master looks like a tty, but VTIME belongs to its slave. */
static bool is_pty_master(int fd)
{
	unsigned int number;

	return ioctl(fd, TIOCGPTN, &number) == 0;
}

/*
 * A blocking read with VMIN 0 and VTIME 1 costs one system call for each chunk, with no poll before
 * it, and still comes back every 100 ms to look at the deadline.
 */
static int prepare_tty(struct transport *transport)
{
	struct termios termios;

	if (tcgetattr(transport->fd, &termios) < 0)
		return errno == EIO ? -ENODEV : 0;
	if (is_pty_master(transport->fd))
		return 0;
	termios.c_cc[VMIN] = 0;
	termios.c_cc[VTIME] = 1;
	if (tcsetattr(transport->fd, TCSANOW, &termios) < 0)
		return errno == EIO ? -ENODEV : -errno;
	transport->tty = true;
	return 0;
}

static int prepare(struct transport *transport)
{
	struct stat st;
	int r;

	if (fstat(transport->fd, &st) < 0)
		return -errno;
	transport->socket = S_ISSOCK(st.st_mode);
	r = prepare_tty(transport);
	if (r < 0)
		return r;
	r = fd_set_nonblock(transport->fd, !transport->tty);
	if (r < 0)
		return r;
	transport->flags = fcntl(transport->fd, F_GETFL);
	return transport->flags < 0 ? -errno : 0;
}

int transport_new(int fd, int stop_fd, enum line_kind kind, struct transport **ret)
{
	_cleanup_free_ struct transport *transport = calloc(1, sizeof(*transport));
	int r;

	if (!transport)
		return -ENOMEM;
	*transport = (struct transport){ .fd = fd, .stop_fd = stop_fd, .kind = kind };
	r = prepare(transport);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(transport);
	return 0;
}

/*
 * Closing a tty waits up to 30 s for output that nobody takes. Give it a moment, then throw it
 * away. A pty never has output waiting in this sense, so nothing is taken from its reader.
 */
static void finish_output(int fd)
{
	struct timespec step = { .tv_nsec = CLOSE_STEP_USEC * 1000 };
	int waiting = 0;

	for (int i = 0; i < CLOSE_STEPS; i++) {
		if (ioctl(fd, TIOCOUTQ, &waiting) < 0 || waiting <= 0)
			return;
		(void)nanosleep(&step, NULL);
	}
	(void)tcflush(fd, TCIOFLUSH);
}

void transport_free(struct transport *transport)
{
	if (!transport)
		return;
	if (transport->tty) {
		finish_output(transport->fd);
		(void)ioctl(transport->fd, TIOCNXCL);
	}
	fd_close(transport->fd);
	free(transport);
}

enum line_kind transport_kind(const struct transport *transport)
{
	return transport->kind;
}

static speed_t speed_of(uint32_t baud)
{
	static const struct {
		uint32_t baud;
		speed_t speed;
	} speeds[] = {
		{ 115200, B115200 },
		{ 230400, B230400 },
		{ 460800, B460800 },
		{ 921600, B921600 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
		if (speeds[i].baud == baud)
			return speeds[i].speed;
	}
	return B0;
}

int transport_set_speed(struct transport *transport, uint32_t baud)
{
	speed_t speed = speed_of(baud);
	struct termios termios;

	if (speed == B0)
		return -EINVAL;
	if (!transport->tty)
		return 0;
	if (tcgetattr(transport->fd, &termios) < 0 || cfsetspeed(&termios, speed) < 0 ||
	    tcsetattr(transport->fd, TCSANOW, &termios) < 0)
		return errno == EIO ? -ENODEV : -errno;
	return 0;
}

static uint64_t deadline_after(uint64_t usec)
{
	uint64_t now = time_now();

	return usec > USEC_NEVER - now ? USEC_NEVER : now + usec;
}

static uint64_t time_left(uint64_t deadline)
{
	uint64_t now = time_now();

	return now < deadline ? deadline - now : 0;
}

/* An errno of read or write: what a watch that was unplugged causes is one error. */
static int line_error(int error)
{
	switch (error) {
	case EIO:
	case ENXIO:
	case EPIPE:
	case ECONNRESET:
	case ENODEV:
		return -ENODEV;
	default:
		return -error;
	}
}

/* Waits at most usec for events, hang-up or the stop descriptor; a line_state or an error. */
static int line_wait(struct transport *transport, short events, uint64_t usec)
{
	struct pollfd fds[] = {
		{ .fd = transport->fd, .events = events },
		{ .fd = transport->stop_fd, .events = POLLIN },
	};
	struct timespec ts = {
		.tv_sec = (time_t)(MIN_OF(usec, INT_MAX * USEC_PER_SEC) / USEC_PER_SEC),
		.tv_nsec = (long)(usec % USEC_PER_SEC * 1000),
	};

	if (ppoll(fds, ARRAY_SIZE(fds), &ts, NULL) < 0)
		return errno == EINTR ? LINE_QUIET : -errno;
	/* A stop is for good: every later call looks again, and sees it. */
	transport->stop_checked_usec = fds[1].revents ? 0 : time_now();
	if (fds[1].revents)
		return -ECANCELED;
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		return LINE_HUNG_UP;
	return fds[0].revents ? LINE_READY : LINE_QUIET;
}

static bool stop_check_due(const struct transport *transport)
{
	return transport->stop_fd >= 0 &&
	       time_now() - transport->stop_checked_usec >= STOP_CHECK_USEC;
}

/* What has to be known before a read() may be called: 1 go on, 0 look at the clock again. */
static int before_read(struct transport *transport, uint64_t deadline, int *state)
{
	uint64_t left = time_left(deadline);
	bool too_patient = transport->tty && left < TICK_USEC;

	if (!too_patient && !stop_check_due(transport))
		return 1;
	*state = line_wait(transport, POLLIN, too_patient ? left : 0);
	if (*state < 0)
		return *state;
	if (!too_patient || *state != LINE_QUIET)
		return 1;
	return time_left(deadline) > 0 ? 0 : -ETIMEDOUT;
}

/* One read with something in it, or an error. */
static int read_some(struct transport *transport, void *data, size_t size, uint64_t deadline)
{
	int state = LINE_QUIET;

	for (;;) {
		ssize_t n;
		int r = before_read(transport, deadline, &state);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		n = read(transport->fd, data, MIN_OF(size, (size_t)INT_MAX));
		if (n > 0)
			return (int)n;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return line_error(errno);
		/* A tty's nothing is silence or hang-up, anything else's is the end. */
		if (n == 0 && (!transport->tty || state == LINE_HUNG_UP))
			return -ENODEV;
		state = line_wait(transport, POLLIN, transport->tty ? 0 : time_left(deadline));
		if (state < 0)
			return state;
		if (state == LINE_QUIET && time_left(deadline) == 0)
			return -ETIMEDOUT;
	}
}

static ssize_t write_now(struct transport *transport, const void *data, size_t size)
{
	if (transport->socket)
		return send(transport->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	return write(transport->fd, data, size);
}

static int write_all(struct transport *transport, const uint8_t *data, size_t size,
		     uint64_t deadline)
{
	while (size > 0) {
		ssize_t n = write_now(transport, data, size);
		int state;

		if (n > 0) {
			data += n;
			size -= (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return line_error(errno);
		state = line_wait(transport, POLLOUT, time_left(deadline));
		if (state < 0)
			return state;
		if (state == LINE_HUNG_UP)
			return -ENODEV;
		if (state == LINE_QUIET && time_left(deadline) == 0)
			return -ETIMEDOUT;
	}
	return 0;
}

int transport_write(struct transport *transport, const void *data, size_t size,
		    uint64_t timeout_usec)
{
	uint64_t deadline = deadline_after(timeout_usec);
	int r;

	if (stop_check_due(transport)) {
		r = line_wait(transport, 0, 0);
		if (r < 0)
			return r;
	}
	/* Only reads may wait in the kernel: a watch that takes nothing would hold a write for ever. */
	if (transport->tty && fcntl(transport->fd, F_SETFL, transport->flags | O_NONBLOCK) < 0)
		return line_error(errno);
	r = write_all(transport, data, size, deadline);
	if (transport->tty && fcntl(transport->fd, F_SETFL, transport->flags) < 0 && r >= 0)
		r = line_error(errno);
	return r;
}

/*
 * A line as slow as USB full speed wakes its reader for every millisecond's bytes. When much more is
 * to come, it sleeps over some of them: with dozens of watches that is most of what a read costs.
 */
static void let_more_come(uint64_t begun, size_t got, size_t missing)
{
	static const struct timespec pause = { .tv_nsec = SLOW_PAUSE_USEC * 1000 };

	if (missing >= SLOW_MISSING_BYTES &&
	    got < (time_now() - begun) * SLOW_BYTES_PER_SEC / USEC_PER_SEC)
		(void)nanosleep(&pause, NULL);
}

int transport_read(struct transport *transport, void *data, size_t size, uint64_t silence_usec,
		   size_t *ret_got)
{
	uint64_t begun = time_now();
	uint8_t *p = data;
	size_t got = 0;
	int r = 0;

	while (got < size) {
		r = read_some(transport, p + got, size - got, deadline_after(silence_usec));
		if (r < 0)
			break;
		got += (size_t)r;
		let_more_come(begun, got, size - got);
	}
	if (ret_got)
		*ret_got = got;
	return r < 0 ? r : 0;
}

int transport_read_some(struct transport *transport, void *data, size_t size, uint64_t timeout_usec)
{
	if (size == 0)
		return -EINVAL;
	return read_some(transport, data, size, deadline_after(timeout_usec));
}

int transport_drain(struct transport *transport, uint64_t silence_usec, size_t limit_bytes,
		    uint64_t limit_usec)
{
	uint64_t limit = deadline_after(limit_usec);
	size_t total = 0;

	for (;;) {
		uint8_t scrap[4096];
		int n = read_some(transport, scrap, sizeof(scrap), deadline_after(silence_usec));

		if (n == -ETIMEDOUT)
			return 0;
		if (n < 0)
			return n;
		total += (size_t)n;
		if (total > limit_bytes || time_left(limit) == 0)
			return -EOVERFLOW;
	}
}
