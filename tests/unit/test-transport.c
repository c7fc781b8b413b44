/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/time.h"
#include "protocol/device/transport.h"

/* Both ends of a line, and of the descriptor that stops it. */
struct line {
	struct transport *transport;
	int watch;
	int stop;
	int stop_peer;
};

static void open_line(struct line *line, bool pty)
{
	struct termios termios;
	int ours, stop[2];

	assert_return_code(pipe2(stop, O_CLOEXEC), errno);
	if (pty) {
		memset(&termios, 0, sizeof(termios));
		cfmakeraw(&termios);
		assert_return_code(openpty(&line->watch, &ours, NULL, &termios, NULL), errno);
	} else {
		int fds[2];

		assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), errno);
		ours = fds[0];
		line->watch = fds[1];
	}
	line->stop = stop[0];
	line->stop_peer = stop[1];
	assert_int_equal(transport_new(ours, line->stop, LINE_USB, &line->transport), 0);
	assert_int_equal(transport_kind(line->transport), LINE_USB);
}

static void close_line(struct line *line)
{
	transport_free(line->transport);
	fd_close(line->watch);
	fd_close(line->stop);
	fd_close(line->stop_peer);
}

static void say(const struct line *line, const char *text)
{
	assert_int_equal(write(line->watch, text, strlen(text)), (ssize_t)strlen(text));
}

/* A child that plays the watch: it does action(watch) after delay_usec and exits. */
static pid_t later(const struct line *line, unsigned int delay_usec, void (*action)(int fd))
{
	pid_t child = fork();

	if (child == 0) {
		usleep(delay_usec);
		action(line->watch);
		_exit(0);
	}
	assert_true(child > 0);
	return child;
}

static void end_child(pid_t child)
{
	(void)kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void assert_took(uint64_t since, uint64_t least_msec, uint64_t most_msec)
{
	uint64_t took = time_now() - since;

	assert_in_range(took, least_msec * USEC_PER_MSEC, most_msec * USEC_PER_MSEC);
}

static void test_read(bool pty)
{
	struct line line;
	uint8_t data[8];
	size_t got = 99;

	open_line(&line, pty);
	say(&line, "hello");
	assert_int_equal(transport_read(line.transport, data, 5, USEC_PER_SEC, &got), 0);
	assert_int_equal(got, 5);
	assert_memory_equal(data, "hello", 5);
	say(&line, "abc");
	assert_int_equal(transport_read(line.transport, data, 2, USEC_PER_SEC, NULL), 0);
	assert_memory_equal(data, "ab", 2);
	assert_int_equal(transport_read_some(line.transport, data, 8, USEC_PER_SEC), 1);
	assert_int_equal(data[0], 'c');
	assert_int_equal(transport_read(line.transport, data, 0, 0, &got), 0);
	assert_int_equal(got, 0);
	assert_int_equal(transport_read_some(line.transport, data, 0, 0), -EINVAL);
	close_line(&line);
}

/* Silence is told to the millisecond, above and below what one read of a tty waits. */
static void test_silent(bool pty)
{
	static const uint64_t msec[] = { 0, 20, 130, 250 };
	struct line line;
	uint8_t data[8];
	size_t got;

	open_line(&line, pty);
	for (size_t i = 0; i < ARRAY_SIZE(msec); i++) {
		uint64_t start = time_now();

		say(&line, "ab");
		assert_int_equal(
			transport_read(line.transport, data, 4, msec[i] * USEC_PER_MSEC, &got),
			-ETIMEDOUT);
		assert_int_equal(got, 2);
		assert_took(start, msec[i], msec[i] + 90);
	}
	assert_int_equal(transport_read_some(line.transport, data, 4, 0), -ETIMEDOUT);
	close_line(&line);
}

static void drip(int fd)
{
	for (int i = 0; i < 8; i++) {
		usleep(60000);
		if (write(fd, "x", 1) != 1)
			_exit(1);
	}
}

/* The wait is for each next byte: half a second in drops is no silence of a fifth. */
static void test_slow(bool pty)
{
	struct line line;
	uint64_t start = time_now();
	uint8_t data[8];
	pid_t child;

	open_line(&line, pty);
	child = later(&line, 0, drip);
	assert_int_equal(transport_read(line.transport, data, 8, 200 * USEC_PER_MSEC, NULL), 0);
	assert_took(start, 480, 2000);
	assert_memory_equal(data, "xxxxxxxx", 8);
	end_child(child);
	close_line(&line);
}

static void test_left(bool pty)
{
	struct line line;
	uint64_t start;
	uint8_t data[8];
	size_t got;

	open_line(&line, pty);
	if (!pty)
		say(&line, "ab"); /* a pty's master takes what was unread with it */
	line.watch = fd_close(line.watch);
	start = time_now();
	assert_int_equal(transport_read(line.transport, data, 8, 5 * USEC_PER_SEC, &got), -ENODEV);
	assert_int_equal(got, pty ? 0 : 2);
	assert_int_equal(transport_read_some(line.transport, data, 8, 0), -ENODEV);
	assert_int_equal(transport_write(line.transport, "x", 1, USEC_PER_SEC), -ENODEV);
	assert_int_equal(transport_drain(line.transport, 1, 1, 1), -ENODEV);
	assert_took(start, 0, 300);
	close_line(&line);
}

static void nothing(int fd)
{
	(void)fd;
}

/* The only holder of the other end exits while we wait. */
static void test_leaves(bool pty)
{
	struct line line;
	uint64_t start = time_now();
	uint8_t data[8];
	pid_t child;

	open_line(&line, pty);
	child = later(&line, 150000, nothing);
	line.watch = fd_close(line.watch);
	assert_int_equal(transport_read(line.transport, data, 8, 5 * USEC_PER_SEC, NULL), -ENODEV);
	assert_took(start, 140, 1000);
	end_child(child);
	close_line(&line);
}

static void test_cancelled(bool pty)
{
	struct line line;
	uint8_t data[8];
	size_t got;

	open_line(&line, pty);
	say(&line, "ab");
	assert_int_equal(write(line.stop_peer, "s", 1), 1);
	assert_int_equal(transport_read(line.transport, data, 8, USEC_PER_SEC, &got), -ECANCELED);
	assert_int_equal(transport_read_some(line.transport, data, 8, USEC_PER_SEC), -ECANCELED);
	assert_int_equal(transport_write(line.transport, "x", 1, USEC_PER_SEC), -ECANCELED);
	close_line(&line);
	/* Who would stop us went away: that stops us too. */
	open_line(&line, pty);
	line.stop_peer = fd_close(line.stop_peer);
	assert_int_equal(transport_read(line.transport, data, 8, USEC_PER_SEC, NULL), -ECANCELED);
	close_line(&line);
}

static void stream(int fd)
{
	static const uint8_t block[1024];

	while (write(fd, block, sizeof(block)) > 0)
		;
}

static void stop_soon(int fd)
{
	if (write(fd, "s", 1) != 1)
		_exit(1);
}

/* A stop is obeyed while data flows without a pause, also within one long read. */
static void test_cancelled_in_stream(bool pty)
{
	struct line line, stopper;
	pid_t watch, master;
	uint64_t start = time_now();
	size_t size = 256U << 20, got = 0;
	uint8_t *data = malloc(size);

	assert_non_null(data);
	open_line(&line, pty);
	watch = later(&line, 0, stream);
	stopper = line;
	stopper.watch = line.stop_peer;
	master = later(&stopper, 100000, stop_soon);
	while (time_now() - start < 20 * USEC_PER_SEC) {
		int r = transport_read(line.transport, data, size, USEC_PER_SEC, &got);

		if (r == 0)
			continue;
		assert_int_equal(r, -ECANCELED);
		break;
	}
	assert_took(start, 90, 1500);
	free(data);
	end_child(watch);
	end_child(master);
	close_line(&line);
}

static void test_drain(bool pty)
{
	struct line line;
	uint64_t start = time_now();
	pid_t child;

	open_line(&line, pty);
	say(&line, "noise");
	assert_int_equal(transport_drain(line.transport, 30 * USEC_PER_MSEC, 100, USEC_PER_SEC), 0);
	assert_took(start, 30, 200);
	say(&line, "noise");
	assert_int_equal(transport_drain(line.transport, 30 * USEC_PER_MSEC, 4, USEC_PER_SEC),
			 -EOVERFLOW);
	child = later(&line, 0, stream);
	assert_int_equal(
		transport_drain(line.transport, 100 * USEC_PER_MSEC, 1 << 20, 10 * USEC_PER_SEC),
		-EOVERFLOW);
	start = time_now();
	assert_int_equal(
		transport_drain(line.transport, 100 * USEC_PER_MSEC, SIZE_MAX, 200 * USEC_PER_MSEC),
		-EOVERFLOW);
	assert_took(start, 200, 1000);
	end_child(child);
	close_line(&line);
}

/* Nobody reads the other end: a write ends by its deadline, and the line still reads after it. */
static void test_write(bool pty)
{
	static const uint8_t much[1 << 20];
	struct line line;
	uint64_t start;
	uint8_t data[8];

	open_line(&line, pty);
	assert_int_equal(transport_write(line.transport, "\xA0\x0A", 2, USEC_PER_SEC), 0);
	assert_int_equal(read(line.watch, data, sizeof(data)), 2);
	assert_memory_equal(data, "\xA0\x0A", 2);
	start = time_now();
	assert_int_equal(transport_write(line.transport, much, sizeof(much), 150 * USEC_PER_MSEC),
			 -ETIMEDOUT);
	assert_took(start, 150, 600);
	say(&line, "ok");
	assert_int_equal(transport_read(line.transport, data, 2, USEC_PER_SEC, NULL), 0);
	assert_memory_equal(data, "ok", 2);
	close_line(&line);
}

/* A pty's master has no VTIME of its own and must not wait in read for ever. */
static void test_master(void **state)
{
	_cleanup_(transport_freep) struct transport *transport = NULL;
	_cleanup_close_ int slave = -1;
	struct termios termios = { 0 };
	uint8_t data[2];
	int master;

	(void)state;
	cfmakeraw(&termios);
	assert_return_code(openpty(&master, &slave, NULL, &termios, NULL), errno);
	assert_int_equal(transport_new(master, -1, LINE_USB, &transport), 0);
	assert_int_equal(transport_read(transport, data, 2, 50 * USEC_PER_MSEC, NULL), -ETIMEDOUT);
	assert_int_equal(write(slave, "hi", 2), 2);
	assert_int_equal(transport_read(transport, data, 2, USEC_PER_SEC, NULL), 0);
	assert_memory_equal(data, "hi", 2);
}

#define ON_BOTH(name)                           \
	static void name##_socket(void **state) \
	{                                       \
		(void)state;                    \
		name(false);                    \
	}                                       \
	static void name##_pty(void **state)    \
	{                                       \
		(void)state;                    \
		name(true);                     \
	}

ON_BOTH(test_read)
ON_BOTH(test_silent)
ON_BOTH(test_slow)
ON_BOTH(test_left)
ON_BOTH(test_leaves)
ON_BOTH(test_cancelled)
ON_BOTH(test_cancelled_in_stream)
ON_BOTH(test_drain)
ON_BOTH(test_write)

#define BOTH(name) cmocka_unit_test(name##_socket), cmocka_unit_test(name##_pty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_read),
		BOTH(test_silent),
		BOTH(test_slow),
		BOTH(test_left),
		BOTH(test_leaves),
		BOTH(test_cancelled),
		BOTH(test_cancelled_in_stream),
		BOTH(test_drain),
		BOTH(test_write),
		cmocka_unit_test(test_master),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
