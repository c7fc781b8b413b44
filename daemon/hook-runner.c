/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/hook-runner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/spawn.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/frame.h"
#include "protocol/control/limits.h"

/* mtkrbd-hook ends a program by itself when its time is over; it may take this much longer. */
#define SILENCE_GRACE_USEC (15 * USEC_PER_SEC)

struct hook_run {
	struct hook_runner *runner;
	struct hook_run *next;
	struct hooks_wanted wanted;
	struct frame *frame;
	sd_event_source *io, *deadline;
	uint64_t silence_usec; /* that is borne between two messages */
	struct hook_result *results;
	size_t n;
};

struct hook_runner {
	sd_event *event;
	char *program, *socket;
	hooks_ended ended;
	void *userdata;
	struct hook_run *runs;
	size_t count;
};

int hook_runner_new(sd_event *event, const struct hook_runner_options *options, hooks_ended ended,
		    void *userdata, struct hook_runner **ret)
{
	_cleanup_(hook_runner_freep) struct hook_runner *runner = calloc(1, sizeof(*runner));

	if (!runner)
		return -ENOMEM;
	runner->event = sd_event_ref(event);
	runner->ended = ended;
	runner->userdata = userdata;
	runner->program = strdup(options->program);
	runner->socket = strdup(options->socket);
	if (!runner->program || !runner->socket)
		return -ENOMEM;
	*ret = TAKE_PTR(runner);
	return 0;
}

static void hook_run_free(struct hook_run *run)
{
	struct hook_runner *runner = run->runner;

	for (struct hook_run **link = &runner->runs; *link; link = &(*link)->next)
		if (*link == run) {
			*link = run->next;
			runner->count--;
			break;
		}
	sd_event_source_disable_unref(run->io);
	sd_event_source_disable_unref(run->deadline);
	/* The closed socket makes mtkrbd-hook kill what it runs, and end. */
	frame_free(run->frame);
	hook_results_free(run->results, run->n);
	free(run);
}
DEFINE_CLEANUP(struct hook_run *, hook_run_free);

void hook_runner_free(struct hook_runner *runner)
{
	if (!runner)
		return;
	while (runner->runs)
		hook_run_free(runner->runs);
	sd_event_unref(runner->event);
	free(runner->program);
	free(runner->socket);
	free(runner);
}

size_t hook_runner_count(const struct hook_runner *runner)
{
	return runner->count;
}

bool hook_runner_has(const struct hook_runner *runner, int64_t job)
{
	for (const struct hook_run *run = runner->runs; run; run = run->next)
		if (run->wanted.job == job)
			return true;
	return false;
}

/* ---- what comes back ---- */

static void hook_run_end(struct hook_run *run)
{
	struct hook_runner *runner = run->runner;
	struct hook_result *results = TAKE_PTR(run->results);
	size_t n = run->n;
	struct hooks_wanted wanted = run->wanted;

	run->n = 0;
	hook_run_free(run);
	runner->ended(&wanted, results, n, runner->userdata);
}

/* It ended without an end: what is known is kept, and that more is not. */
static void hook_run_break(struct hook_run *run, const char *why)
{
	struct hook_result result = { .name = strdup("mtkrbd-hook"),
				      .outcome = HOOK_BROKEN,
				      .message = strdup(why) };

	if (result.name && result.message)
		(void)!hook_results_add(&run->results, &run->n, &result);
	hook_result_clear(&result);
	hook_run_end(run);
}

/* 1 to go on, 0 at the end, negative when it makes no sense. */
static int take_message(struct hook_run *run, const char *text, size_t size)
{
	struct hook_result result = { 0 };
	int r = hook_reply_from_text(text, size, &result);

	if (r <= 0)
		return r;
	r = hook_results_add(&run->results, &run->n, &result);
	return r < 0 ? r : 1;
}

static int take_messages(struct hook_run *run)
{
	char *text;
	size_t size;
	int r;

	for (;;) {
		r = frame_next(run->frame, &text, &size);
		if (r > 0)
			r = take_message(run, text, size);
		else if (r == 0)
			r = frame_fill(run->frame) ?: -ECONNRESET;
		if (r <= 0)
			return r;
		(void)sd_event_source_set_time_relative(run->deadline, run->silence_usec);
	}
}

static int on_io(sd_event_source *source, _unused_ int fd, uint32_t events, void *userdata)
{
	struct hook_run *run = userdata;
	int r = 0;

	if (events & EPOLLOUT) {
		r = frame_flush(run->frame);
		if (r == 0)
			r = sd_event_source_set_io_events(source, EPOLLIN);
	}
	if (r >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		r = take_messages(run);
		if (r == 0) {
			hook_run_end(run);
			return 0;
		}
	}
	if (r == -EAGAIN || r >= 0)
		return 0;
	hook_run_break(run, r == -ECONNRESET || r == -EPIPE ? "it ended without a word of why"
							    : "it breaks its protocol");
	return 0;
}

static int on_deadline(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	hook_run_break(userdata, "it gave no sign of life, and was given up");
	return 0;
}

/* ---- who runs them ---- */

/* Who put the socket there is who will see the jobs. */
static int check_peer(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	return peer.uid == 0 || peer.uid == geteuid() ? 0 : -EPERM;
}

/* A connection to the service; -ENOENT or -ECONNREFUSED when there is none. */
static int connect_service(const struct hook_runner *runner)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	int r;

	if (strlen(runner->socket) >= sizeof(address.sun_path))
		return -ENOENT;
	memcpy(address.sun_path, runner->socket, strlen(runner->socket) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	r = check_peer(fd);
	return r < 0 ? r : TAKE_FD(fd);
}

static int start_program(const char *program, const char *directory, int socket, pid_t *ret)
{
	_cleanup_free_ char *option = str_format("--directory=%s", directory);
	char *const arguments[] = { (char *)program, option, NULL };

	if (!option)
		return -ENOMEM;
	return spawn(&(struct spawn){ .program = program,
				      .arguments = arguments,
				      .fds = { { socket, STDIN_FILENO } },
				      .n_fds = 1 },
		     ret);
}

/* Until here the loop owned the source; with this it is freed. */
static int on_child(sd_event_source *source, _unused_ const siginfo_t *info,
		    _unused_ void *userdata)
{
	return sd_event_source_set_floating(source, false);
}

/* The child's end is seen on its socket, maybe before it is gone: this only reaps it. */
static int reap_later(sd_event *event, pid_t pid)
{
	sd_event_source *source;
	int r = sd_event_add_child(event, &source, pid, WEXITED, on_child, NULL);

	if (r < 0)
		return r;
	(void)sd_event_source_set_description(source, "hook-child");
	r = sd_event_source_set_floating(source, true);
	sd_event_source_unref(source);
	return r;
}

/* A child of our own, at the other end of a socketpair. */
static int start_child(const struct hook_runner *runner, const char *directory)
{
	_cleanup_close_ int ours = -1;
	int sockets[2], r;
	pid_t pid = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return -errno;
	ours = sockets[0];
	r = start_program(runner->program, directory, sockets[1], &pid);
	fd_close(sockets[1]);
	if (r >= 0)
		r = reap_later(runner->event, pid);
	if (r >= 0)
		r = fd_set_nonblock(ours, 1);
	return r < 0 ? r : TAKE_FD(ours);
}

static int hook_run_connect(struct hook_run *run, const struct hook_call *call,
			    const char *directory)
{
	_cleanup_free_ char *text = NULL;
	int r = hook_call_to_text(call, &text), fd;

	if (r < 0)
		return r;
	fd = connect_service(run->runner);
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		fd = start_child(run->runner, directory);
	if (fd < 0)
		return fd;
	r = frame_new(fd, LIMIT_HOOK_CALL_BYTES, LIMIT_HOOK_CALL_BYTES, &run->frame);
	return r < 0 ? r : frame_put(run->frame, text, strlen(text));
}

int hook_runner_start(struct hook_runner *runner, const struct hooks_wanted *wanted,
		      const struct hook_call *call, const char *directory)
{
	_cleanup_(hook_run_freep) struct hook_run *run = calloc(1, sizeof(*run));
	int r;

	if (!run)
		return -ENOMEM;
	*run = (struct hook_run){
		.runner = runner,
		.next = runner->runs,
		.wanted = *wanted,
		.silence_usec =
			(uint64_t)(call->timeout * (double)USEC_PER_SEC) + SILENCE_GRACE_USEC,
	};
	runner->runs = run;
	runner->count++;
	r = hook_run_connect(run, call, directory);
	if (r >= 0)
		r = sd_event_add_io(runner->event, &run->io, frame_fd(run->frame),
				    EPOLLIN | EPOLLOUT, on_io, run);
	if (r >= 0)
		r = sd_event_add_time_relative(runner->event, &run->deadline, CLOCK_MONOTONIC,
					       run->silence_usec, USEC_PER_SEC, on_deadline, run);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(run->io, "hook-io");
	(void)sd_event_source_set_description(run->deadline, "hook-deadline");
	run = NULL;
	return 0;
}
