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
#include <sys/stat.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/worker-message.h"

struct pair {
	int fds[2];
};

static struct pair open_pair(void)
{
	struct pair pair;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair.fds), 0);
	return pair;
}

static void close_pair(struct pair *pair)
{
	fd_close(pair->fds[0]);
	fd_close(pair->fds[1]);
}

static void pass(const struct pair *pair, const struct worker_message *message,
		 struct worker_message *ret)
{
	int passed = -2;

	assert_int_equal(worker_message_send(pair->fds[0], message, -1), 0);
	assert_int_equal(worker_message_receive(pair->fds[1], ret, &passed), 1);
	assert_int_equal(passed, -1);
	assert_int_equal(ret->type, message->type);
}

static void test_open(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair();
	_cleanup_(worker_message_clear) struct worker_message got = { .type = WORKER_STOP };
	char device[] = "/dev/ttyACM0", mode[] = "auto";
	const struct worker_message message = {
		.type = WORKER_OPEN,
		.open = { device, mode, 2.5, 30 },
	};

	pass(&pair, &message, &got);
	assert_string_equal(got.open.device, device);
	assert_string_equal(got.open.mode, mode);
	assert_true(got.open.handshake_timeout_usb == 2.5);
	assert_true(got.open.handshake_timeout_uart == 30);
}

static void test_read(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair();
	_cleanup_(worker_message_clear) struct worker_message message = { .type = WORKER_STOP };
	_cleanup_(worker_message_clear) struct worker_message got = { .type = WORKER_STOP };
	_cleanup_close_ int file = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), passed = -1;
	struct stat a, b;

	message = (struct worker_message){
		.type = WORKER_READ,
		.read = { .job = 7, .slot = strdup("left"), .created = 1795444270000001 },
	};
	assert_int_equal(job_request_init(&message.read.request), 0);
	assert_int_equal(job_request_add_label(&message.read.request, "a", "b"), 0);
	assert_int_equal(worker_message_send(pair.fds[0], &message, file), 0);
	assert_int_equal(worker_message_receive(pair.fds[1], &got, &passed), 1);
	assert_int_equal(got.read.job, 7);
	assert_int_equal(got.read.created, 1795444270000001);
	assert_int_equal(got.read.request.ranges[0].length, RANGE_AUTO);
	assert_string_equal(got.read.request.labels[0].value, "b");
	assert_null(got.read.expected_meid);
	assert_true(passed >= 0 && passed != file);
	assert_int_equal(fstat(file, &a), 0);
	assert_int_equal(fstat(passed, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_true(fcntl(passed, F_GETFD) & FD_CLOEXEC);
}

/* Which file of the system it is. */
static ino_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void test_files(void **state _unused_)
{
	static const char *const paths[_WORKER_FILE_MAX] = { "/", NULL, "/dev/null", "/proc",
							     "/dev" };
	_cleanup_(close_pair) struct pair pair = open_pair();
	_cleanup_(worker_files_close) struct worker_files files = WORKER_FILES_NONE;
	_cleanup_(worker_files_close) struct worker_files got_files = WORKER_FILES_NONE;
	const struct worker_message message = { .type = WORKER_CHECK };
	struct worker_message got;
	int directory = -1;

	for (size_t i = 0; i < _WORKER_FILE_MAX; i++)
		if (paths[i])
			files.fds[i] = open(paths[i], O_RDONLY | O_CLOEXEC);
	assert_int_equal(worker_message_send_files(pair.fds[0], &message, &files), 0);
	assert_int_equal(worker_message_receive_files(pair.fds[1], &got, &got_files), 1);
	assert_int_equal(got.type, WORKER_CHECK);
	for (size_t i = 0; i < _WORKER_FILE_MAX; i++) {
		if (paths[i])
			assert_int_equal(inode_of(got_files.fds[i]), inode_of(files.fds[i]));
		else
			assert_int_equal(got_files.fds[i], -1);
	}

	/* Who asks for a directory alone gets it, and the others are not left open. */
	assert_int_equal(worker_message_send_files(pair.fds[0], &message, &files), 0);
	assert_int_equal(worker_message_receive(pair.fds[1], &got, &directory), 1);
	assert_int_equal(inode_of(directory), inode_of(files.fds[WORKER_FILE_DIRECTORY]));
	fd_close(directory);
	directory = open("/", O_RDONLY | O_CLOEXEC);
	assert_true(directory >= 0 && directory < 32);
	fd_close(directory);
}

static void test_events(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair();
	char chip[] = "MT6261", mode[] = "brom", text[] = "text";
	const struct worker_message messages[] = {
		{ .type = WORKER_IDENTITY, .identity = { chip, NULL, mode, 0x6261 } },
		{ .type = WORKER_PROGRESS, .progress = { PHASE_READ, 1, 2, 3, -1 } },
		{ .type = WORKER_FAILED, .failure = { FAILURE_DEVICE_LOST, text, NULL } },
		{ .type = WORKER_CHECK },
		{ .type = WORKER_STOP },
		{ .type = WORKER_DONE },
	};
	struct worker_message got;

	pass(&pair, &messages[0], &got);
	assert_string_equal(got.identity.chip, chip);
	assert_null(got.identity.meid);
	assert_int_equal(got.identity.hw_code, 0x6261);
	worker_message_clear(&got);
	pass(&pair, &messages[1], &got);
	assert_int_equal(got.progress.rate, 3);
	assert_true(got.progress.eta < 0);
	pass(&pair, &messages[2], &got);
	assert_int_equal(got.failure.code, FAILURE_DEVICE_LOST);
	worker_message_clear(&got);
	for (size_t i = 3; i < ARRAY_SIZE(messages); i++)
		pass(&pair, &messages[i], &got);
}

static void test_check(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair();
	_cleanup_(worker_message_clear) struct worker_message done = { .type = WORKER_DONE };
	const struct worker_message check = { .type = WORKER_CHECK, .check = { .again = true } };
	struct worker_message got;

	pass(&pair, &check, &got);
	assert_true(got.check.again);
	assert_int_equal(worker_done_add(&done.done, "ROM_0"), 0);
	for (size_t i = 1; i < WORKER_SAME_MAX; i++)
		assert_int_equal(worker_done_add(&done.done, "firmware/leftover/a"), 0);
	assert_int_equal(worker_done_add(&done.done, "one/more"), -E2BIG);
	pass(&pair, &done, &got);
	assert_int_equal(got.done.n_same, WORKER_SAME_MAX);
	assert_string_equal(got.done.same[0], "ROM_0");
	assert_string_equal(got.done.same[1], "firmware/leftover/a");
	worker_message_clear(&got);
}

static void test_hostile(void **state _unused_)
{
	static const char *const bad[] = {
		"x",
		"{}",
		"[]",
		"{\"type\":\"oops\"}",
		"{\"type\":1}",
		"{\"type\":\"progress\"}",
		"{\"type\":\"done\",\"body\":{}}",
		"{\"type\":\"done\",\"extra\":1}",
		"{\"type\":\"done\",\"body\":{\"same\":[]}}",
		"{\"type\":\"done\",\"body\":{\"same\":[1]}}",
		"{\"type\":\"done\",\"body\":{\"same\":[\"ROM_0\",\"../../lock\"]}}",
		"{\"type\":\"done\",\"body\":{\"same\":[\"/etc/passwd\"]}}",
		"{\"type\":\"done\",\"body\":{\"same\":[\"a//b\"]}}",
		"{\"type\":\"done\",\"body\":{\"same\":[\"a/\"]}}",
		"{\"type\":\"check\",\"body\":{}}",
		"{\"type\":\"check\",\"body\":{\"again\":1}}",
		"{\"type\":\"done\"}x",
		"{\"type\":\"progress\",\"body\":{\"phase\":\"read\",\"done\":-1,\"total\":0,"
		"\"rate\":0}}",
		"{\"type\":\"failed\",\"body\":{\"code\":\"none\",\"message\":\"m\"}}",
		"{\"type\":\"failed\",\"body\":{\"code\":\"timeout\",\"message\":\"\\u001b\"}}",
		"{\"type\":\"identity\",\"body\":{\"chip\":\"../x\",\"mode\":\"brom\","
		"\"hw_code\":1}}",
		"{\"type\":\"identity\",\"body\":{\"chip\":\"x\",\"mode\":\"usb\",\"hw_code\":1}}",
		"{\"type\":\"done\",\"files\":[]}",
		"{\"type\":\"done\",\"files\":[\"da\"]}",
		"{\"type\":\"done\",\"files\":[\"passwd\"]}",
		"{\"type\":\"done\",\"files\":[\"scatter\",\"da\"]}",
		"{\"type\":\"done\",\"files\":[\"da\",\"da\"]}",
		"{\"type\":\"done\",\"files\":\"da\"}",
		"{\"type\":\"open\",\"body\":{\"device\":\"/dev/x\",\"mode\":\"auto\","
		"\"handshake_timeout_usb\":1e300,\"handshake_timeout_uart\":1}}",
	};
	_cleanup_(close_pair) struct pair pair = open_pair();
	struct worker_message got;
	int passed;

	assert_int_equal(worker_message_receive(pair.fds[1], &got, &passed), -EAGAIN);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(send(pair.fds[0], bad[i], strlen(bad[i]), 0), strlen(bad[i]));
		if (worker_message_receive(pair.fds[1], &got, &passed) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	}
}

static void test_too_long(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair();
	_cleanup_free_ char *text = malloc(LIMIT_WORKER_MESSAGE + 1);
	struct worker_message got;
	int passed;

	assert_non_null(text);
	memset(text, ' ', LIMIT_WORKER_MESSAGE + 1);
	memcpy(text, "{\"type\":\"done\"}", 15);
	assert_int_equal(send(pair.fds[0], text, LIMIT_WORKER_MESSAGE + 1, 0),
			 LIMIT_WORKER_MESSAGE + 1);
	assert_int_equal(worker_message_receive(pair.fds[1], &got, &passed), -EBADMSG);
}

static void test_end(void **state _unused_)
{
	_cleanup_(close_pair) struct pair pair = open_pair();
	const struct worker_message stop = { .type = WORKER_STOP };
	struct worker_message got;
	int passed, r;

	/* A full socket does not block, a packet is never sent in part. */
	do
		r = worker_message_send(pair.fds[0], &stop, -1);
	while (r == 0);
	assert_int_equal(r, -EAGAIN);
	pair.fds[0] = fd_close(pair.fds[0]);
	while ((r = worker_message_receive(pair.fds[1], &got, &passed)) == 1)
		assert_int_equal(got.type, WORKER_STOP);
	assert_int_equal(r, 0);
	assert_int_equal(worker_message_send(pair.fds[1], &stop, -1), -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),     cmocka_unit_test(test_read),
		cmocka_unit_test(test_events),   cmocka_unit_test(test_check),
		cmocka_unit_test(test_files),    cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_too_long), cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
