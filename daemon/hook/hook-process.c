/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/hook/hook-process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/spawn.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define GRACE_USEC (2 * USEC_PER_SEC) /* between SIGTERM and SIGKILL */
#define READ_BYTES 4096
#define PIPE_READS (65536 / READ_BYTES) /* that empty a full pipe */

/* A program while it runs. */
struct run {
	pid_t pid;
	int pidfd;
	int errors; /* the reading end of its stderr */
	char line[LIMIT_HOOK_MESSAGE_BYTES + 1];
	size_t length;
	bool line_is_whole;
};

/* A file that holds the text, at its beginning: nobody has to feed a program that does not read. */
static int make_input(const char *text)
{
	_cleanup_close_ int fd = memfd_create("hook-input", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fd_write_all(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -EIO;
	return TAKE_FD(fd);
}

/* stdin: the input; stdout: our stderr; stderr: the pipe. Other descriptors close by themselves. */
static int start_program(const struct hook_process *process, int input, int errors, pid_t *ret)
{
	char *const arguments[] = { (char *)process->path, NULL };

	return spawn(&(struct spawn){ .program = process->path,
				      .arguments = arguments,
				      .environment = process->environment,
				      .fds = { { input, STDIN_FILENO },
					       { STDERR_FILENO, STDOUT_FILENO },
					       { errors, STDERR_FILENO } },
				      .n_fds = 3,
				      .leads_group = true },
		     ret);
}

static int start(const struct hook_process *process, struct run *run)
{
	_cleanup_close_ int input = make_input(process->input);
	int pipe_ends[2], r;

	if (input < 0)
		return input;
	if (pipe2(pipe_ends, O_CLOEXEC) < 0)
		return -errno;
	r = start_program(process, input, pipe_ends[1], &run->pid);
	fd_close(pipe_ends[1]);
	run->errors = pipe_ends[0];
	if (r < 0)
		return r;
	run->pidfd = pidfd_open(run->pid, 0);
	if (run->pidfd < 0)
		r = -errno;
	if (r >= 0)
		r = fd_set_nonblock(run->errors, 1);
	if (r < 0)
		(void)kill(-run->pid, SIGKILL);
	return r;
}

/* NUL is shown as what else is no text: it would end the line where strlen looks. */
static void keep_line(struct run *run, const char *data, size_t size)
{
	for (size_t i = 0; i < size && !run->line_is_whole; i++) {
		if (data[i] == '\n')
			run->line_is_whole = run->length > 0;
		else if (run->length < LIMIT_HOOK_MESSAGE_BYTES)
			run->line[run->length++] = data[i] ?: '?';
	}
}

/* Passes on what it complains about. False at the end of it, and when there is nothing now. */
static bool read_errors(struct run *run)
{
	char data[READ_BYTES];
	ssize_t n = read(run->errors, data, sizeof(data));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		run->errors = fd_close(run->errors);
		return false;
	}
	if (n < 0)
		return false;
	keep_line(run, data, (size_t)n);
	/* Where our own stderr takes nothing, the program does not suffer for it. */
	(void)!write(STDERR_FILENO, data, (size_t)n);
	return true;
}

static int remaining_ms(uint64_t deadline)
{
	uint64_t now = time_now();

	return deadline <= now ? 0 : (int)MIN_OF((deadline - now) / USEC_PER_MSEC + 1, 3600000U);
}

/* Until the program has ended: 0; its time is over: -ETIMEDOUT; nobody waits for it: -ECONNRESET. */
static int wait_until(struct run *run, int watched, uint64_t deadline)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = run->pidfd, .events = POLLIN },
			{ .fd = run->errors, .events = POLLIN },
			{ .fd = watched, .events = POLLRDHUP },
		};
		int n = poll(fds, ARRAY_SIZE(fds), remaining_ms(deadline));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && fds[1].revents)
			(void)read_errors(run);
		if (n > 0 && fds[0].revents)
			return 0;
		if (n > 0 && fds[2].revents)
			return -ECONNRESET;
		/* Also for one that complains without a pause. */
		if (time_now() >= deadline)
			return -ETIMEDOUT;
	}
}

/* Waits for the end, by force if need be; what wait_until said of the time the program had. */
static int wait_for_end(struct run *run, const struct hook_process *process)
{
	uint64_t deadline = time_now() + (uint64_t)(process->timeout * (double)USEC_PER_SEC);
	int r = wait_until(run, process->watched, deadline);

	if (r == -ETIMEDOUT) {
		(void)kill(-run->pid, SIGTERM);
		(void)wait_until(run, -1, time_now() + GRACE_USEC);
	}
	/* The leader is not reaped yet, so the group's number is still its own. */
	(void)kill(-run->pid, SIGKILL);
	return r;
}

static void set_outcome(struct hook_result *result, int waited, const siginfo_t *info)
{
	result->status = 0;
	if (waited == -ETIMEDOUT) {
		result->outcome = HOOK_TIMEOUT;
		return;
	}
	result->status = info->si_status;
	if (info->si_code != CLD_EXITED)
		result->outcome = HOOK_KILLED;
	else
		result->outcome = info->si_status == 0 ? HOOK_OK : HOOK_FAILED;
}

/* How much of the line is text: where it was cut, that may have been in the middle of a character. */
static size_t whole_characters(const struct run *run)
{
	const size_t most = run->length == LIMIT_HOOK_MESSAGE_BYTES ? 3 : 0;

	for (size_t cut = 0; cut <= most; cut++)
		if (is_utf8(run->line, run->length - cut))
			return run->length - cut;
	return run->length;
}

/* The line that was kept, for people. */
static int set_message(struct hook_result *result, const struct run *run)
{
	size_t n = whole_characters(run);

	if (n == 0)
		return 0;
	result->message = strndup(run->line, n);
	if (!result->message)
		return -ENOMEM;
	if (!is_utf8(result->message, n) || !text_is_clean(result->message))
		for (char *c = result->message; *c; c++)
			if (*c < ' ' || *c > '~')
				*c = '?';
	return 0;
}

static int set_broken(struct hook_result *result, int error)
{
	result->outcome = HOOK_BROKEN;
	result->message = strdup(strerrordesc_np(-error));
	return result->message ? 0 : -ENOMEM;
}

int hook_process_run(const struct hook_process *process, struct hook_result *result)
{
	struct run run = { .pid = -1, .pidfd = -1, .errors = -1 };
	uint64_t begun = time_now();
	siginfo_t info = { 0 };
	int r, waited = 0;

	r = start(process, &run);
	if (r >= 0)
		waited = wait_for_end(&run, process);
	if (run.pid > 0)
		(void)waitid(P_PID, (id_t)run.pid, &info, WEXITED);
	/* No more than was there: what it left behind may go on writing. */
	for (int i = 0; i < PIPE_READS && run.errors >= 0 && read_errors(&run); i++)
		;
	fd_close(run.errors);
	fd_close(run.pidfd);
	result->seconds = (double)(time_now() - begun) / (double)USEC_PER_SEC;
	if (r < 0)
		return set_broken(result, r);
	if (waited < 0 && waited != -ETIMEDOUT)
		return waited;
	set_outcome(result, waited, &info);
	return set_message(result, &run);
}
