/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/time.h"
#include "protocol/control/frame.h"

#define INPUT_LIMIT  1000
#define OUTPUT_LIMIT (1024 * 1024)

struct pair {
	struct frame *frame;
	int peer;
};

static struct pair open_pair(size_t input_limit, size_t output_limit)
{
	struct pair pair;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(frame_new(fds[0], input_limit, output_limit, &pair.frame), 0);
	pair.peer = fds[1];
	return pair;
}

static void close_pair(struct pair *pair)
{
	frame_free(pair->frame);
	fd_close(pair->peer);
}

static void feed(const struct pair *pair, const char *data, size_t size)
{
	assert_int_equal(send(pair->peer, data, size, 0), size);
}

static void expect(struct frame *frame, const char *text)
{
	char *got;
	size_t size;

	assert_int_equal(frame_next(frame, &got, &size), 1);
	assert_string_equal(got, text);
	assert_int_equal(size, strlen(text));
}

static void expect_none(struct frame *frame)
{
	char *got;
	size_t size;

	assert_int_equal(frame_next(frame, &got, &size), 0);
}

static void test_split(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair(INPUT_LIMIT, OUTPUT_LIMIT);

	expect_none(pair.frame);
	assert_int_equal(frame_fill(pair.frame), -EAGAIN);
	feed(&pair, "one\0two\0\0thr", 12);
	assert_int_equal(frame_fill(pair.frame), 1);
	expect(pair.frame, "one");
	expect(pair.frame, "two");
	expect(pair.frame, "");
	expect_none(pair.frame);
	assert_true(frame_has_input(pair.frame));
	feed(&pair, "ee\0", 3);
	assert_int_equal(frame_fill(pair.frame), 1);
	expect(pair.frame, "three");
	expect_none(pair.frame);
	assert_false(frame_has_input(pair.frame));
	shutdown(pair.peer, SHUT_WR);
	assert_int_equal(frame_fill(pair.frame), 0);
}

static void test_input_limit(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair(INPUT_LIMIT, OUTPUT_LIMIT);
	char text[INPUT_LIMIT + 2];
	char *got;
	size_t size;
	int r;

	memset(text, 'x', sizeof(text));
	/* The longest that fits, behind a short one so that it has to be moved. */
	feed(&pair, "short\0", 6);
	feed(&pair, text, INPUT_LIMIT);
	feed(&pair, "\0", 1);
	assert_int_equal(frame_fill(pair.frame), 1);
	expect(pair.frame, "short");
	while (frame_next(pair.frame, &got, &size) == 0)
		assert_int_equal(frame_fill(pair.frame), 1);
	assert_int_equal(size, INPUT_LIMIT);

	feed(&pair, text, INPUT_LIMIT + 1);
	do
		r = frame_fill(pair.frame);
	while (r == 1 && frame_next(pair.frame, &got, &size) == 0);
	assert_int_equal(r, -EMSGSIZE);
}

/* Megabytes of small messages in odd pieces: every one comes out whole, in time. */
static void test_many(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair(INPUT_LIMIT, OUTPUT_LIMIT);
	char stream[997 * 8];
	size_t sent = 0, messages = 0, wanted = 64 * 1024 / sizeof(stream) * 997;
	uint64_t begin = time_now();

	for (size_t i = 0; i < sizeof(stream); i += 8)
		memcpy(stream + i, "message", 8);
	while (messages < wanted) {
		char *got;
		size_t size, n = MIN_OF((size_t)613, sizeof(stream) - sent % sizeof(stream));

		feed(&pair, stream + sent % sizeof(stream), n);
		sent += n;
		assert_int_equal(frame_fill(pair.frame), 1);
		while (frame_next(pair.frame, &got, &size) == 1) {
			assert_string_equal(got, "message");
			messages++;
		}
	}
	assert_true(time_now() - begin < 10 * USEC_PER_SEC);
}

/* A byte at a time into a large message: the time stays linear. */
static void test_bytes(void **state _unused_)
{
	enum { SIZE = 200 * 1000 };
	_cleanup_(close_pair) struct pair pair = open_pair(SIZE, OUTPUT_LIMIT);
	uint64_t begin = time_now();
	char *got;
	size_t size;

	for (size_t i = 0; i < SIZE; i++) {
		feed(&pair, "x", 1);
		assert_int_equal(frame_fill(pair.frame), 1);
		expect_none(pair.frame);
	}
	feed(&pair, "\0", 1);
	assert_int_equal(frame_fill(pair.frame), 1);
	assert_int_equal(frame_next(pair.frame, &got, &size), 1);
	assert_int_equal(size, SIZE);
	assert_true(time_now() - begin < 10 * USEC_PER_SEC);
}

static void test_output_limit(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair(INPUT_LIMIT, 10);

	assert_int_equal(frame_put(pair.frame, "123456", 6), 0);
	assert_int_equal(frame_put(pair.frame, "123", 3), -ENOBUFS);
	assert_int_equal(frame_put(pair.frame, "12", 2), 0);
	assert_int_equal(frame_put(pair.frame, "", 0), -ENOBUFS);
	assert_int_equal(frame_pending(pair.frame), 10);
	assert_int_equal(frame_flush(pair.frame), 0);
	assert_int_equal(frame_pending(pair.frame), 0);
	assert_int_equal(frame_put(pair.frame, "123456789", 9), 0);
	assert_int_equal(frame_put(pair.frame, "1", 1), -ENOBUFS);
}

static void test_slow_reader(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair(INPUT_LIMIT, OUTPUT_LIMIT);
	_cleanup_free_ char *text = malloc(100000);
	size_t put = 0, got = 0;
	char buffer[65536];

	memset(text, 'y', 100000);
	while (frame_put(pair.frame, text, 99999) == 0) {
		put += 100000;
		assert_true(frame_flush(pair.frame) >= 0);
	}
	assert_true(put >= OUTPUT_LIMIT - 100000);
	assert_int_equal(frame_flush(pair.frame), 1);
	while (got < put) {
		ssize_t n = recv(pair.peer, buffer, sizeof(buffer), 0);

		assert_true(n > 0);
		got += (size_t)n;
		assert_true(frame_flush(pair.frame) >= 0);
	}
	assert_int_equal(frame_flush(pair.frame), 0);
	assert_int_equal(got, put);
}

static void test_peer_gone(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair(INPUT_LIMIT, OUTPUT_LIMIT);

	pair.peer = fd_close(pair.peer);
	assert_int_equal(frame_put(pair.frame, "text", 4), 0);
	assert_int_equal(frame_flush(pair.frame), -EPIPE);
}

static size_t count_descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void send_with_fds(int socket, const char *data, size_t size, int fd, size_t n)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = { 0 };
	struct iovec piece = { (char *)(uintptr_t)data, size };
	struct msghdr header = { .msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&header);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (size_t i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	assert_int_equal(sendmsg(socket, &header, 0), size);
}

/* Several sent with several messages: each message has its own first ones, no other stays open. */
static void test_descriptors(void **state _unused_)
{
	struct pair pair = open_pair(INPUT_LIMIT, OUTPUT_LIMIT);
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), fd;
	size_t before = count_descriptors();

	feed(&pair, "plain\0", 6);
	send_with_fds(pair.peer, "one\0", 4, file, 6);
	send_with_fds(pair.peer, "tw", 2, file, 1);
	send_with_fds(pair.peer, "o\0", 2, file, 1);
	send_with_fds(pair.peer, "dropped\0", 8, file, 1);
	feed(&pair, "end\0", 4);

	assert_int_equal(frame_fill(pair.frame), 1);
	expect(pair.frame, "plain");
	assert_int_equal(frame_take_fd(pair.frame, 0), -1);
	expect(pair.frame, "one");
	fd = frame_take_fd(pair.frame, 0);
	assert_true(fd >= 0);
	assert_int_equal(frame_take_fd(pair.frame, 0), -1);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	fd_close(fd);
	fd = frame_take_fd(pair.frame, 3);
	assert_true(fd >= 0);
	fd_close(fd);
	assert_int_equal(frame_take_fd(pair.frame, 4), -1);
	expect_none(pair.frame);
	assert_int_equal(frame_fill(pair.frame), 1);
	expect_none(pair.frame);
	assert_int_equal(frame_fill(pair.frame), 1);
	expect(pair.frame, "two");
	/* One came with each of its pieces, in this order. */
	for (size_t i = 0; i < 2; i++) {
		fd = frame_take_fd(pair.frame, i);
		assert_true(fd >= 0);
		fd_close(fd);
	}
	assert_int_equal(frame_take_fd(pair.frame, 2), -1);
	expect_none(pair.frame);
	assert_int_equal(frame_fill(pair.frame), 1);
	expect(pair.frame, "dropped");
	expect_none(pair.frame);
	assert_int_equal(frame_fill(pair.frame), 1);
	expect(pair.frame, "end");
	assert_int_equal(frame_take_fd(pair.frame, 0), -1);
	assert_int_equal(count_descriptors(), before);
	close_pair(&pair);
	fd_close(file);
}

/* Which of the two ends of a pipe it is; closes it. */
static int access_mode(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	fd_close(fd);
	return flags < 0 ? flags : flags & O_ACCMODE;
}

static void test_send_descriptors(void **state _unused_)
{
	size_t before = count_descriptors();
	int fds[2], with[3], refused, many[FRAME_FDS_MAX + 1];
	struct frame *out, *in;

	assert_int_equal(pipe(with), 0);
	with[2] = dup(with[0]);
	refused = dup(with[0]);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = dup(with[0]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(frame_new(fds[0], INPUT_LIMIT, OUTPUT_LIMIT, &out), 0);
	assert_int_equal(frame_new(fds[1], INPUT_LIMIT, OUTPUT_LIMIT, &in), 0);
	assert_int_equal(frame_put(out, "before", 6), 0);
	assert_int_equal(frame_put_with_fds(out, "many", 4, many, ARRAY_SIZE(many)), -E2BIG);
	assert_int_equal(frame_put_with_fds(out, "with", 4, with, 3), 0);
	assert_int_equal(frame_put_with_fds(out, "refused", 7, &refused, 1), -EBUSY);
	assert_int_equal(frame_put(out, "after", 5), 0);
	assert_int_equal(frame_flush(out), 0);

	assert_int_equal(frame_fill(in), 1);
	expect(in, "before");
	assert_int_equal(frame_take_fd(in, 0), -1);
	expect(in, "with");
	assert_int_equal(access_mode(frame_take_fd(in, 1)), O_WRONLY);
	assert_int_equal(access_mode(frame_take_fd(in, 0)), O_RDONLY);
	/* The third is left to frame_next to close. */
	expect_none(in);
	assert_int_equal(frame_fill(in), 1);
	expect(in, "after");
	assert_int_equal(frame_take_fd(in, 0), -1);
	frame_free(out);
	frame_free(in);
	assert_int_equal(count_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_input_limit),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_output_limit),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_peer_gone),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_send_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
