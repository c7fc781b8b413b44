/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/server/server.h"
#include "daemon/server/session.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

/* Server and client share this thread: the loop is turned by hand until it has nothing to do. */
struct bench {
	sd_event *event;
	struct server *server;
	char directory[32];
	char path[48];
	struct call *kept;
	unsigned int called, gone, drained;
	int last_fd_type; /* st_mode & S_IFMT of the descriptor that came with a call, 0: none */
};

/* ---- Handlers ---- */

static int on_echo(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = {
		{ .name = "n", .type = FIELD_INT, .flags = FIELD_REQUIRED },
	};
	struct bench *bench = userdata;
	struct json_object *reply;
	struct problem problem;
	int64_t n;

	bench->called++;
	if (message_read(parameters, fields, 1, &n, &problem) < 0)
		return call_invalid(call, &problem);
	assert_int_equal(message_build(&reply, MEMBERS(M_INT("n", n))), 0);
	return call_reply(call, reply);
}

static void on_gone(struct call *call, void *userdata)
{
	struct bench *bench = userdata;

	assert_ptr_equal(call, bench->kept);
	bench->gone++;
	bench->kept = NULL;
	call_unref(call);
}

static void on_drain(struct call *call, void *userdata)
{
	struct bench *bench = userdata;

	assert_ptr_equal(call, bench->kept);
	assert_int_equal(call_output_pending(call), 0);
	bench->drained++;
}

static int on_keep(struct call *call, struct json_object *parameters _unused_, void *userdata)
{
	struct bench *bench = userdata;

	bench->called++;
	bench->kept = call_ref(call);
	call_set_gone_callback(call, on_gone, bench);
	call_set_drain_callback(call, on_drain, bench);
	return 0;
}

static int on_drop(struct call *call _unused_, struct json_object *parameters _unused_,
		   void *userdata _unused_)
{
	return 0;
}

static int on_fail(struct call *call _unused_, struct json_object *parameters _unused_,
		   void *userdata _unused_)
{
	return -ENOSPC;
}

static int on_deny(struct call *call _unused_, struct json_object *parameters _unused_,
		   void *userdata _unused_)
{
	return -EPERM;
}

static int on_file(struct call *call, struct json_object *parameters _unused_, void *userdata)
{
	_cleanup_close_ int fd = call_take_fd(call, 0);
	struct bench *bench = userdata;
	struct stat st = { 0 };

	if (fd >= 0)
		assert_int_equal(fstat(fd, &st), 0);
	bench->last_fd_type = st.st_mode & S_IFMT;
	return call_reply(call, NULL);
}

static const struct method methods[] = {
	{ "Echo", on_echo, 0 }, { "Keep", on_keep, METHOD_MAY_STREAM },
	{ "Drop", on_drop, 0 }, { "Fail", on_fail, 0 },
	{ "Deny", on_deny, 0 }, { "Follow", on_keep, METHOD_MAY_STREAM | METHOD_NEEDS_MORE },
	{ "File", on_file, 0 },
};

static const struct interface interfaces[] = {
	{ "com.example.test", "interface com.example.test\n", methods, ARRAY_SIZE(methods), NULL },
};

/* ---- The bench ---- */

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	strcpy(bench->directory, "/tmp/test-server-XXXXXX");
	assert_non_null(mkdtemp(bench->directory));
	(void)snprintf(bench->path, sizeof(bench->path), "%s/socket", bench->directory);
	assert_true(sd_event_new(&bench->event) >= 0);
	assert_int_equal(server_new(bench->event, interfaces, 1, bench, &bench->server), 0);
	assert_int_equal(server_listen(bench->server, bench->path), 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	server_free(bench->server);
	assert_null(bench->kept);
	/* The socket's file went with the server. */
	assert_int_equal(rmdir(bench->directory), 0);
	sd_event_unref(bench->event);
	free(bench);
	return 0;
}

static void turn(struct bench *bench)
{
	while (sd_event_run(bench->event, 0) > 0)
		continue;
}

static int dial(struct bench *bench)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, bench->path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	turn(bench);
	return fd;
}

/* With the NUL at its end. */
static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text) + 1, MSG_NOSIGNAL), strlen(text) + 1);
}

static void call_method_with(int fd, const char *method, const char *rest)
{
	_cleanup_free_ char *text = str_format("{\"method\":\"%s\"%s}", method, rest);

	say(fd, text);
}

static void expect(struct bench *bench, int fd, const char *text)
{
	char buffer[8192] = "";
	size_t n = 0;

	turn(bench);
	do {
		assert_true(n < sizeof(buffer));
		assert_int_equal(recv(fd, buffer + n, 1, MSG_DONTWAIT), 1);
	} while (buffer[n++]);
	assert_string_equal(buffer, text);
}

static void expect_nothing(struct bench *bench, int fd)
{
	char c;

	turn(bench);
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void expect_end(struct bench *bench, int fd)
{
	char c;

	turn(bench);
	/* The server may leave unread bytes behind: that is a reset. */
	assert_true(recv(fd, &c, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
}

/* ---- Tests ---- */

static void test_service(void **state)
{
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench);

	call_method_with(fd, "org.varlink.service.GetInfo", "");
	expect(bench, fd,
	       "{\"parameters\":{\"vendor\":\"mtkrbd\",\"product\":\"mtkrbd\",\"version\":"
	       "\"" MTKRB_VERSION "\",\"url\":\"\",\"interfaces\":[\"org.varlink.service\","
	       "\"com.example.test\"]}}");
	call_method_with(fd, "org.varlink.service.GetInterfaceDescription",
			 ",\"parameters\":{\"interface\":\"com.example.test\"}");
	expect(bench, fd, "{\"parameters\":{\"description\":\"interface com.example.test\\n\"}}");
}

static void test_errors(void **state)
{
	static const char *const cases[][3] = {
		{ "Echo", "",
		  "{\"error\":\"org.varlink.service.InvalidParameter\","
		  "\"parameters\":{\"parameter\":\"method\"}}" },
		{ "com.example.none.Echo", "",
		  "{\"error\":\"org.varlink.service.InterfaceNotFound\","
		  "\"parameters\":{\"interface\":\"com.example.none\"}}" },
		{ "com.example.test.None", "",
		  "{\"error\":\"org.varlink.service.MethodNotFound\","
		  "\"parameters\":{\"method\":\"com.example.test.None\"}}" },
		{ "com.example.test.Echo", ",\"upgrade\":true",
		  "{\"error\":\"org.varlink.service.MethodNotImplemented\","
		  "\"parameters\":{\"method\":\"com.example.test.Echo\"}}" },
		{ "com.example.test.Follow", "",
		  "{\"error\":\"org.varlink.service.ExpectedMore\"}" },
		{ "com.example.test.Echo", "",
		  "{\"error\":\"org.varlink.service.InvalidParameter\","
		  "\"parameters\":{\"parameter\":\"n\"}}" },
		{ "com.example.test.Echo", ",\"parameters\":{\"n\":1,\"m\":2}",
		  "{\"error\":\"org.varlink.service.InvalidParameter\","
		  "\"parameters\":{\"parameter\":\"m\"}}" },
		{ "com.example.test.Echo", ",\"parameters\":{\"n\":\"1\"}",
		  "{\"error\":\"org.varlink.service.InvalidParameter\","
		  "\"parameters\":{\"parameter\":\"n\"}}" },
		{ "org.varlink.service.GetInfo", ",\"parameters\":{\"x\":1}",
		  "{\"error\":\"org.varlink.service.InvalidParameter\","
		  "\"parameters\":{\"parameter\":\"x\"}}" },
		{ "org.varlink.service.GetInterfaceDescription",
		  ",\"parameters\":{\"interface\":\"x.y\"}",
		  "{\"error\":\"org.varlink.service.InterfaceNotFound\","
		  "\"parameters\":{\"interface\":\"x.y\"}}" },
		{ "com.example.test.Fail", "",
		  "{\"error\":\"com.example.test.Failed\","
		  "\"parameters\":{\"message\":\"No space left on device\"}}" },
		{ "com.example.test.Deny", "",
		  "{\"error\":\"org.varlink.service.PermissionDenied\"}" },
	};
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		call_method_with(fd, cases[i][0], cases[i][1]);
		expect(bench, fd, cases[i][2]);
	}
}

#define ECHO(n) "{\"method\":\"com.example.test.Echo\",\"parameters\":{\"n\":" #n "}}"

static void test_pipeline(void **state)
{
	static const char calls[] = ECHO(1) "\0" ECHO(2) "\0" ECHO(3);
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench);

	/* All at once, the last without its end, which follows byte by byte. */
	assert_int_equal(send(fd, calls, sizeof(calls) - 5, 0), sizeof(calls) - 5);
	expect(bench, fd, "{\"parameters\":{\"n\":1}}");
	expect(bench, fd, "{\"parameters\":{\"n\":2}}");
	expect_nothing(bench, fd);
	for (size_t i = sizeof(calls) - 5; i < sizeof(calls); i++) {
		assert_int_equal(send(fd, calls + i, 1, 0), 1);
		turn(bench);
	}
	expect(bench, fd, "{\"parameters\":{\"n\":3}}");
}

static void test_half_closed(void **state)
{
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench);

	say(fd, ECHO(1));
	say(fd, ECHO(2));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect(bench, fd, "{\"parameters\":{\"n\":1}}");
	expect(bench, fd, "{\"parameters\":{\"n\":2}}");
	expect_end(bench, fd);
	assert_int_equal(server_connections(bench->server), 0);
}

#define ONEWAY "{\"method\":\"com.example.test.Echo\",\"parameters\":{\"n\":1},\"oneway\":true}"

static void test_oneway(void **state)
{
	struct bench *bench = *state;
	int fd = dial(bench);

	say(fd, ONEWAY);
	expect_nothing(bench, fd);
	assert_int_equal(bench->called, 1);
	/* What was sent before the end is still done. */
	say(fd, ONEWAY);
	say(fd, ONEWAY);
	fd_close(fd);
	turn(bench);
	assert_int_equal(bench->called, 3);
	assert_int_equal(server_connections(bench->server), 0);
}

static void test_oneway_kept(void **state)
{
	struct bench *bench = *state;
	int fd = dial(bench);

	call_method_with(fd, "com.example.test.Keep", ",\"oneway\":true");
	say(fd, ONEWAY);
	fd_close(fd);
	turn(bench);
	assert_int_equal(bench->called, 1);
	assert_int_equal(bench->gone, 0);
	assert_int_equal(call_reply(bench->kept, NULL), 0);
	call_unref(TAKE_PTR(bench->kept));
	turn(bench);
	assert_int_equal(bench->called, 2);
	assert_int_equal(server_connections(bench->server), 0);
}

static void test_kept(void **state)
{
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench);

	call_method_with(fd, "com.example.test.Keep", "");
	say(fd, ECHO(5));
	expect_nothing(bench, fd);
	/* The next one waits for its turn. */
	assert_int_equal(bench->called, 1);
	assert_int_equal(call_uid(bench->kept), getuid());
	assert_int_equal(call_pid(bench->kept), getpid());
	assert_int_equal(call_reply_continues(bench->kept, NULL), -EINVAL);
	assert_int_equal(call_reply(bench->kept, NULL), 0);
	assert_int_equal(call_reply(bench->kept, NULL), -EALREADY);
	call_unref(TAKE_PTR(bench->kept));
	expect(bench, fd, "{}");
	expect(bench, fd, "{\"parameters\":{\"n\":5}}");
	assert_int_equal(bench->gone, 0);
}

static void test_client_gone(void **state)
{
	struct bench *bench = *state;
	int fd = dial(bench);

	call_method_with(fd, "com.example.test.Keep", "");
	say(fd, ECHO(5));
	turn(bench);
	assert_non_null(bench->kept);
	fd_close(fd);
	turn(bench);
	assert_int_equal(bench->gone, 1);
	assert_int_equal(bench->called, 1);
	assert_int_equal(server_connections(bench->server), 0);
}

static void test_answer_after_gone(void **state)
{
	struct bench *bench = *state;
	int fd = dial(bench);
	struct call *call;

	call_method_with(fd, "com.example.test.Keep", "");
	turn(bench);
	call = call_ref(bench->kept);
	fd_close(fd);
	/* The daemon does not know yet, then it does: both are no failure. */
	assert_int_equal(call_reply(call, NULL), 0);
	turn(bench);
	assert_int_equal(bench->gone, 0);
	assert_int_equal(server_connections(bench->server), 0);
	assert_int_equal(call_output_pending(call), 0);
	call_unref(call);
	call_unref(TAKE_PTR(bench->kept));
}

static void test_dropped(void **state)
{
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench);

	call_method_with(fd, "com.example.test.Drop", "");
	expect_end(bench, fd);
}

static void test_server_ends(void **state)
{
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench);

	call_method_with(fd, "com.example.test.Keep", "");
	turn(bench);
	server_free(TAKE_PTR(bench->server));
	assert_int_equal(bench->gone, 1);
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"[]",
		"{}",
		"{\"method\":1}",
		"{\"method\":\"a.B\",\"method\":\"a.B\"}",
		"{'method':'org.varlink.service.GetInfo'}",
		"{\"method\":\"a.B\",\"parameters\":[]}",
		"{\"method\":\"a.B\",\"parameters\":{\"n\":99999999999999999999}}",
		"{\"method\":\"a.B\",\"parameters\":{\"n\":NaN}}",
		"{\"method\":\"a.B\",\"parameters\":{\"s\":\"\xff\"}}",
		"{\"method\":\"a.B\",\"parameters\":{\"s\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}}",
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_close_ int fd = dial(bench);

		say(fd, bad[i]);
		expect_end(bench, fd);
		assert_int_equal(server_connections(bench->server), 0);
	}
}

static void test_flood(void **state)
{
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench);
	char piece[4096];
	size_t sent = 0;
	ssize_t n;

	memset(piece, 'x', sizeof(piece));
	do {
		n = send(fd, piece, sizeof(piece), MSG_NOSIGNAL | MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		turn(bench);
	} while (n > 0);
	assert_true(sent <= LIMIT_REQUEST_BYTES + 2 * sizeof(piece));
	assert_int_equal(server_connections(bench->server), 0);
}

/* A client that asks and never reads costs one queue and nobody else's time. */
static void test_never_reads(void **state)
{
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench), other = dial(bench);
	unsigned int called = 0;

	assert_int_equal(fd_set_nonblock(fd, 1), 0);
	do {
		called = bench->called;
		for (int i = 0; i < 1000; i++)
			if (send(fd, ECHO(1), sizeof(ECHO(1)), MSG_NOSIGNAL) < 0)
				break;
		turn(bench);
	} while (bench->called > called);
	say(other, ECHO(9));
	expect(bench, other, "{\"parameters\":{\"n\":9}}");
	assert_int_equal(server_connections(bench->server), 2);
}

static struct json_object *blob(size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1);
	struct json_object *object;

	memset(text, 'x', size);
	text[size] = '\0';
	assert_int_equal(message_build(&object, MEMBERS(M_STRING("s", text))), 0);
	return object;
}

static size_t drain(int fd)
{
	char buffer[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		total += (size_t)n;
	return total;
}

static void test_stream(void **state)
{
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench);
	size_t sent = 0, got = 0;
	int r;

	call_method_with(fd, "com.example.test.Follow", ",\"more\":true");
	turn(bench);
	assert_int_equal(call_reply_continues(bench->kept, NULL), 0);
	expect(bench, fd, "{\"continues\":true}");
	assert_int_equal(bench->drained, 0);

	/* Too large is refused, and so is what no longer fits; the stream goes on. */
	assert_int_equal(call_reply_continues(bench->kept, blob(LIMIT_REPLY_BYTES)), -EMSGSIZE);
	while ((r = call_reply_continues(bench->kept, blob(100000))) == 0)
		sent++;
	assert_int_equal(r, -ENOBUFS);
	assert_true(call_output_pending(bench->kept) <= LIMIT_OUTPUT_BYTES);
	assert_true(call_output_pending(bench->kept) > LIMIT_OUTPUT_BYTES / 2);
	for (int i = 0; i < 100 && bench->drained == 0; i++) {
		got += drain(fd);
		turn(bench);
	}
	assert_int_equal(bench->drained, 1);
	assert_int_equal(call_output_pending(bench->kept), 0);
	got += drain(fd);
	assert_int_equal(got, sent * (100000 + sizeof("{\"parameters\":{\"s\":\"\"},"
						      "\"continues\":true}")));
	assert_int_equal(call_error(bench->kept, "com.example.test.Over", NULL), 0);
	call_unref(TAKE_PTR(bench->kept));
	expect(bench, fd, "{\"error\":\"com.example.test.Over\"}");
	say(fd, ECHO(1));
	expect(bench, fd, "{\"parameters\":{\"n\":1}}");
}

static void test_descriptor(void **state)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char text[] = "{\"method\":\"com.example.test.File\"}";
	struct iovec piece = { text, sizeof(text) };
	struct msghdr header = { .msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&header);
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench), file = open("/", O_RDONLY | O_CLOEXEC);

	*c = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &file, sizeof(int));
	assert_int_equal(sendmsg(fd, &header, 0), sizeof(text));
	expect(bench, fd, "{}");
	assert_int_equal(bench->last_fd_type, S_IFDIR);
	say(fd, text);
	expect(bench, fd, "{}");
	assert_int_equal(bench->last_fd_type, 0);
}

static void test_connection_limit(void **state)
{
	struct bench *bench = *state;
	int fds[LIMIT_CONNECTIONS_PER_UID + 1];
	size_t last = LIMIT_CONNECTIONS_PER_UID;

	for (size_t i = 0; i <= last; i++)
		fds[i] = dial(bench);
	assert_int_equal(server_connections(bench->server), LIMIT_CONNECTIONS_PER_UID);
	expect(bench, fds[last],
	       "{\"error\":\"io.mtkrbd.Control.LimitReached\",\"parameters\":"
	       "{\"limit\":\"connections\",\"value\":256}}");
	expect_end(bench, fds[last]);
	fd_close(fds[last]);
	fd_close(fds[0]);
	turn(bench);
	fds[0] = dial(bench);
	say(fds[0], ECHO(1));
	expect(bench, fds[0], "{\"parameters\":{\"n\":1}}");
	for (size_t i = 0; i < last; i++)
		fd_close(fds[i]);
	turn(bench);
	assert_int_equal(server_connections(bench->server), 0);
}

/* A call that drips in does not get more time for each byte. */
static void test_half_sent(void **state)
{
	struct bench *bench = *state;
	_cleanup_close_ int fd = dial(bench), idle = dial(bench);
	uint64_t begin = time_now(), passed = 0;

	while (server_connections(bench->server) == 2 && passed < 30 * USEC_PER_SEC) {
		(void)send(fd, "x", 1, MSG_NOSIGNAL);
		(void)sd_event_run(bench->event, USEC_PER_SEC / 2);
		turn(bench);
		passed = time_now() - begin;
		(void)usleep(100000);
	}
	assert_in_range(passed, (LIMIT_REQUEST_SECONDS - 1) * USEC_PER_SEC,
			(LIMIT_REQUEST_SECONDS + 5) * USEC_PER_SEC);
	/* One that has sent nothing may stay. */
	say(idle, ECHO(1));
	expect(bench, idle, "{\"parameters\":{\"n\":1}}");
}

static int listen_again(struct bench *bench, const char *path)
{
	_cleanup_(server_freep) struct server *server = NULL;

	assert_int_equal(server_new(bench->event, interfaces, 1, bench, &server), 0);
	return server_listen(server, path);
}

static void test_listen(void **state)
{
	struct bench *bench = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat before, after;
	char longest[200];
	int stale;

	assert_int_equal(stat(bench->path, &before), 0);
	assert_int_equal(before.st_mode, S_IFSOCK | 0660);
	assert_int_equal(listen_again(bench, bench->path), -EADDRINUSE);
	assert_int_equal(listen_again(bench, bench->directory), -EEXIST);
	assert_int_equal(listen_again(bench, "/nonexistent/socket"), -ENOENT);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(listen_again(bench, longest), -ENAMETOOLONG);
	/* The one that failed left the other's socket alone. */
	assert_int_equal(stat(bench->path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);

	/* A socket on which nobody answers any more. */
	server_free(TAKE_PTR(bench->server));
	assert_int_equal(access(bench->path, F_OK), -1);
	stale = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(address.sun_path, bench->path);
	assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
	fd_close(stale);
	assert_int_equal(listen_again(bench, bench->path), 0);
}

static void test_adopt(void **state)
{
	struct bench *bench = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int client = -1;
	int fd;

	server_free(TAKE_PTR(bench->server));
	assert_int_equal(server_new(bench->event, interfaces, 1, bench, &bench->server), 0);
	assert_int_equal(server_adopt(bench->server, open("/dev/null", O_RDONLY)), -ENOTSOCK);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, bench->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(server_adopt(bench->server, dup(fd)), -ENOTSOCK);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(server_adopt(bench->server, fd), 0);
	client = dial(bench);
	say(client, ECHO(1));
	expect(bench, client, "{\"parameters\":{\"n\":1}}");
	/* An inherited socket is somebody else's to remove. */
	server_free(TAKE_PTR(bench->server));
	assert_int_equal(unlink(bench->path), 0);
}

#define SERVER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(test_service),
		SERVER_TEST(test_errors),
		SERVER_TEST(test_pipeline),
		SERVER_TEST(test_half_closed),
		SERVER_TEST(test_oneway),
		SERVER_TEST(test_oneway_kept),
		SERVER_TEST(test_kept),
		SERVER_TEST(test_client_gone),
		SERVER_TEST(test_answer_after_gone),
		SERVER_TEST(test_dropped),
		SERVER_TEST(test_server_ends),
		SERVER_TEST(test_malformed),
		SERVER_TEST(test_flood),
		SERVER_TEST(test_never_reads),
		SERVER_TEST(test_stream),
		SERVER_TEST(test_descriptor),
		SERVER_TEST(test_connection_limit),
		SERVER_TEST(test_half_sent),
		SERVER_TEST(test_listen),
		SERVER_TEST(test_adopt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
