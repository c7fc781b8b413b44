/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/calls/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define EXIT_SSH        255 /* ssh(1): an error of its own */
#define EXIT_NO_COMMAND 127 /* sh: there is no such program */

/* What no shell makes anything else of. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:"

const char *ssh_host(const char *address)
{
	return strafter(address, SSH_ADDRESS);
}

/* What ssh would take for an option, or a terminal for a command, is no host. */
static bool is_host(const char *s)
{
	if (!*s || *s == '-')
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == '\177')
			return false;
	return true;
}

/* ssh begins as if a shell had started it, whatever signals we block or ignore. */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, defaults;
	int r;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGINT);
	r = posix_spawnattr_setsigmask(attributes, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attributes, &defaults);
	if (r == 0)
		r = posix_spawnattr_setflags(attributes,
					     POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return -r;
}

/* fd becomes its stdin and stdout; -1: they are ours. */
static int spawn(const char *program, const char *host, const char *command, int fd, pid_t *ret)
{
	const char *const argv[] = { program, "-xT", "--", host, command, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	if (posix_spawnattr_init(&attributes) != 0)
		return -ENOMEM;
	if (posix_spawn_file_actions_init(&actions) != 0) {
		(void)posix_spawnattr_destroy(&attributes);
		return -ENOMEM;
	}
	r = set_signals(&attributes);
	if (r == 0 && fd >= 0)
		r = -posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	if (r == 0 && fd >= 0)
		r = -posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	if (r == 0)
		r = -posix_spawnp(ret, program, &actions, &attributes, (char *const *)argv,
				  environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	return r;
}

static int start(const char *host, const char *command, int fd, pid_t *ret,
		 struct complaint *complaint)
{
	const char *program = getenv("MTKRB_SSH");
	int r;

	if (!program || !*program)
		program = "ssh";
	if (!is_host(host))
		return complaint_set(complaint, STATUS_USAGE, "as in -H anna@bench",
				     "not a host: '%s'", host);
	r = spawn(program, host, command, fd, ret);
	if (r < 0)
		return complaint_set(complaint, STATUS_NO_DAEMON,
				     "install openssh-client, or name another with MTKRB_SSH",
				     "%s: cannot start %s: %s", host, program, strerror(-r));
	return 0;
}

/* A word for the shell there; one that it might not take as it is stands in quotes. */
static char *quote(const char *word)
{
	char *quoted, *end;

	if (*word && !word[strspn(word, PLAIN)])
		return strdup(word);
	quoted = malloc(4 * strlen(word) + 3);
	if (!quoted)
		return NULL;
	end = stpcpy(quoted, "'");
	for (; *word; word++)
		if (*word == '\'')
			end = stpcpy(end, "'\\''");
		else
			*end++ = *word;
	*end++ = '\'';
	*end = '\0';
	return quoted;
}

/* The line for the shell there; NULL: no memory. */
static char *command_of(const char *const *argv)
{
	char *command = strdup("");

	for (; command && *argv; argv++) {
		_cleanup_free_ char *before = command, *word = quote(*argv);

		command = word ? str_format("%s%s%s", before, *before ? " " : "", word) : NULL;
	}
	return command;
}

int ssh_start(const char *host, const char *const *argv, pid_t *ret_pid, int *ret_fd,
	      struct complaint *complaint)
{
	_cleanup_free_ char *command = command_of(argv);
	_cleanup_close_ int ours = -1, its = -1;
	int fds[2], r;

	if (!command)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return complaint_set(complaint, STATUS_NO_DAEMON, NULL, "%s: no socket for ssh: %s",
				     host, strerror(errno));
	ours = fds[0];
	its = fds[1];
	r = start(host, command, its, ret_pid, complaint);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(ours);
	return 0;
}

/* Its exit status, as a shell would have it. */
static int await_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_SSH;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int complain(struct complaint *complaint, const char *host, int status)
{
	switch (status) {
	case EXIT_SSH:
		complaint_set(complaint, STATUS_NO_DAEMON, NULL, "no connection to %s", host);
		complaint_hint(complaint, "what ssh says stands above; try 'ssh %s true'", host);
		return -ECANCELED;
	case EXIT_NO_COMMAND:
		return complaint_set(complaint, STATUS_NO_DAEMON, "install mtkrbctl there too",
				     "there is no mtkrbctl on %s", host);
	case STATUS_USAGE:
		return complaint_set(complaint, STATUS_NO_DAEMON, "install a newer one there",
				     "the mtkrbctl on %s cannot be reached over ssh", host);
	case STATUS_NO_DAEMON:
	case STATUS_NOT_PERMITTED:
		return complaint_set(complaint, (enum exit_status)status, NULL,
				     "no daemon on %s: it says why above", host);
	default:
		complaint_set(complaint, STATUS_NO_DAEMON, NULL,
			      "the connection to the daemon on %s ended (status %d)", host, status);
		complaint_hint(complaint,
			       "the daemon's log may tell why: ssh %s journalctl -u mtkrbd", host);
		return -ECANCELED;
	}
}

int ssh_failed(pid_t pid, const char *host, struct complaint *complaint)
{
	return complain(complaint, host, await_end(pid));
}

void ssh_stop(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	(void)await_end(pid);
}

int ssh_wait(pid_t pid, const char *host, struct complaint *complaint)
{
	int status = await_end(pid);

	if (status == EXIT_SSH || status == EXIT_NO_COMMAND)
		return complain(complaint, host, status);
	return status;
}

int ssh_run(const char *host, const char *const *argv, struct complaint *complaint)
{
	_cleanup_free_ char *command = command_of(argv);
	pid_t pid = -1;
	int r = command ? start(host, command, -1, &pid, complaint) : -ENOMEM;

	return r < 0 ? r : ssh_wait(pid, host, complaint);
}
