/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mtkrbctl -H: over a real ssh to a real sshd on loopback, with keys that live as long as the test. */

#include "tests/integration/catalogue-bench.h"
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

#define MEID_A "000000000000000000000000000000aa"
#define MEID_B "000000000000000000000000000000bb"
#define ID     "20260101T000000Z-a-b-1"

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
	_cleanup_free_ char *ssh = NULL, *spool = NULL;

	assert_non_null(remote);
	rig_set_up(&remote->rig, NULL);
	rig_start(&remote->rig);
	remote->made_separated = getuid() == 0 && mkdir(SEPARATED, 0755) == 0;
	start_sshd(remote);
	ssh = str_format("%s/ssh", remote->rig.directory);
	assert_int_equal(setenv("MTKRB_SSH", ssh, 1), 0);
	spool = str_format("%s/spool", remote->rig.directory);
	assert_int_equal(mkdir(spool, 0700), 0);
	assert_int_equal(setenv("TMPDIR", spool, 1), 0);
	*state = remote;
	return 0;
}

static int tear_down(void **state)
{
	struct remote *remote = *state;

	assert_int_equal(unsetenv("TMPDIR"), 0);
	(void)kill(remote->sshd, SIGTERM);
	assert_int_equal(waitpid(remote->sshd, NULL, 0), remote->sshd);
	if (remote->made_separated)
		(void)rmdir(SEPARATED);
	rig_tear_down(&remote->rig);
	free(remote);
	return 0;
}

#define far(rig, ...) rig_run(rig, "mtkrbctl", "-H", "bench", __VA_ARGS__)

/* As assert_ctl. */
#define assert_far(rig, expected, ret, ...)                            \
	do {                                                           \
		*(ret) = far(rig, __VA_ARGS__);                        \
		if ((ret)->status != (expected))                       \
			fail_msg("%d: %s", (ret)->status, (ret)->err); \
	} while (0)

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

/* A shell command in the rig's directory must succeed. */
#define shell(rig, format, ...) run("cd '%s' && " format, (rig)->directory, __VA_ARGS__)

static void test_export(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_(made_clear) struct made a = { 0 }, b = { 0 };
	_cleanup_free_ char *out = str_format("%s/out", rig->directory);
	_cleanup_free_ char *tar = str_format("%s/far.tar", rig->directory);
	_cleanup_free_ char *zst = str_format("%s/far.tar.zst", rig->directory);
	_cleanup_free_ char *near = str_format("%s/near.tar", rig->directory);
	struct output output;

	a = make_backup(rig, "new:1M", MEID_A, "");
	b = make_backup(rig, "new:2M", MEID_B, "");
	assert_far(rig, 0, &output, "export", b.id, a.id, out, NULL);
	assert_non_null(strstr(output.out, "read back"));
	output_clear(&output);
	shell(rig, "diff -r '%s' 'out/%s' && diff -r '%s' 'out/%s'", a.path, a.id, b.path, b.id);
	assert_far(rig, 1, &output, "export", a.id, out, NULL);
	assert_non_null(strstr(output.err, "File exists"));
	output_clear(&output);

	/* The same bytes as at home. */
	assert_ctl(rig, 0, &output, "export", a.id, b.id, near, NULL);
	output_clear(&output);
	assert_far(rig, 0, &output, "--json", "export", a.id, b.id, tar, NULL);
	assert_non_null(strstr(output.out, "\"files\":"));
	output_clear(&output);
	assert_true(same_content(near, tar));
	assert_far(rig, 0, &output, "export", a.id, zst, NULL);
	output_clear(&output);
	shell(rig, "mkdir x && bsdtar -C x -xf far.tar.zst && diff -r '%s' 'x/%s'", a.path, a.id);
	shell(rig, "\"$MTKRB_BIN_DIR\"/mtkrbctl -H bench export '%s' '%s' - | cmp - near.tar", a.id,
	      b.id);
	assert_far(rig, 1, &output, "export", a.id, tar, NULL);
	output_clear(&output);
	assert_true(same_content(near, tar));
	shell(rig, "test -z \"$(ls -A '%s')\"", getenv("TMPDIR"));
}

static void test_export_fails(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_(made_clear) struct made a = { 0 };
	_cleanup_free_ char *out = str_format("%s/out", rig->directory);
	_cleanup_free_ char *tar = str_format("%s/far.tar", rig->directory);
	struct output output;

	a = make_backup(rig, "new:1M", MEID_A, "");
	assert_far(rig, 4, &output, "export", a.id, "it's; none", tar, NULL);
	assert_non_null(strstr(output.err, "no such backup: it's; none"));
	output_clear(&output);
	rot(a.path, "ROM_0", 70000);
	assert_far(rig, 1, &output, "export", a.id, tar, NULL);
	assert_non_null(strstr(output.err, "ROM_0"));
	assert_non_null(strstr(output.err, "damaged"));
	output_clear(&output);
	assert_far(rig, 1, &output, "export", a.id, out, NULL);
	output_clear(&output);
	assert_far(rig, 1, &output, "export", a.id, "-", NULL);
	output_clear(&output);
	assert_far(rig, 2, &output, "--json", "export", a.id, "-", NULL);
	output_clear(&output);
	rot(a.path, "ROM_0", 70000);
	assert_far(rig, 1, &output, "export", a.id, "/dev/null/x", NULL);
	output_clear(&output);
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	assert_far(rig, 3, &output, "export", a.id, tar, NULL);
	output_clear(&output);
	assert_int_equal(setenv("MTKRB_SSH", "/nonexistent/ssh", 1), 0);
	assert_far(rig, 3, &output, "export", a.id, tar, NULL);
	assert_non_null(strstr(output.err, "hint: install openssh-client"));
	output_clear(&output);
	shell(rig, "test ! -e out && test ! -e far.tar && test -z \"$(ls -A '%s')\"",
	      getenv("TMPDIR"));
	rig_start(rig);
}

/* What comes over ssh is not trusted: each line makes an archive that is none of ours, in a folder. */
static void test_export_strange_archives(void **state)
{
	static const char *const makes[] = {
		"echo Welcome to bench",
		"echo Welcome to bench; tar -c good",
		"tar -c good | head -c 3000",
		"tar -cP ../outside",
		"tar -cP \"$PWD/good\"",
		"tar -c link",
		"ln good/SHA256SUMS good/twin; tar -c good",
		"tar -c good good",
		"tar -c empty",
		"true",
	};
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_free_ char *out = str_format("%s/out", rig->directory);
	struct output output;

	shell(rig, "mkdir %s/far", rig->directory);
	shell(rig,
	      "cd far && mkdir good empty && echo x >good/file && echo y >../outside && "
	      "ln -s /etc link && cd good && sha256sum file >%s",
	      "SHA256SUMS");
	write_file(rig, "ssh", "#!/bin/sh\ncd %s/far && tar -c good\n", rig->directory);
	assert_far(rig, 0, &output, "export", "good", out, NULL);
	output_clear(&output);
	shell(rig, "cmp far/good/file '%s/good/file' && rm -r out", out);
	for (size_t i = 0; i < ARRAY_SIZE(makes); i++) {
		write_file(rig, "ssh", "#!/bin/sh\ncd %s/far && { %s; }\n", rig->directory,
			   makes[i]);
		output = far(rig, "export", "good", out, NULL);
		if (output.status != 1)
			fail_msg("%s: %d %s", makes[i], output.status, output.err);
		output_clear(&output);
		shell(rig, "test ! -e out && test -z \"$(ls -A '%s')\"", getenv("TMPDIR"));
	}
}

static void test_diff(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_(made_clear) struct made a = { 0 }, b = { 0 };
	struct output here, there;

	a = make_backup(rig, "new:1M", MEID_A, "");
	b = make_backup(rig, "new:2M", MEID_B, "");
	assert_ctl(rig, 1, &here, "--json", "diff", a.id, b.id, NULL);
	assert_far(rig, 1, &there, "--json", "diff", a.id, b.id, NULL);
	assert_string_equal(there.out, here.out);
	output_clear(&here);
	output_clear(&there);
	assert_ctl(rig, 1, &here, "diff", a.id, b.id, NULL);
	assert_far(rig, 1, &there, "diff", a.id, b.id, NULL);
	assert_string_equal(there.out, here.out);
	output_clear(&here);
	output_clear(&there);
	assert_far(rig, 0, &there, "diff", a.id, a.id, NULL);
	output_clear(&there);
	assert_far(rig, 1, &there, "--quiet", "diff", a.id, b.id, NULL);
	assert_string_equal(there.out, "");
	output_clear(&there);
	assert_far(rig, 4, &there, "diff", a.id, "20260101T000000Z-a-b-1", NULL);
	assert_non_null(strstr(there.err, "no such backup"));
	output_clear(&there);
	assert_far(rig, 2, &there, "diff", a.id, "/etc/passwd", NULL);
	assert_non_null(strstr(there.err, "hint: 'mtkrbctl -H bench export ID FOLDER'"));
	output_clear(&there);
}

/* What the other machine is to run for each verb; NULL: nothing, the verb refuses. */
static const struct {
	const char *words[3], *command;
} on_hosts[] = {
	{ { "status" }, "mtkrbctl bridge" },
	{ { "ports" }, "mtkrbctl bridge" },
	{ { "attach", "/dev/x" }, "mtkrbctl bridge" },
	{ { "detach", "/dev/x" }, "mtkrbctl bridge" },
	{ { "slot" }, "mtkrbctl bridge" },
	{ { "rules" }, "mtkrbctl bridge" },
	{ { "audit" }, "mtkrbctl bridge" },
	{ { "metrics" }, "mtkrbctl bridge" },
	{ { "submit" }, "mtkrbctl bridge" },
	{ { "batch", "status" }, "mtkrbctl bridge" },
	{ { "jobs" }, "mtkrbctl bridge" },
	{ { "show", "1" }, "mtkrbctl bridge" },
	{ { "follow" }, "mtkrbctl bridge" },
	{ { "cancel", "1" }, "mtkrbctl bridge" },
	{ { "retry", "1" }, "mtkrbctl bridge" },
	{ { "monitor" }, "mtkrbctl bridge" },
	{ { "backups" }, "mtkrbctl bridge" },
	{ { "backup", "x" }, "mtkrbctl bridge" },
	{ { "verify", "x" }, "mtkrbctl bridge" },
	{ { "remove", "x" }, "mtkrbctl bridge" },
	{ { "prune" }, "mtkrbctl bridge" },
	{ { "da" }, "mtkrbctl bridge" },
	{ { "da", "remove", "x" }, "mtkrbctl bridge" },
	{ { "bridge" }, "mtkrbctl bridge" },
	{ { "export", "a b", "/x" }, "mtkrbctl export -- 'a b' -" },
	{ { "export", "it's", "-" }, "mtkrbctl export -- 'it'\\''s' -" },
	{ { "diff", ID, ID }, "mtkrbctl diff " ID " " ID },
	{ { "doctor" }, "mtkrbctl doctor" },
	{ { "doctor", "--watch=1", "--quiet" }, "mtkrbctl doctor --quiet '--watch=1'" },
	{ { "da", "list", "/x" }, NULL },
	{ { "explain", "x" }, NULL },
	{ { "check", "/x" }, NULL },
	{ { "rebuild", "/x" }, NULL },
	{ { "cut", "/x" }, NULL },
	{ { "files", "/x" }, NULL },
	{ { "extract", "/x", "1/x" }, NULL },
	{ { "complete", "--", "" }, NULL },
	{ { "manual" }, NULL },
};

static bool is_on_hosts(const char *verb)
{
	/* That needs a terminal: see test-board. */
	bool found = streq(verb, "board");

	for (size_t i = 0; i < ARRAY_SIZE(on_hosts); i++)
		found = found || streq(on_hosts[i].words[0], verb);
	return found;
}

static void check_on_host(const struct rig *rig, const char *const *words, const char *command)
{
	_cleanup_free_ char *path = str_format("%s/asked", rig->directory), *asked = NULL;
	_cleanup_(output_clear) struct output output = { 0 };

	(void)unlink(path);
	output = far(rig, words[0], words[1], words[2], NULL);
	if (command) {
		assert_int_equal(output.status, 3);
		assert_int_equal(fd_read_file(AT_FDCWD, path, 4096, &asked, NULL), 0);
		assert_string_equal(asked, command);
		return;
	}
	if (output.status != 2 || !strstr(output.err, "does not go with --host") ||
	    !strstr(output.err, "hint: ") || *output.out || file_exists(path))
		fail_msg("%s: %d %s%s", words[0], output.status, output.out, output.err);
}

static void test_every_verb(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_(output_clear) struct output listed = { 0 };
	char *save = NULL;
	size_t n = 0;

	/* Whatever ssh is to run there, it comes to nothing. */
	write_file(rig, "ssh", "#!/bin/sh\nprintf %%s \"$4\" >%s/asked\nexit 255\n",
		   rig->directory);
	for (size_t i = 0; i < ARRAY_SIZE(on_hosts); i++)
		check_on_host(rig, on_hosts[i].words, on_hosts[i].command);
	listed = rig_ctl(rig, "complete", "--", "", NULL);
	for (char *line = strtok_r(listed.out, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save), n++) {
		line[strcspn(line, "\t")] = '\0';
		if (!is_on_hosts(line))
			fail_msg("nothing says what becomes of '%s' with -H", line);
	}
	assert_true(n > 20);
}

/* The address in the environment is a default: what needs no daemon does not mind it. */
static void test_environment(void **state)
{
	struct rig *rig = &((struct remote *)*state)->rig;
	_cleanup_(output_clear) struct output status = { 0 }, local = { 0 }, diff = { 0 };
	char image[128];

	assert_int_equal(setenv("MTKRB_SOCKET", "ssh:bench", 1), 0);
	status = rig_run(rig, "mtkrbctl", "status", NULL);
	local = rig_ctl(rig, "status", NULL);
	rig_make_image(rig, "image", "1M", image);
	diff = rig_run(rig, "mtkrbctl", "diff", image, image, NULL);
	run("\"$MTKRB_BIN_DIR\"/mtkrbctl check '%s' >%s/checked; [ $? -le 1 ]", image,
	    rig->directory);
	shell(rig, "grep -q . %s", "checked");
	assert_int_equal(unsetenv("MTKRB_SOCKET"), 0);
	assert_int_equal(status.status, 0);
	assert_non_null(strstr(status.out, "ssh:bench"));
	assert_int_equal(local.status, 0);
	assert_non_null(strstr(local.out, rig->socket));
	assert_int_equal(diff.status, 0);
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
		cmocka_unit_test_setup_teardown(test_export, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_export_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_export_strange_archives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_diff, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_verb, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_environment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_plain_varlink, set_up, tear_down),
	};

	if (access(SSHD, X_OK) < 0 || system("command -v ssh >/dev/null") != 0) {
		puts("skipped: no sshd here (package openssh-server)");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
