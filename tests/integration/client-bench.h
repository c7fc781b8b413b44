/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * mtkrbctl against a daemon that follows a script. The daemon of a test is a process of its own,
 * whose exit status says whether it was asked what the script expects.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/frame.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"
#include "protocol/control/varlink.h"

#define MAX_REPLIES 8
#define MAX_ARGS    16

#define JOB(id, state, more)                                                  \
	"{\"id\":" #id ",\"state\":\"" state "\",\"request\":{},\"owner\":0," \
	"\"created\":\"2026-11-23T14:31:10Z\",\"attempts\":1" more "}"
#define PARAMETERS(p)  "{\"parameters\":" p "}"
#define CONTINUES(p)   "{\"parameters\":" p ",\"continues\":true}"
#define ERROR(name, p) "{\"error\":\"" name "\",\"parameters\":" p "}"
#define OURS(name)     "io.mtkrbd.Control." name
#define READ_AT(percent)                                       \
	",\"progress\":{\"phase\":\"read\",\"done\":" #percent \
	"000,\"total\":100000,\"rate\":1024,\"eta\":5.0}"
#define NO_WATCH                                                                             \
	",\"failure\":{\"code\":\"handshake-timeout\",\"message\":\"no answer on usb-0:2\"," \
	"\"hint\":\"hold the boot key\"}"
#define PORT                                                                                      \
	"{\"slot\":\"usb-0:2\",\"device\":\"/dev/ttyACM0\",\"mode\":\"brom\",\"state\":\"busy\"," \
	"\"chip\":\"MT6261\",\"meid\":\"00112233445566778899aabbccddeeff\",\"job\":7}"
#define BACKUP_ID "20261123T143110Z-MT6261-00112233445566778899aabbccddeeff-7"
#define BACKUP(path)                                                                       \
	"{\"id\":\"" BACKUP_ID "\",\"path\":\"" path "\","                                 \
	"\"created\":\"2026-11-23T14:31:10Z\",\"chip\":\"MT6261\",\"size\":4194304,"       \
	"\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"," \
	"\"labels\":{\"ticket\":\"4711\"},\"health\":97}"
#define TWIN(other)                                                                       \
	"{\"id\":\"" BACKUP_ID "\",\"path\":\"/b\",\"created\":\"2026-11-23T14:31:10Z\"," \
	"\"size\":1,\"labels\":{},\"identical_to\":\"" other "\","                        \
	"\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}"

/* One call that is to come, and what is answered. */
struct step {
	const char *method;     /* of our interface */
	const char *parameters; /* JSON */
	bool more;
	const char *replies[MAX_REPLIES]; /* whole JSON messages */
	bool hang_up;                     /* then the connection is closed */
};

struct bench {
	char folder[64];
	char socket[96];
	pid_t daemon;
};

struct outcome {
	int status;
	char *out;
	char *err;
};

static void outcome_clear(struct outcome *outcome)
{
	free(outcome->out);
	free(outcome->err);
}

/* ---- The daemon: what goes wrong in it ends it with a status of its own ---- */

static int await(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, 20000) == 1 ? 0 : -ETIMEDOUT;
}

static struct frame *daemon_accept(int listener)
{
	struct frame *frame;
	int fd;

	if (await(listener, POLLIN) < 0)
		_exit(10);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 || frame_new(fd, LIMIT_REQUEST_BYTES, LIMIT_OUTPUT_BYTES, &frame) < 0)
		_exit(11);
	return frame;
}

/* False when the client has closed the connection. */
static bool daemon_receive(struct frame *frame, char **ret_text, size_t *ret_size)
{
	int r;

	while ((r = frame_next(frame, ret_text, ret_size)) == 0) {
		if (await(frame_fd(frame), POLLIN) < 0)
			_exit(12);
		r = frame_fill(frame);
		if (r == 0)
			return false;
		if (r < 0 && r != -EAGAIN)
			_exit(13);
	}
	if (r < 0)
		_exit(14);
	return true;
}

static void daemon_check(const struct step *step, const char *text, size_t size)
{
	struct varlink_call call = { 0 };
	struct json_object *expected;
	char *is, *should, *method = str_format("io.mtkrbd.Control.%s", step->method);

	if (varlink_call_from_text(text, size, &call) < 0 ||
	    message_parse(step->parameters, strlen(step->parameters), &expected) < 0 ||
	    message_to_text(call.parameters, &is) < 0 || message_to_text(expected, &should) < 0)
		_exit(15);
	if (!streq(call.method, method) || !streq(is, should) || call.more != step->more) {
		dprintf(STDERR_FILENO, "called: %s %s\nshould: %s %s\n", call.method, is, method,
			should);
		_exit(16);
	}
	varlink_call_clear(&call);
	message_unref(expected);
	free(is);
	free(should);
	free(method);
}

static void daemon_reply(struct frame *frame, const char *text)
{
	if (frame_put(frame, text, strlen(text)) < 0)
		_exit(17);
	while (frame_pending(frame) > 0)
		if (frame_flush(frame) < 0 || await(frame_fd(frame), POLLOUT) < 0)
			_exit(18);
}

_noreturn_ static void daemon_run(int listener, const struct step *steps)
{
	struct frame *frame = NULL;

	for (const struct step *step = steps; step->method; step++) {
		char *text;
		size_t size;

		if (!frame)
			frame = daemon_accept(listener);
		/* Some verbs use a connection for all they ask, some one for each. */
		if (!daemon_receive(frame, &text, &size)) {
			frame_free(frame);
			frame = daemon_accept(listener);
			if (!daemon_receive(frame, &text, &size))
				_exit(19);
		}
		daemon_check(step, text, size);
		for (size_t i = 0; i < MAX_REPLIES && step->replies[i]; i++)
			daemon_reply(frame, step->replies[i]);
		if (step->hang_up) {
			frame_free(frame);
			frame = NULL;
		}
	}
	if (frame) {
		char *text;
		size_t size;

		/* The client asks for nothing else and closes. */
		if (daemon_receive(frame, &text, &size))
			_exit(20);
		frame_free(frame);
	}
	close(listener);
	_exit(0);
}

static void bench_start(struct bench *bench, const struct step *steps)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(address.sun_path, bench->socket);
	(void)unlink(bench->socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	bench->daemon = fork();
	assert_true(bench->daemon >= 0);
	if (bench->daemon == 0)
		daemon_run(fd, steps);
	close(fd);
}

/* The daemon was asked exactly what the script says. */
static void bench_finish(struct bench *bench)
{
	int status;

	assert_int_equal(waitpid(bench->daemon, &status, 0), bench->daemon);
	bench->daemon = 0;
	assert_int_equal(status, 0);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench)
		return -1;
	strcpy(bench->folder, "/tmp/test-client-XXXXXX");
	if (!mkdtemp(bench->folder))
		return -1;
	(void)snprintf(bench->socket, sizeof(bench->socket), "%s/socket", bench->folder);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	if (bench->daemon > 0) {
		kill(bench->daemon, SIGKILL);
		waitpid(bench->daemon, NULL, 0);
	}
	(void)unlink(bench->socket);
	(void)rmdir(bench->folder);
	free(bench);
	return 0;
}

/* ---- The client ---- */

struct running {
	pid_t pid;
	int out;
	int err;
};

_noreturn_ static void client_exec(const struct running *running, char **argv, bool as_nobody)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbctl", getenv("MTKRB_BIN_DIR"));
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || dup2(running->out, STDOUT_FILENO) < 0 ||
	    dup2(running->err, STDERR_FILENO) < 0)
		_exit(99);
	if (as_nobody && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
		_exit(98);
	fexecve(fd, argv, environ);
	_exit(97);
}

/* arguments: words separated by blanks. */
static struct running client_start(const struct bench *bench, const char *arguments, bool as_nobody)
{
	struct running running = { .out = memfd_create("out", MFD_CLOEXEC),
				   .err = memfd_create("err", MFD_CLOEXEC) };
	_cleanup_free_ char *words = strdup(arguments);
	char *argv[MAX_ARGS + 1] = { (char *)"mtkrbctl" }, *save = NULL;
	size_t n = 1;

	assert_non_null(words);
	for (char *w = strtok_r(words, " ", &save); w && n < MAX_ARGS;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	assert_true(running.out >= 0 && running.err >= 0);
	setenv("MTKRB_SOCKET", bench->socket, 1);
	running.pid = fork();
	assert_true(running.pid >= 0);
	if (running.pid == 0)
		client_exec(&running, argv, as_nobody);
	return running;
}

/* The whole content of a memfd. */
static char *content(int fd)
{
	struct stat st;
	char *text;

	assert_int_equal(fstat(fd, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(fd_pread_all(fd, text, (size_t)st.st_size, 0), 0);
	return text;
}

static struct outcome client_end(struct running *running)
{
	struct outcome outcome = { .status = -1 };
	int status;

	assert_int_equal(waitpid(running->pid, &status, 0), running->pid);
	if (WIFEXITED(status))
		outcome.status = WEXITSTATUS(status);
	outcome.out = content(running->out);
	outcome.err = content(running->err);
	close(running->out);
	close(running->err);
	return outcome;
}

_unused_ static struct outcome client_run(const struct bench *bench, const char *arguments)
{
	struct running running = client_start(bench, arguments, false);

	return client_end(&running);
}

/* Waits until the client has written text to fd. */
_unused_ static void client_await(int fd, const char *text)
{
	for (int i = 0; i < 1000; i++) {
		_cleanup_free_ char *now = content(fd);

		if (strstr(now, text))
			return;
		usleep(10000);
	}
	fail_msg("the client never wrote: %s", text);
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* Runs the client against the script; status, and what must be on stdout (whole) and stderr. */
_unused_ static void expect(void **state, const struct step *steps, const char *arguments,
			    int status, const char *out, const char *err)
{
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };
	struct bench *bench = *state;

	bench_start(bench, steps);
	outcome = client_run(bench, arguments);
	if (outcome.status != status)
		print_error("stderr: %s\n", outcome.err);
	assert_int_equal(outcome.status, status);
	assert_string_equal(outcome.out, out);
	if (err)
		assert_contains(outcome.err, err);
	else
		assert_string_equal(outcome.err, "");
	bench_finish(bench);
}

#define BENCH_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
