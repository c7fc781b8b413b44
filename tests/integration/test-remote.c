/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mtkrbctl -H: over a real ssh to a real sshd on loopback, with keys that live as long as the test. */

#include "tests/integration/file-bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define SSHD      "/usr/sbin/sshd"
#define SEPARATED "/run/sshd" /* root's sshd insists on it; the package's unit makes it */

struct remote {
	struct rig rig;
	pid_t sshd;
	bool made_separated;
};

_printf_(3, 4) static void write_file(const struct rig *rig, const char *name, const char *format,
				      ...)
{
	_cleanup_free_ char *path = str_format("%s/%s", rig->directory, name), *text = NULL;
	va_list ap;

	va_start(ap, format);
	assert_true(vasprintf(&text, format, ap) > 0);
	va_end(ap);
	assert_int_equal(fd_replace_file(AT_FDCWD, path, text, strlen(text), 0700), 0);
}

_printf_(1, 2) static void run(const char *format, ...)
{
	_cleanup_free_ char *command = NULL;
	va_list ap;

	va_start(ap, format);
	assert_true(vasprintf(&command, format, ap) > 0);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

static uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(address);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static void await_sshd(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (int i = 0; i < 500; i++) {
		_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return;
		sleep_ms(20);
	}
	fail_msg("sshd does not listen");
}

static void start_sshd(struct remote *remote)
{
	const struct rig *rig = &remote->rig;
	const char *home = rig->directory, *bin = getenv("MTKRB_BIN_DIR");
	const struct passwd *user = getpwuid(getuid());
	uint16_t port = free_port();

	assert_non_null(user);
	run("ssh-keygen -q -t ed25519 -N '' -f %s/host", home);
	run("ssh-keygen -q -t ed25519 -N '' -f %s/key", home);
	run("cp %s/key.pub %s/authorized", home, home);
	run("echo \"[127.0.0.1]:%u $(cat %s/host.pub)\" >%s/known", port, home, home);
	write_file(rig, "sshd_config",
		   "ListenAddress 127.0.0.1\nPort %u\nHostKey %s/host\nPidFile none\nUsePAM no\n"
		   "AuthorizedKeysFile %s/authorized\nStrictModes no\nPasswordAuthentication no\n"
		   "KbdInteractiveAuthentication no\nPermitRootLogin yes\n"
		   "SetEnv PATH=%s:/usr/bin:/bin MTKRB_SOCKET=%s\n",
		   port, home, home, bin, rig->socket);
	write_file(rig, "ssh_config",
		   "Host bench\nHostName 127.0.0.1\nPort %u\nUser %s\nIdentityFile %s/key\n"
		   "IdentitiesOnly yes\nUserKnownHostsFile %s/known\nBatchMode yes\n"
		   "Host closed\nHostName 127.0.0.1\nPort 1\n",
		   port, user->pw_name, home, home);
	write_file(rig, "ssh", "#!/bin/sh\nexec ssh -F %s/ssh_config \"$@\"\n", home);
	remote->sshd = fork();
	if (remote->sshd == 0) {
		_cleanup_free_ char *config = str_format("%s/sshd_config", home);

		execl(SSHD, SSHD, "-D", "-e", "-q", "-f", config, (char *)NULL);
		_exit(127);
	}
	await_sshd(port);
}

static int set_up(void **state)
{
	struct remote *remote = calloc(1, sizeof(*remote));
	_cleanup_free_ char *ssh = NULL;

	assert_non_null(remote);
	rig_set_up(&remote->rig, NULL);
	rig_start(&remote->rig);
	remote->made_separated = getuid() == 0 && mkdir(SEPARATED, 0755) == 0;
	start_sshd(remote);
	ssh = str_format("%s/ssh", remote->rig.directory);
	assert_int_equal(setenv("MTKRB_SSH", ssh, 1), 0);
	*state = remote;
	return 0;
}

static int tear_down(void **state)
{
	struct remote *remote = *state;

	(void)kill(remote->sshd, SIGTERM);
	assert_int_equal(waitpid(remote->sshd, NULL, 0), remote->sshd);
	if (remote->made_separated)
		(void)rmdir(SEPARATED);
	rig_tear_down(&remote->rig);
	free(remote);
	return 0;
}

#define far(rig, ...) rig_run(rig, "mtkrbctl", "-H", "bench", __VA_ARGS__)

static void test_same_answers(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_(output_clear) struct output here = { 0 }, there = { 0 }, status = { 0 };
	int64_t id = rig_submit(rig, "{\"slot\":\"A1\",\"labels\":{\"ticket\":\"it's 1\"}}");
	_cleanup_free_ char *number = str_format("%" PRId64, id);

	here = rig_ctl(rig, "--json", "show", number, NULL);
	there = far(rig, "--json", "show", number, NULL);
	assert_int_equal(there.status, 0);
	assert_string_equal(there.out, here.out);
	assert_string_equal(there.err, "");
	status = rig_run(rig, "mtkrbctl", "status", "--host=bench", NULL);
	assert_int_equal(status.status, 0);
	assert_non_null(strstr(status.out, "ssh:bench"));
}

static void test_statuses(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_(output_clear) struct output none = { 0 }, refused = { 0 }, gone = { 0 };
	_cleanup_(output_clear) struct output closed = { 0 }, no_ssh = { 0 };
	int64_t id = rig_submit(rig, "{}");
	_cleanup_free_ char *number = str_format("%" PRId64, id);

	none = far(rig, "show", "4711", NULL);
	assert_int_equal(none.status, 4);
	assert_non_null(strstr(none.err, "no such job: 4711"));
	refused = far(rig, "retry", number, NULL);
	assert_int_equal(refused.status, 6);

	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	gone = far(rig, "follow", NULL);
	assert_int_equal(gone.status, 3);
	assert_non_null(strstr(gone.err, rig->socket));
	assert_non_null(strstr(gone.err, "no daemon on bench"));
	closed = rig_run(rig, "mtkrbctl", "-H", "closed", "status", NULL);
	assert_int_equal(closed.status, 3);
	assert_non_null(strstr(closed.err, "no connection to closed"));
	assert_non_null(strstr(closed.err, "hint: "));
	assert_int_equal(setenv("MTKRB_SSH", "/nonexistent/ssh", 1), 0);
	no_ssh = far(rig, "status", NULL);
	assert_int_equal(no_ssh.status, 3);
	assert_non_null(strstr(no_ssh.err, "cannot start /nonexistent/ssh"));
	assert_non_null(strstr(no_ssh.err, "hint: install openssh-client"));
	rig_start(rig);
}

static void test_follow(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_(output_clear) struct output followed = { 0 };
	struct watch watch;

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "A1");
	followed = far(rig, "submit", "--verify=none", "--follow", NULL);
	assert_int_equal(followed.status, 0);
	assert_non_null(strstr(followed.out, ": done"));
	watch_unplug(&watch);
}

static void test_files(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_free_ char *kept = str_format("%s/da/agents.bin", rig->state);
	_cleanup_(output_clear) struct output added = { 0 }, submitted = { 0 };
	const char *cfg = MTKRB_TEST_DATA "/data/cfg/MediatekInfo_dz09.cfg";
	_cleanup_free_ char *da = NULL, *scatter = NULL, *kept_da = NULL, *kept_scatter = NULL;
	char path[160];
	int64_t id;

	make_container(rig, "agents.bin", path);
	added = far(rig, "da", "add", path, NULL);
	assert_int_equal(added.status, 0);
	assert_true(same_content(kept, path));

	da = str_format("--da=%s", path);
	scatter = str_format("--scatter=%s", cfg);
	submitted = far(rig, "submit", da, scatter, "--method=da", NULL);
	assert_int_equal(submitted.status, 0);
	id = rig_newest_job(rig);
	kept_da = str_format("%s/job-files/%" PRId64 ".da", rig->state, id);
	kept_scatter = str_format("%s/job-files/%" PRId64 ".scatter", rig->state, id);
	assert_true(same_content(kept_da, path));
	assert_true(same_content(kept_scatter, cfg));
}

static void test_interrupted(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_free_ char *program = str_format("%s/mtkrbctl", getenv("MTKRB_BIN_DIR"));
	int status, fds[2];
	char first[256];
	pid_t pid;

	(void)rig_submit(rig, "{}");
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		execl(program, "mtkrbctl", "-H", "bench", "--json", "follow", (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	assert_true(read(fds[0], first, sizeof(first)) > 0);
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[0]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 130);
}

static void test_doctor(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_(output_clear) struct output here = { 0 }, there = { 0 };

	here = rig_ctl(rig, "doctor", "--json", NULL);
	there = far(rig, "doctor", "--json", NULL);
	assert_int_equal(there.status, here.status);
	assert_true(there.status == 0 || there.status == 1);
	assert_non_null(strstr(there.out, "\"findings\""));
}

/* What a varlink program says to it needs nothing of ours. */
static void test_plain_varlink(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;

	assert_int_equal(setenv("MTKRB_SOCKET", rig->socket, 1), 0);
	run("printf '{\"method\":\"org.varlink.service.GetInfo\"}\\0' | $MTKRB_BIN_DIR/mtkrbctl "
	    "bridge "
	    "| grep -qF io.mtkrbd.Control");
	run("printf 'file 99999999999\\0' | $MTKRB_BIN_DIR/mtkrbctl bridge 2>/dev/null; [ $? -eq 1 "
	    "]");
	run("printf '{\"method\"' | $MTKRB_BIN_DIR/mtkrbctl bridge 2>/dev/null; [ $? -eq 1 ]");
	assert_int_equal(unsetenv("MTKRB_SOCKET"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_statuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_follow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_interrupted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_doctor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_plain_varlink, set_up, tear_down),
	};

	if (access(SSHD, X_OK) < 0 || system("command -v ssh >/dev/null") != 0) {
		puts("skipped: no sshd here (package openssh-server)");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
