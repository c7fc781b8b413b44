/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * mtkrbd-worker: one port, one watch, one job. The daemon starts it with a socketpair as descriptor
 * 3 and tells it over that what to do (worker-message.h). Exit status 0 done, 1 failed.
 */

#include <errno.h>
#include <linux/ioprio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/worker/archive-check.h"
#include "daemon/worker/backup-job.h"
#include "daemon/worker/link.h"
#include "daemon/worker/sandbox.h"
#include "daemon/worker/session.h"
#include "daemon/worker/twin.h"
#include "protocol/base/fd.h"
#include "protocol/base/time.h"

#define LOOK_INTERVAL (1 * USEC_PER_SEC)

/* The daemon may have died between fork and prctl; then nobody is left to send the signal. */
static int die_with_parent(void)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return parent == 1 || getppid() != parent ? -ESRCH : 0;
}

static int set_up(void)
{
	int type;
	socklen_t size = sizeof(type);
	int r = die_with_parent();

	if (r < 0)
		return r;
	if (getsockopt(WORKER_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	if (type != SOCK_SEQPACKET)
		return -EPROTOTYPE;
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	umask(027);
	return fd_set_nonblock(WORKER_FD, 1);
}

/* Tells the daemon how it ended, with done if well; the exit status. */
static int finish_with(int r, const struct worker_done *done, struct failure *failure)
{
	struct worker_message message = { .type = WORKER_DONE, .done = *done };

	if (r < 0) {
		if (failure->code == FAILURE_NONE)
			failure_set(failure, FAILURE_PROTOCOL_ERROR, NULL, "the worker failed: %s",
				    strerror(-r));
		message.type = WORKER_FAILED;
		message.failure = *failure;
	}
	/* Without a daemon there is nobody to tell, but what was read is saved. */
	if (link_send(WORKER_FD, &message) < 0)
		r = MIN_OF(r, -EPIPE);
	failure_clear(failure);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int finish(int r, struct failure *failure)
{
	return finish_with(r, &(struct worker_done){ 0 }, failure);
}

/* Our wait was ended by the daemon: 0 when it said stop, -EPIPE when it is gone. */
static int receive_stop(void)
{
	struct worker_message message;
	int passed = -1, r = link_receive(WORKER_FD, &message, &passed);

	if (r <= 0)
		return -EPIPE;
	fd_close(passed);
	r = message.type == WORKER_STOP ? 0 : -EBADMSG;
	worker_message_clear(&message);
	return r;
}

/* Like finish, for something the daemon may have ended. */
static int finish_device(int r, struct failure *failure)
{
	if (r == -ECANCELED) {
		int stopped = receive_stop();

		if (stopped == -EPIPE)
			return EXIT_FAILURE;
		failure_set(failure, stopped < 0 ? FAILURE_PROTOCOL_ERROR : FAILURE_CANCELLED, NULL,
			    stopped < 0 ? "the daemon sent something unexpected"
					: "stopped on request");
	}
	return finish(r, failure);
}

static struct sandbox_paths paths_of(const struct worker_files *files, bool writable)
{
	return (struct sandbox_paths){
		.directory = files->fds[WORKER_FILE_DIRECTORY],
		.writable = writable,
		.agents = files->fds[WORKER_FILE_AGENTS],
		.twin = files->fds[WORKER_FILE_TWIN],
	};
}

/* Nothing that is not ours is read before this. */
static int shut_cage(const struct worker_files *files, bool writable, struct failure *failure)
{
	const struct sandbox_paths paths = paths_of(files, writable);
	unsigned int missing;
	int r = sandbox_enter(&paths, &missing);

	if (r < 0)
		failure_set(failure, FAILURE_PROTOCOL_ERROR, NULL,
			    "the worker cannot shut itself in: %s", strerror(-r));
	else if (missing)
		fprintf(stderr, "mtkrbd-worker: works without the protection of %s\n",
			sandbox_describe(missing));
	return r;
}

/* The daemon may have been given a priority above others', so that it answers: that is not for us. */
static void step_aside(void)
{
	(void)setpriority(PRIO_PROCESS, 0, 0);
}

/* Behind all who are in a hurry; where that is not allowed, it is only less polite. */
static void step_back(void)
{
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

static int run_check(const struct worker_check *check, const struct worker_files *files)
{
	const int dir = files->fds[WORKER_FILE_DIRECTORY];
	struct twin twin = { .dir = files->fds[WORKER_FILE_TWIN] };
	struct failure failure = { 0 };
	int r = -EBADF;

	if (check->again)
		step_back();
	else
		step_aside();
	if (dir >= 0)
		r = shut_cage(files, false, &failure);
	if (r >= 0)
		r = archive_check(dir, check->again, &twin, &failure);
	r = finish_with(r, &twin.same, &failure);
	worker_done_clear(&twin.same);
	return r;
}

static int send_identity(struct session *session)
{
	const char *mode = session->identity.mode == BROM_MODE_BROM ? "brom" : "preloader";
	_cleanup_free_ char *copy = strdup(mode);
	/* Everything in the message is borrowed, so it is not cleared. */
	struct worker_message message = {
		.type = WORKER_IDENTITY,
		.identity = {
			.chip = session->chip,
			.meid = (char *)session_meid(session),
			.mode = copy,
			.hw_code = session->identity.hw_code,
		},
	};

	return copy ? link_send(WORKER_FD, &message) : -ENOMEM;
}

/* Until the daemon has something to say, the watch is looked at now and then: it may leave. */
static int wait_for_word(struct session *session, struct failure *failure)
{
	int r;

	while ((r = link_wait(WORKER_FD, LOOK_INTERVAL)) == 0) {
		r = session_look(session, failure);
		if (r < 0)
			break;
	}
	return r;
}

/* Of all jobs' files only those of this one stay in reach. */
static int run_job(struct session *session, const char *device, const struct worker_read *read,
		   struct worker_files *files, struct failure *failure)
{
	const struct sandbox_paths paths = paths_of(files, true);
	int r = sandbox_narrow(&paths);

	return r < 0 ? r : backup_job_run(WORKER_FD, session, device, read, files, failure);
}

/* The watch is known; now the daemon says what to read, or that nothing is wanted. */
static int run_read(struct session *session, const char *device)
{
	struct failure failure = { 0 };
	struct worker_message message;
	struct worker_files files = WORKER_FILES_NONE;
	int r = wait_for_word(session, &failure);

	if (r >= 0)
		r = link_receive_files(WORKER_FD, &message, &files);
	if (r == 0)
		return EXIT_SUCCESS;
	if (r < 0)
		return finish(r, &failure);
	if (message.type == WORKER_STOP && files.fds[WORKER_FILE_DIRECTORY] < 0)
		return EXIT_SUCCESS;
	if (message.type == WORKER_READ && files.fds[WORKER_FILE_DIRECTORY] >= 0) {
		r = run_job(session, device, &message.read, &files, &failure);
		r = finish_device(r, &failure);
	} else {
		r = finish(-EBADMSG, &failure);
	}
	worker_files_close(&files);
	worker_message_clear(&message);
	return r;
}

static int run_port(const struct worker_open *open, const struct worker_files *files)
{
	struct failure failure = { 0 };
	struct session session = { 0 };
	int r;

	link_send_phase(WORKER_FD, PHASE_HANDSHAKE, 0, 0);
	step_aside();
	r = session_open(&session, open, WORKER_FD, &failure);
	if (r >= 0)
		r = shut_cage(files, true, &failure);
	if (r >= 0)
		r = session_greet(&session, open, &failure);
	if (r >= 0)
		r = send_identity(&session);
	r = r < 0 ? finish_device(r, &failure) : run_read(&session, open->device);
	session_close(&session);
	return r;
}

int main(void)
{
	struct failure failure = { 0 };
	struct worker_message message;
	struct worker_files files = WORKER_FILES_NONE;
	int r = set_up();

	if (r < 0) {
		fprintf(stderr, "mtkrbd-worker: only mtkrbd starts it: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	r = link_receive_files(WORKER_FD, &message, &files);
	if (r == 0)
		return EXIT_SUCCESS;
	if (r < 0)
		return finish(r, &failure);
	switch (message.type) {
	case WORKER_OPEN:
		r = run_port(&message.open, &files);
		break;
	case WORKER_CHECK:
		r = run_check(&message.check, &files);
		break;
	case WORKER_STOP:
		r = EXIT_SUCCESS;
		break;
	default:
		r = finish(-EBADMSG, &failure);
		break;
	}
	worker_files_close(&files);
	worker_message_clear(&message);
	return r;
}
