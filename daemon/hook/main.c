/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * mtkrbd-hook: runs the programs in hooks.d after a job, one after the other, and tells how each of
 * them ended. The daemon is behind descriptor 0, which is a socket: of mtkrbd-hooks.socket, so that
 * the programs live in a service of their own, or inherited from a daemon that runs by hand.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/hook/hook-list.h"
#include "daemon/hook/hook-process.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/frame.h"
#include "protocol/control/hook.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define DEFAULT_DIRECTORY "/etc/mtkrbd/hooks.d"
#define PATIENCE_MS       10000 /* for the call to arrive whole, and for an answer to be taken */
#define DESCRIPTORS_MAX   1024

static const char help[] =
	"Usage: mtkrbd-hook [--directory=DIR]\n"
	"Runs the programs in DIR (default " DEFAULT_DIRECTORY ") after a job of mtkrbd.\n"
	"It is started by mtkrbd or by mtkrbd-hooks.socket, with the daemon on its stdin.\n";

/* ---- the daemon ---- */

static int await(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n = poll(&pfd, 1, PATIENCE_MS);

	return n == 1 ? 0 : -ETIMEDOUT;
}

static int receive_call(struct frame *daemon, struct hook_call *ret)
{
	char *text;
	size_t size;
	int r;

	while ((r = frame_next(daemon, &text, &size)) == 0) {
		r = await(frame_fd(daemon), POLLIN);
		if (r >= 0)
			r = frame_fill(daemon);
		if (r == 0)
			return -ECONNRESET;
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	return r < 0 ? r : hook_call_from_text(text, size, ret);
}

/* result NULL: the end. */
static int reply(struct frame *daemon, const struct hook_result *result)
{
	_cleanup_free_ char *text = NULL;
	int r = hook_reply_to_text(result, &text);

	if (r >= 0)
		r = frame_put(daemon, text, strlen(text));
	while (r >= 0 && frame_pending(daemon) > 0) {
		r = await(frame_fd(daemon), POLLOUT);
		if (r >= 0)
			r = frame_flush(daemon);
	}
	return r;
}

/* ---- the programs ---- */

struct environment {
	char *variables[LIMIT_HOOK_VARIABLES + 5]; /* with the NULL at the end */
	size_t n;
};

static void environment_clear(struct environment *environment)
{
	for (size_t i = 0; i < environment->n; i++)
		free(environment->variables[i]);
}

static int add_variable(const char *name, struct json_object *value, void *userdata)
{
	struct environment *environment = userdata;
	char *variable = str_format("%s=%s", name, message_string(value));

	if (!variable)
		return -ENOMEM;
	environment->variables[environment->n++] = variable;
	return 0;
}

static int add_plain(struct environment *environment, const char *name, const char *value)
{
	environment->variables[environment->n] = str_format("%s=%s", name, value);
	return environment->variables[environment->n] ? (environment->n++, 0) : -ENOMEM;
}

/* Nothing of ours but the home folder, which the service gives to the programs. */
static int make_environment(const struct hook_call *call, struct environment *environment)
{
	const char *home = getenv("HOME");
	int r = add_plain(environment, "PATH", "/usr/local/bin:/usr/bin:/bin");

	if (r >= 0)
		r = add_plain(environment, "LANG", "C.UTF-8");
	if (r >= 0)
		r = add_plain(environment, "HOME", home && *home ? home : "/");
	return r < 0 ? r : message_each(call->environment, add_variable, environment);
}

static int run_hook(const struct hook *hook, const struct hook_process *process,
		    struct hook_result *result)
{
	struct hook_process own = *process;

	result->name = strdup(hook->name);
	if (!result->name)
		return -ENOMEM;
	if (hook->refusal) {
		result->outcome = HOOK_REFUSED;
		result->message = strdup(hook->refusal);
		return result->message ? 0 : -ENOMEM;
	}
	own.path = hook->path;
	return hook_process_run(&own, result);
}

static int run_hooks(struct frame *daemon, const struct hook *hooks, size_t n,
		     const struct hook_process *process)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		struct hook_result result = { 0 };

		r = run_hook(&hooks[i], process, &result);
		if (r >= 0)
			r = reply(daemon, &result);
		hook_result_clear(&result);
	}
	return r < 0 ? r : reply(daemon, NULL);
}

static int serve(struct frame *daemon, const char *directory)
{
	_cleanup_(hook_call_clear) struct hook_call call = { 0 };
	_cleanup_(environment_clear) struct environment environment = { 0 };
	_cleanup_free_ char *input = NULL;
	struct hook_process process;
	struct hook *hooks = NULL;
	size_t n = 0;
	int r;

	r = receive_call(daemon, &call);
	if (r >= 0)
		r = make_environment(&call, &environment);
	if (r >= 0)
		r = message_to_text(call.input, &input);
	if (r >= 0)
		r = hook_list(directory, &hooks, &n);
	if (r < 0)
		return r;
	process = (struct hook_process){ .input = input,
					 .environment = environment.variables,
					 .timeout = call.timeout,
					 .watched = frame_fd(daemon) };
	r = run_hooks(daemon, hooks, n, &process);
	hook_list_free(hooks, n);
	return r;
}

/* ---- the program ---- */

/* What the programs inherit: no privileges to gain, no cores, no heap of descriptors. */
static int confine(void)
{
	const struct rlimit none = { 0, 0 }, descriptors = { DESCRIPTORS_MAX, DESCRIPTORS_MAX };

	(void)umask(027);
	(void)signal(SIGPIPE, SIG_IGN);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    (setrlimit(RLIMIT_NOFILE, &descriptors) < 0 && errno != EPERM) || chdir("/") < 0)
		return -errno;
	return 0;
}

/* 1 to go on, 0 when all is said, negative for usage. */
static int parse_arguments(int argc, char **argv, const char **ret_directory)
{
	static const struct option options[] = {
		{ "directory", required_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case 'd':
			*ret_directory = optarg;
			break;
		case 'v':
			printf("mtkrbd-hook %s\n", MTKRB_VERSION);
			return 0;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return -EINVAL;
		}
	return optind == argc ? 1 : -EINVAL;
}

static int open_daemon(struct frame **ret)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int r = fd < 0 ? -errno : fd_set_nonblock(fd, 1);

	if (r < 0) {
		fd_close(fd);
		return r;
	}
	return frame_new(fd, LIMIT_HOOK_CALL_BYTES, LIMIT_HOOK_CALL_BYTES, ret);
}

int main(int argc, char **argv)
{
	_cleanup_(frame_freep) struct frame *daemon = NULL;
	const char *directory = DEFAULT_DIRECTORY;
	int r;

	r = parse_arguments(argc, argv, &directory);
	if (r <= 0)
		return r < 0 ? EX_USAGE : EXIT_SUCCESS;
	r = confine();
	if (r >= 0)
		r = open_daemon(&daemon);
	if (r >= 0)
		r = serve(daemon, directory);
	if (r < 0)
		fprintf(stderr, "mtkrbd-hook: %s: %s\n", directory, strerrordesc_np(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
