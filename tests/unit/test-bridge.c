/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/calls/bridge.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/frame.h"
#include "protocol/control/limits.h"

/* A bridge in a process of its own, between a client and a daemon that are both the test. */
struct place {
	int client;
	struct frame *daemon;
	pid_t bridge;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	int client[2], daemon[2];

	assert_non_null(place);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, daemon), 0);
	place->bridge = fork();
	if (place->bridge == 0) {
		close(client[0]);
		close(daemon[0]);
		_exit(-bridge_run(client[1], client[1], daemon[1]));
	}
	close(client[1]);
	close(daemon[1]);
	place->client = client[0];
	assert_int_equal(
		frame_new(daemon[0], LIMIT_REQUEST_BYTES, LIMIT_REPLY_BYTES, &place->daemon), 0);
	*state = place;
	return 0;
}

/* The errno it ended with. */
static int end_of(struct place *place)
{
	int status;

	assert_int_equal(waitpid(place->bridge, &status, 0), place->bridge);
	place->bridge = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int tear_down(void **state)
{
	struct place *place = *state;

	frame_free(place->daemon);
	fd_close(place->client);
	if (place->bridge)
		assert_int_equal(end_of(place), 0);
	free(place);
	return 0;
}

static void say(const struct place *place, const char *data, size_t size)
{
	assert_int_equal(fd_write_all(place->client, data, size), 0);
}

/* As frame_fill, which does not wait. */
static int fill(struct place *place)
{
	struct pollfd pfd = { .fd = frame_fd(place->daemon), .events = POLLIN };

	assert_int_equal(poll(&pfd, 1, 10000), 1);
	return frame_fill(place->daemon);
}

static char *next_call(struct place *place)
{
	char *text;
	size_t size;
	int r;

	while ((r = frame_next(place->daemon, &text, &size)) == 0)
		assert_int_equal(fill(place), 1);
	assert_int_equal(r, 1);
	return text;
}

static void assert_file(struct place *place, size_t index, const char *expected, size_t size)
{
	_cleanup_close_ int fd = frame_take_fd(place->daemon, index);
	char text[64];

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, text, sizeof(text), 0), size);
	assert_memory_equal(text, expected, size);
}

/* One byte at a time, and files whose content looks like the wire. */
static void test_pieces(void **state)
{
	static const char stream[] = "{\"a\":1}\0file 0\0file 9\0file 3\0{}{\"b\":2}\0{\"c\":3}";
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(stream); i++)
		say(place, stream + i, 1);
	assert_string_equal(next_call(place), "{\"a\":1}");
	assert_int_equal(frame_take_fd(place->daemon, 0), -1);
	assert_string_equal(next_call(place), "{\"b\":2}");
	assert_file(place, 0, "", 0);
	assert_file(place, 1, "file 3\0{}", 9);
	assert_int_equal(frame_take_fd(place->daemon, 2), -1);
	assert_string_equal(next_call(place), "{\"c\":3}");
	assert_int_equal(frame_take_fd(place->daemon, 0), -1);
}

static void test_sent_file(void **state)
{
	struct place *place = *state;
	_cleanup_close_ int file = memfd_create("file", MFD_CLOEXEC), pipe_end = -1;
	_cleanup_free_ char *large = malloc(300000), *read_back = malloc(300000);
	_cleanup_close_ int passed = -1;
	int fds[2];

	for (size_t i = 0; i < 300000; i++)
		large[i] = (char)(i * 7);
	assert_int_equal(fd_write_all(file, large, 300000), 0);
	assert_int_equal(bridge_send_file(place->client, file), 0);
	say(place, "{}", 3);
	assert_string_equal(next_call(place), "{}");
	passed = frame_take_fd(place->daemon, 0);
	assert_int_equal(fd_pread_all(passed, read_back, 300000, 0), 0);
	assert_memory_equal(read_back, large, 300000);

	assert_int_equal(pipe(fds), 0);
	pipe_end = fds[0];
	close(fds[1]);
	assert_int_equal(bridge_send_file(place->client, pipe_end), -EINVAL);
	assert_int_equal(ftruncate(file, (off_t)LIMIT_AGENT_BYTES + 1), 0);
	assert_int_equal(bridge_send_file(place->client, file), -EFBIG);
}

static void test_answers(void **state)
{
	struct place *place = *state;
	char answer[4];

	assert_int_equal(frame_put(place->daemon, "yes", 3), 0);
	assert_int_equal(frame_flush(place->daemon), 0);
	assert_int_equal(recv(place->client, answer, 4, MSG_WAITALL), 4);
	assert_string_equal(answer, "yes");
	/* Whoever closes his side still gets what he has asked for. */
	say(place, "{}", 3);
	assert_int_equal(shutdown(place->client, SHUT_WR), 0);
	assert_string_equal(next_call(place), "{}");
	assert_int_equal(fill(place), 0);
	assert_int_equal(frame_put(place->daemon, "end", 3), 0);
	assert_int_equal(frame_flush(place->daemon), 0);
	assert_int_equal(recv(place->client, answer, 4, MSG_WAITALL), 4);
	assert_string_equal(answer, "end");
}

static void test_hostile(void **state)
{
	static const struct {
		const char *data;
		size_t size;
	} streams[] = {
#define STREAM(s) { s, sizeof(s) }
		STREAM("file 99999999999"),
		STREAM("file -1"),
		STREAM("file "),
		STREAM("file 1 "),
		STREAM("file 0\0file 0\0file 0\0file 0\0file 0"),
		{ "{", 1 },
		{ "file 2\0x", 8 },
	};
	_cleanup_free_ char *large = malloc(2 * LIMIT_REQUEST_BYTES);
	struct place *place;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		assert_int_equal(set_up((void **)&place), 0);
		say(place, streams[i].data, streams[i].size);
		assert_int_equal(shutdown(place->client, SHUT_WR), 0);
		assert_int_equal(end_of(place), EBADMSG);
		assert_int_equal(tear_down((void **)&place), 0);
	}
	memset(large, 'x', 2 * LIMIT_REQUEST_BYTES);
	assert_int_equal(set_up((void **)&place), 0);
	(void)send(place->client, large, 2 * LIMIT_REQUEST_BYTES, MSG_NOSIGNAL);
	assert_int_equal(end_of(place), EBADMSG);
	assert_int_equal(tear_down((void **)&place), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sent_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("bridge", tests, NULL, NULL);
}
