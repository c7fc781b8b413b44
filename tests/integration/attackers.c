/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/attackers.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "protocol/control/varlink.h"

#define MIB         (1U << 20)
#define CROWD       1000U
#define DEAF        200U
#define DYING       200U
#define ANSWER_MSEC 20000

int attacker_dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_return_code(connect(fd, (const struct sockaddr *)&address, sizeof(address)), errno);
	return fd;
}

ssize_t attacker_say(int fd, const char *text, size_t size)
{
	return send(fd, text, size, MSG_NOSIGNAL);
}

bool attacker_call(int fd, const char *text)
{
	return attacker_say(fd, text, strlen(text) + 1) == (ssize_t)strlen(text) + 1;
}

bool attacker_hear(int fd, char *text, size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t n = 0;

	while (n < size) {
		ssize_t r;

		if (poll(&pfd, 1, ANSWER_MSEC) != 1)
			fail_msg("neither an answer nor an end in %d ms", ANSWER_MSEC);
		r = recv(fd, text + n, 1, 0);
		if (r <= 0)
			return false;
		if (text[n++] == '\0')
			return true;
	}
	fail_msg("the answer does not end");
	return false;
}

bool attacker_is_over(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&pfd, 1, ANSWER_MSEC) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

/* Those within the limit are served, the others are told and sent away. */
void attack_crowd(const struct rig *rig)
{
	static int fds[CROWD];
	size_t served = 0, refused = 0;
	char text[1024];

	for (size_t i = 0; i < CROWD; i++)
		fds[i] = attacker_dial(rig->socket);
	for (size_t i = 0; i < CROWD; i++) {
		struct varlink_reply reply = { 0 };

		(void)attacker_call(fds[i], ATTACKER_GET_STATUS);
		assert_true(attacker_hear(fds[i], text, sizeof(text)));
		assert_int_equal(varlink_reply_from_text(text, strlen(text), &reply), 0);
		if (reply.error) {
			assert_string_equal(reply.error, ERROR_LIMIT_REACHED);
			assert_true(attacker_is_over(fds[i]));
			refused++;
		} else {
			served++;
		}
		varlink_reply_clear(&reply);
	}
	/* One place is the witness's. */
	assert_int_equal(served, LIMIT_CONNECTIONS_PER_UID - 1);
	assert_int_equal(refused, CROWD - served);
	for (size_t i = 0; i < CROWD; i++)
		fd_close(fds[i]);
}

void attack_endless(const struct rig *rig)
{
	_cleanup_close_ int fd = attacker_dial(rig->socket);
	_cleanup_free_ char *noise = malloc(MIB);
	uint64_t sent = 0;
	ssize_t n = 0;

	assert_non_null(noise);
	memset(noise, 'x', MIB);
	while (sent < 100ULL * MIB) {
		n = attacker_say(fd, noise, MIB);
		if (n < 0)
			break;
		sent += (uint64_t)n;
	}
	/* It was not read to the end, nor kept. */
	assert_true(n < 0);
	assert_true(sent < 4 * MIB);
}

static void assert_hangs_up_on(const struct rig *rig, const char *text, size_t size)
{
	_cleanup_close_ int fd = attacker_dial(rig->socket);

	assert_int_equal(attacker_say(fd, text, size), size);
	assert_true(attacker_is_over(fd));
}

void attack_malformed(const struct rig *rig)
{
	static const char *const texts[] = {
		"",
		"[]",
		"null",
		"{",
		"{}",
		"{\"method\":7}",
		"{\"method\":\"a\xff.b\"}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":\"\xed\xa0\x80\"}}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":\"\\ud800\"}}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":1e999}}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":99999999999999999999}}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":NaN}}",
		"{\"method\":\"a.b\",\"parameters\":{\"x\":1,\"x\":2}}",
		"{\"method\":\"a.b\"}trailing",
	};
	size_t depth = LIMIT_REQUEST_BYTES / 8;
	_cleanup_free_ char *deep = malloc(depth * 5 + 1);
	char *end = deep;

	assert_non_null(deep);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_hangs_up_on(rig, texts[i], strlen(texts[i]) + 1);
	for (size_t i = 0; i < depth; i++)
		end = stpcpy(end, "{\"a\":");
	assert_hangs_up_on(rig, deep, strlen(deep) + 1);
}

/* They ask for a long answer, hear its beginning, and are gone. */
void attack_dying(const struct rig *rig)
{
	for (size_t i = 0; i < DYING; i++) {
		_cleanup_close_ int fd = attacker_dial(rig->socket);
		char begin[16];

		assert_true(attacker_call(fd, ATTACKER_LIST_JOBS));
		if (i % 2 == 0)
			assert_true(recv(fd, begin, sizeof(begin), 0) > 0);
	}
}

/* They send calls for as long as these are taken, and read nothing. */
void attack_deaf(const struct rig *rig)
{
	static int fds[DEAF];
	size_t n_calls = 0, n_dropped = 0;

	for (size_t i = 0; i < DEAF; i++)
		fds[i] = attacker_dial(rig->socket);
	for (size_t round = 0; round < 20; round++)
		for (size_t i = 0; i < DEAF; i++)
			n_calls += send(fds[i], ATTACKER_LIST_JOBS, sizeof(ATTACKER_LIST_JOBS),
					MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
	assert_true(n_calls >= DEAF);
	/* Lists are made in turn: when ours comes, theirs were made. */
	message_unref(rig_call(rig, "ListJobs", "{}", NULL));
	for (size_t i = 0; i < DEAF; i++) {
		struct pollfd pfd = { .fd = fds[i] };

		n_dropped += poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP);
		fd_close(fds[i]);
	}
	/* Not all of them could be kept, but more than none. */
	assert_true(n_dropped > 0 && n_dropped < DEAF);
}

void attacker_fill_queue(const struct rig *rig)
{
	char note[400];
	_cleanup_free_ char *request = NULL;

	memset(note, 'n', sizeof(note) - 1);
	note[sizeof(note) - 1] = '\0';
	request = str_format("{\"slot\":\"nowhere\",\"count\":%u,\"labels\":{\"note\":\"%s\"}}",
			     LIMIT_COUNT, note);
	(void)rig_submit(rig, request);
}
