/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon as a service manager sees it: readiness, status, watchdog, reload, an inherited socket. */

#include "tests/integration/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

struct service {
	struct rig rig;
	int notify; /* what the daemon tells its service manager */
	char heard[65536];
};

static int bind_socket(int type, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int set_up(void **state)
{
	struct service *service = calloc(1, sizeof(*service));
	_cleanup_free_ char *path = NULL;

	rig_set_up(&service->rig, NULL);
	path = str_format("%s/notify", service->rig.directory);
	service->notify = bind_socket(SOCK_DGRAM, path);
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	*state = service;
	return 0;
}

static int tear_down(void **state)
{
	struct service *service = *state;

	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	rig_tear_down(&service->rig);
	fd_close(service->notify);
	free(service);
	return 0;
}

/* Listens until text was heard. */
static void expect(struct service *service, const char *text, int seconds)
{
	uint64_t end = time_now() + (uint64_t)seconds * USEC_PER_SEC;
	size_t used = strlen(service->heard);

	while (!strstr(service->heard, text)) {
		struct pollfd pfd = { .fd = service->notify, .events = POLLIN };
		ssize_t n;

		if (time_now() > end)
			fail_msg("the daemon did not say %s but: %s", text, service->heard);
		if (poll(&pfd, 1, 100) <= 0)
			continue;
		n = recv(service->notify, service->heard + used, sizeof(service->heard) - used - 2,
			 0);
		assert_true(n >= 0);
		used += (size_t)n;
		service->heard[used++] = '\n';
		service->heard[used] = '\0';
	}
}

static void forget(struct service *service)
{
	service->heard[0] = '\0';
}

static void test_life(void **state)
{
	struct service *service = *state;

	rig_start(&service->rig);
	expect(service, "READY=1", 5);
	expect(service, "STATUS=0 jobs running, 0 waiting, 0 queued, 0 ports", 5);
	(void)rig_submit(&service->rig, "{}");
	expect(service, "STATUS=0 jobs running, 0 waiting, 1 queued, 0 ports", 5);
	assert_int_equal(rig_stop(&service->rig, SIGTERM), 0);
	expect(service, "STOPPING=1", 5);
}

static void test_watchdog(void **state)
{
	struct service *service = *state;

	assert_int_equal(setenv("WATCHDOG_USEC", "1000000", 1), 0);
	rig_start(&service->rig);
	expect(service, "WATCHDOG=1", 5);
	forget(service);
	expect(service, "WATCHDOG=1", 5);
}

static void rewrite_config(const struct rig *rig, const char *text)
{
	assert_int_equal(fd_replace_file(AT_FDCWD, rig->config, text, strlen(text), 0600), 0);
}

static void test_reload(void **state)
{
	struct service *service = *state;
	struct watch watch;
	int64_t id = 0;

	rig_start(&service->rig);
	expect(service, "READY=1", 5);
	forget(service);
	/* A broken file changes nothing and is named. */
	rewrite_config(&service->rig, "[automatic]\nenabled=perhaps\n");
	assert_int_equal(kill(service->rig.daemon, SIGHUP), 0);
	expect(service, "RELOADING=1", 5);
	expect(service, "READY=1", 5);
	assert_true(rig_log_has(&service->rig, "mtkrbd.conf:2: "));
	assert_true(rig_log_has(&service->rig, "the old one stays in use"));
	/* A good one holds from now on. */
	forget(service);
	rewrite_config(&service->rig, "[automatic]\nenabled=yes\nverify=none\n");
	assert_int_equal(kill(service->rig.daemon, SIGHUP), 0);
	expect(service, "READY=1", 5);
	watch_plug(&service->rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(&service->rig, watch.link, "A1");
	for (int i = 0; i < 500 && id == 0; i++) {
		id = rig_newest_job(&service->rig);
		sleep_ms(10);
	}
	assert_int_not_equal(id, 0);
	watch_unplug(&watch);
}

/* Starts the daemon the way socket activation does: the listening socket is descriptor 3. */
static pid_t start_activated(const struct rig *rig, int listening)
{
	_cleanup_free_ char *program = str_format("%s/mtkrbd", getenv("MTKRB_BIN_DIR"));
	pid_t pid = fork();

	if (pid == 0) {
		char number[32];

		(void)snprintf(number, sizeof(number), "%d", getpid());
		if (setenv("LISTEN_PID", number, 1) < 0 || setenv("LISTEN_FDS", "1", 1) < 0)
			_exit(126);
		if (listening == 3 ? fcntl(3, F_SETFD, 0) < 0 : dup2(listening, 3) < 0)
			_exit(126);
		execl(program, "mtkrbd", "--no-udev", "--config", rig->config, "--state-directory",
		      rig->state, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void test_inherited_socket(void **state)
{
	struct service *service = *state;
	struct rig *rig = &service->rig;
	_cleanup_close_ int listening = bind_socket(SOCK_STREAM, rig->socket);
	int status;
	pid_t pid;

	assert_int_equal(listen(listening, 16), 0);
	pid = start_activated(rig, listening);
	assert_true(pid > 0);
	message_unref(rig_call(rig, "GetStatus", "{}", NULL));
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* It belongs to whoever made it. */
	assert_true(file_exists(rig->socket));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_watchdog, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reload, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_inherited_socket, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
