/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define ARGUMENTS_MAX 24
#define AWAIT_SECONDS 30

_noreturn_ static void become_client(const struct talk *talk, int in, const char *const *arguments)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbctl", getenv("MTKRB_BIN_DIR"));

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!path || dup2(in, STDIN_FILENO) < 0 || dup2(talk->out, STDOUT_FILENO) < 0 ||
	    dup2(talk->err, STDERR_FILENO) < 0)
		_exit(127);
	execv(path, (char *const *)arguments);
	_exit(127);
}

void talk_begin(struct talk *talk, const struct rig *rig, ...)
{
	const char *arguments[ARGUMENTS_MAX] = { "mtkrbctl", "--socket", rig->socket };
	size_t n = 3;
	int in[2];
	va_list ap;

	va_start(ap, rig);
	while ((arguments[n] = va_arg(ap, const char *)))
		assert_true(++n < ARGUMENTS_MAX);
	va_end(ap);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	*talk = (struct talk){ .in = in[1],
			       .out = memfd_create("out", MFD_CLOEXEC),
			       .err = memfd_create("err", MFD_CLOEXEC) };
	assert_true(talk->out >= 0 && talk->err >= 0);
	talk->pid = fork();
	assert_true(talk->pid >= 0);
	if (talk->pid == 0)
		become_client(talk, in[0], arguments);
	fd_close(in[0]);
}

void talk_say(const struct talk *talk, const char *text)
{
	assert_int_equal(fd_write_all(talk->in, text, strlen(text)), 0);
}

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

static void await(const struct talk *talk, int fd, const char *text)
{
	for (int i = 0; i < AWAIT_SECONDS * 100; i++) {
		_cleanup_free_ char *now = content(fd);

		if (strstr(now, text))
			return;
		sleep_ms(10);
	}
	print_error("it said:\n%s%s", content(talk->out), content(talk->err));
	fail_msg("it never said: %s", text);
}

void talk_await(const struct talk *talk, const char *text)
{
	await(talk, talk->out, text);
}

void talk_await_error(const struct talk *talk, const char *text)
{
	await(talk, talk->err, text);
}

struct output talk_end(struct talk *talk)
{
	struct output output;
	int status;

	talk->in = fd_close(talk->in);
	while (waitpid(talk->pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	output.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	output.out = content(talk->out);
	output.err = content(talk->err);
	talk->out = fd_close(talk->out);
	talk->err = fd_close(talk->err);
	return output;
}
