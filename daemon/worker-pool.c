/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker-pool.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/spawn.h"
#include "protocol/base/strings.h"

#define STOP_GRACE_USEC (3 * USEC_PER_SEC) /* the daemon itself has to end within five seconds */

struct worker {
	struct worker_pool *pool;
	struct worker *next;
	const struct worker_handler *handler;
	void *userdata;
	pid_t pid;
	int fd;
	sd_event_source *messages, *exit, *deadline;
	bool resting; /* identified and without a job: silence is what is expected */
	bool has_job;
	bool stopping, killed;
	bool has_outcome;
	struct failure outcome;
	struct worker_done result;
};

struct worker_pool {
	sd_event *event;
	char *program;
	uint64_t silence_usec;
	struct worker *workers;
	size_t count;
};

int worker_pool_new(sd_event *event, const char *program, struct worker_pool **ret)
{
	struct worker_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->program = strdup(program);
	if (!pool->program) {
		free(pool);
		return -ENOMEM;
	}
	pool->event = sd_event_ref(event);
	pool->silence_usec = WORKER_SILENCE_USEC;
	*ret = pool;
	return 0;
}

void worker_pool_set_silence_limit(struct worker_pool *pool, uint64_t usec)
{
	pool->silence_usec = usec;
}

static void worker_free(struct worker *worker)
{
	struct worker_pool *pool = worker->pool;

	for (struct worker **link = &pool->workers; *link; link = &(*link)->next)
		if (*link == worker) {
			*link = worker->next;
			pool->count--;
			break;
		}
	sd_event_source_disable_unref(worker->messages);
	sd_event_source_disable_unref(worker->deadline);
	sd_event_source_disable_unref(worker->exit);
	fd_close(worker->fd);
	failure_clear(&worker->outcome);
	worker_done_clear(&worker->result);
	free(worker);
}
DEFINE_CLEANUP(struct worker *, worker_free);

void worker_pool_free(struct worker_pool *pool)
{
	if (!pool)
		return;
	while (pool->workers)
		worker_free(pool->workers);
	sd_event_unref(pool->event);
	free(pool->program);
	free(pool);
}

size_t worker_pool_count(const struct worker_pool *pool)
{
	return pool->count;
}

/* The child gets the socket as its descriptor 3, and nothing else of ours. */
static int start_program(const char *program, int socket, pid_t *ret)
{
	char *const arguments[] = { (char *)program, NULL };

	return spawn(&(struct spawn){ .program = program,
				      .arguments = arguments,
				      .fds = { { socket, WORKER_FD } },
				      .n_fds = 1 },
		     ret);
}

static void worker_touch(struct worker *worker, uint64_t usec)
{
	if (worker->resting && !worker->stopping) {
		(void)sd_event_source_set_enabled(worker->deadline, SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time_relative(worker->deadline, usec);
	(void)sd_event_source_set_enabled(worker->deadline, SD_EVENT_ONESHOT);
}

static void worker_kill(struct worker *worker)
{
	worker->killed = true;
	if (worker->exit)
		(void)sd_event_source_send_child_signal(worker->exit, SIGKILL, NULL, 0);
}

static int on_deadline(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	worker_kill(userdata);
	return 0;
}

static void take_message(struct worker *worker, struct worker_message *message)
{
	switch (message->type) {
	case WORKER_IDENTITY:
		worker->resting = !worker->has_job;
		worker_touch(worker, worker->pool->silence_usec);
		if (worker->handler->identified)
			worker->handler->identified(worker, &message->identity, worker->userdata);
		break;
	case WORKER_PROGRESS:
		worker_touch(worker, worker->pool->silence_usec);
		if (worker->handler->progressed)
			worker->handler->progressed(worker, &message->progress, worker->userdata);
		break;
	case WORKER_DONE:
		worker->has_outcome = true;
		worker_done_clear(&worker->result);
		worker->result = message->done;
		message->done = (struct worker_done){ 0 };
		break;
	case WORKER_FAILED:
		worker->has_outcome = true;
		failure_clear(&worker->outcome);
		worker->outcome = message->failure;
		message->failure = (struct failure){ 0 };
		break;
	default: /* a worker that talks like a daemon is broken */
		worker_kill(worker);
		break;
	}
	worker_message_clear(message);
}

/* 1 when there may be more, 0 at the end of what there is. */
static int receive_one(struct worker *worker)
{
	struct worker_message message;
	int passed = -1, r;

	r = worker_message_receive(worker->fd, &message, &passed);
	fd_close(passed);
	if (r > 0) {
		take_message(worker, &message);
		return 1;
	}
	if (r != -EAGAIN)
		(void)sd_event_source_set_enabled(worker->messages, SD_EVENT_OFF);
	if (r == -EBADMSG)
		worker_kill(worker);
	return 0;
}

static int on_message(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
		      void *userdata)
{
	/* One at a time: a handler may end the worker's reason to live. */
	(void)receive_one(userdata);
	return 0;
}

/* Words for a process that ended without saying why. */
static void describe_exit(struct worker *worker, const siginfo_t *info)
{
	static const char hint[] = "look at the daemon's log; please report it if it happens again";

	if (worker->has_outcome)
		return;
	if (worker->killed && worker->stopping)
		(void)failure_set(&worker->outcome, FAILURE_CANCELLED, NULL,
				  "the worker did not stop in time and was killed");
	else if (worker->stopping)
		(void)failure_set(&worker->outcome, FAILURE_CANCELLED, NULL, "stopped");
	else if (worker->killed)
		(void)failure_set(
			&worker->outcome, FAILURE_WORKER_CRASHED, hint,
			"worker %d broke its protocol or gave no sign of life, and was killed",
			worker->pid);
	else if (info->si_code == CLD_EXITED)
		(void)failure_set(&worker->outcome, FAILURE_WORKER_CRASHED, hint,
				  "worker %d ended with status %d and no word of why", worker->pid,
				  info->si_status);
	else
		(void)failure_set(&worker->outcome, FAILURE_WORKER_CRASHED, hint,
				  "worker %d was killed by signal %d (%s)", worker->pid,
				  info->si_status, sigdescr_np(info->si_status) ?: "unknown");
}

static int on_exit_of_child(_unused_ sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct worker *worker = userdata;

	while (receive_one(worker) > 0)
		;
	sd_event_source_disable_unref(TAKE_PTR(worker->exit));
	describe_exit(worker, info);
	worker->handler->ended(worker, &worker->outcome, worker->userdata);
	worker_free(worker);
	return 0;
}

static int attach_sources(struct worker *worker, int pidfd)
{
	sd_event *event = worker->pool->event;
	int r;

	r = sd_event_add_child_pidfd(event, &worker->exit, pidfd, WEXITED, on_exit_of_child,
				     worker);
	if (r < 0) {
		fd_close(pidfd);
		return r;
	}
	(void)sd_event_source_set_child_pidfd_own(worker->exit, true);
	/* Asked again where a debugger still holds the process that has ended. */
	(void)sd_event_source_set_enabled(worker->exit, SD_EVENT_ON);
	/* Freeing the source while the process lives kills and reaps it. */
	(void)sd_event_source_set_child_process_own(worker->exit, true);
	/* Behind the worker's messages, so that its last word is read before its end is. */
	(void)sd_event_source_set_priority(worker->exit, SD_EVENT_PRIORITY_NORMAL + 1);
	r = sd_event_add_io(event, &worker->messages, worker->fd, EPOLLIN, on_message, worker);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(event, &worker->deadline, CLOCK_MONOTONIC,
				       worker->pool->silence_usec, USEC_PER_MSEC * 100, on_deadline,
				       worker);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(worker->exit, "worker-exit");
	(void)sd_event_source_set_description(worker->messages, "worker-messages");
	(void)sd_event_source_set_description(worker->deadline, "worker-deadline");
	return 0;
}

/* The pidfd of a child that was just started; the child dies if it cannot be had. */
static int watch_child(pid_t pid)
{
	int pidfd = pidfd_open(pid, 0);

	if (pidfd < 0) {
		int r = -errno;

		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	return pidfd;
}

static int worker_start(struct worker_pool *pool, const struct worker_handler *handler,
			void *userdata, struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int sockets[2], r, pidfd;

	if (!worker)
		return -ENOMEM;
	*worker =
		(struct worker){ .pool = pool, .handler = handler, .userdata = userdata, .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
		r = -errno;
		free(worker);
		return r;
	}
	worker->fd = sockets[0];
	worker->next = pool->workers;
	pool->workers = worker;
	pool->count++;
	r = start_program(pool->program, sockets[1], &worker->pid);
	fd_close(sockets[1]);
	if (r >= 0)
		r = fd_set_nonblock(worker->fd, 1);
	pidfd = r >= 0 ? watch_child(worker->pid) : r;
	r = pidfd < 0 ? pidfd : attach_sources(worker, pidfd);
	if (r < 0) {
		worker_free(worker);
		return r;
	}
	*ret = worker;
	return 0;
}

/* Sends the first message to a new worker, or takes it back. */
static int start_with(struct worker_pool *pool, const struct worker_message *message,
		      const struct worker_files *files, const struct worker_handler *handler,
		      void *userdata, struct worker **ret)
{
	_cleanup_(worker_freep) struct worker *worker = NULL;
	int r;

	r = worker_start(pool, handler, userdata, &worker);
	if (!worker)
		return r;
	r = worker_message_send_files(worker->fd, message, files);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(worker);
	return 0;
}

int worker_pool_open(struct worker_pool *pool, const struct worker_open *open,
		     const struct worker_files *files, const struct worker_handler *handler,
		     void *userdata, struct worker **ret)
{
	struct worker_message message = { .type = WORKER_OPEN, .open = *open };

	return start_with(pool, &message, files, handler, userdata, ret);
}

int worker_pool_check(struct worker_pool *pool, const struct worker_check *check,
		      const struct worker_files *files, const struct worker_handler *handler,
		      void *userdata, struct worker **ret)
{
	struct worker_message message = { .type = WORKER_CHECK, .check = *check };

	return start_with(pool, &message, files, handler, userdata, ret);
}

const struct worker_done *worker_result(const struct worker *worker)
{
	return &worker->result;
}

int worker_read(struct worker *worker, const struct worker_read *read,
		const struct worker_files *files)
{
	struct worker_message message = { .type = WORKER_READ, .read = *read };
	int r;

	r = worker_message_send_files(worker->fd, &message, files);
	if (r < 0)
		return r;
	worker->has_job = true;
	worker->resting = false;
	worker_touch(worker, worker->pool->silence_usec);
	return 0;
}

void worker_stop(struct worker *worker)
{
	struct worker_message message = { .type = WORKER_STOP };

	if (worker->stopping)
		return;
	worker->stopping = true;
	/* Where the message cannot be sent, the deadline ends the worker all the same. */
	if (worker_message_send(worker->fd, &message, -1) < 0)
		(void)shutdown(worker->fd, SHUT_WR);
	worker_touch(worker, STOP_GRACE_USEC);
}

bool worker_is_stopping(const struct worker *worker)
{
	return worker->stopping;
}
