/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long one client waits while others do their worst, beside an echo that has nothing else to do. */

#include "tests/bench/bench.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "tests/integration/attackers.h"
#include "tests/integration/witness.h"

#define SAMPLES       2000U
#define SAMPLES_QUICK 300U
#define ECHOES_MAX    4
#define FILES_MAX     4096U
#define ECHO          "{\"parameters\":{\"uptime\":1.0}}"

/* ---- the bare echo ---- */

/* Whatever comes is answered at once, as the least that a daemon can do. */
static void answer(struct pollfd *pfd)
{
	char text[4096];
	ssize_t n = recv(pfd->fd, text, sizeof(text), 0);

	if (n > 0 && send(pfd->fd, ECHO, sizeof(ECHO), MSG_NOSIGNAL) == (ssize_t)sizeof(ECHO))
		return;
	fd_close(pfd->fd);
	pfd->fd = -1;
}

_noreturn_ static void echo(int listener)
{
	struct pollfd fds[ECHOES_MAX] = { { .fd = listener, .events = POLLIN } };
	size_t n = 1;

	for (;;) {
		if (poll(fds, n, -1) < 0)
			_exit(1);
		if (fds[0].revents && n < ECHOES_MAX)
			fds[n++] = (struct pollfd){ .fd = accept(listener, NULL, NULL),
						    .events = POLLIN };
		for (size_t i = 1; i < n; i++)
			if (fds[i].revents)
				answer(&fds[i]);
	}
}

static struct witness_report see_echo(const char *path, uint32_t samples)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct witness_report report;
	struct witness witness;
	pid_t pid;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, ECHOES_MAX), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		echo(listener);
	fd_close(listener);
	witness_start(&witness, path);
	while (!witness_has_seen(&witness, samples))
		sleep_ms(10);
	report = witness_end(&witness);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return report;
}

/* ---- the daemon ---- */

/* Turn after turn of every kind, until there is enough to tell. */
static struct witness_report see_daemon(const struct rig *rig, uint32_t samples)
{
	static void (*const attacks[])(const struct rig *) = {
		attack_crowd, attack_endless, attack_malformed, attack_dying, attack_deaf,
	};
	struct witness witness;

	witness_start(&witness, rig->socket);
	do
		for (size_t i = 0; i < ARRAY_SIZE(attacks); i++)
			attacks[i](rig);
	while (!witness_has_seen(&witness, samples));
	return witness_end(&witness);
}

void bench_latency(struct figures *figures, bool quick)
{
	const uint32_t samples = quick ? SAMPLES_QUICK : SAMPLES;
	struct rlimit files;
	struct witness_report bare, attacked;
	char path[sizeof(((struct rig *)0)->directory) + 8];
	struct rig rig;

	rig_set_up(&rig, NULL);
	rig_start(&rig);
	/* Only this side needs more. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = MIN_OF(files.rlim_max, FILES_MAX);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	(void)snprintf(path, sizeof(path), "%s/echo", rig.directory);
	bare = see_echo(path, samples);
	attacker_fill_queue(&rig);
	attacked = see_daemon(&rig, samples);
	rig_tear_down(&rig);
	figures_add(figures, (struct figure){ .name = "attacked-wait",
					      .what = "answer to others under attack, median",
					      .unit = "x bare idle echo",
					      .kind = GOAL_NONE,
					      .measured = attacked.median / bare.median });
	figures_add(figures, (struct figure){ .name = "attacked-wait-99",
					      .what = "answer to others under attack, 99 of 100",
					      .unit = "ms",
					      .kind = GOAL_BELOW,
					      .goal = 50,
					      .measured = attacked.p99 });
	figures_add(figures, (struct figure){ .name = "attacked-wait-longest",
					      .what = "answer to others under attack, longest",
					      .unit = "ms",
					      .kind = GOAL_BELOW,
					      .goal = 50,
					      .measured = attacked.longest });
	figures_add(figures, (struct figure){ .name = "echo-wait-longest",
					      .what = "answer of a bare idle echo, longest",
					      .unit = "ms",
					      .kind = GOAL_NONE,
					      .measured = bare.longest });
}
