/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Completion as a person meets it: real shells on a terminal, who is sent letters and tabulators. */

#include "tests/integration/rig.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define COMPLETIONS MTKRB_TEST_DATA "/../client/completion"

struct shell {
	pid_t pid;
	int terminal;
	char heard[65536];
	size_t used;
};

static void shell_say(struct shell *shell, const char *text)
{
	assert_int_equal(fd_write_all(shell->terminal, text, strlen(text)), 0);
}

static void shell_forget(struct shell *shell)
{
	shell->used = 0;
	shell->heard[0] = '\0';
}

static void shell_expect(struct shell *shell, const char *text)
{
	uint64_t end = time_now() + 20 * USEC_PER_SEC;

	while (!strstr(shell->heard, text)) {
		struct pollfd pfd = { .fd = shell->terminal, .events = POLLIN };
		ssize_t n;

		if (time_now() > end || shell->used + 1 == sizeof(shell->heard))
			fail_msg("\"%s\" is not in: %s", text, shell->heard);
		if (poll(&pfd, 1, 100) <= 0)
			continue;
		n = read(shell->terminal, shell->heard + shell->used,
			 sizeof(shell->heard) - 1 - shell->used);
		if (n <= 0)
			fail_msg("the shell ended: %s", shell->heard);
		shell->used += (size_t)n;
		shell->heard[shell->used] = '\0';
	}
}

/* What is not a completion shows the words that it was given. */
static const char shows[] = "mtkrbctl() { if [ \"$1\" = complete ]; then command mtkrbctl \"$@\"; "
			    "else printf '[%s]' \"$@\"; echo; fi; }\r";

static void shell_start(const struct rig *rig, struct shell *shell, const char *const *argv,
			const char *loads)
{
	_cleanup_free_ char *path = str_format("%s:/usr/bin:/bin", getenv("MTKRB_BIN_DIR"));
	struct winsize size = { .ws_row = 50, .ws_col = 200 };

	shell_forget(shell);
	shell->pid = forkpty(&shell->terminal, NULL, NULL, &size);
	assert_true(shell->pid >= 0);
	if (shell->pid == 0) {
		if (setenv("PATH", path, 1) < 0 || setenv("MTKRB_SOCKET", rig->socket, 1) < 0 ||
		    setenv("INPUTRC", "/dev/null", 1) < 0 || setenv("TERM", "dumb", 1) < 0 ||
		    setenv("ZDOTDIR", rig->directory, 1) < 0 || chdir(rig->directory) < 0)
			_exit(126);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	shell_say(shell, loads);
	shell_say(shell, shows);
	shell_say(shell, "echo rea''dy\r");
	shell_expect(shell, "ready");
}

static void shell_end(struct shell *shell)
{
	(void)kill(shell->pid, SIGKILL);
	assert_int_equal(waitpid(shell->pid, NULL, 0), shell->pid);
	fd_close(shell->terminal);
}

static void try_all(const struct rig *rig, struct shell *shell)
{
	struct job job = rig_job(rig, 1);
	_cleanup_free_ char *backup = str_format("[backup][%s]", job.backup);
	const struct {
		const char *typed, *becomes; /* NULL: the backup */
	} lines[] = {
		{ "sub\t--met\tbro\t", "[submit][--method=brom]" },
		{ "submit --fol\t--after sta\t", "[submit][--follow][--after][stay]" },
		{ "submit --label=ti\t", "[submit][--label=ticket=it's 1]" },
		{ "submit --slot=b\t", "[submit][--slot=b:1:2]" },
		{ "submit --chip=MT6261\t", "[submit][--chip=MT6261]" },
		{ "retr\t2\t", "[retry][2]" },
		{ "detach /\t", "[detach][/" },
		{ "backup 2\t", NULL },
		{ "da remo\tag\t", "[da][remove][agents.bin]" },
		{ "check one-of-a\t", "[check][one-of-a-kind]" },
		{ "submit --da=one-of-a\t", "[submit][--da=one-of-a-kind]" },
		{ "rebuild -o fold\t", "[rebuild][-o][folder" },
		{ "--qui\tpor\t--fu\t", "[--quiet][ports][--full]" },
		{ "xyzzy \t", "[xyzzy]" },
	};

	job_clear(&job);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		shell_forget(shell);
		shell_say(shell, "mtkrbctl ");
		shell_say(shell, lines[i].typed);
		shell_say(shell, "\r");
		shell_expect(shell, lines[i].becomes ?: backup);
	}
}

/* Job 1 is done with a label, job 2 was cancelled; a slot with colons; an agent; files. */
static int set_up(void **state)
{
	int r = rig_test_set_up(state);
	const struct rig *rig = *state;
	_cleanup_free_ char *agent = str_format("%s/da/agents.bin", rig->state);
	_cleanup_free_ char *file = str_format("%s/one-of-a-kind", rig->directory);
	_cleanup_free_ char *folder = str_format("%s/folder", rig->directory);
	struct watch watch;
	struct job job;

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "b:1:2");
	assert_int_equal(
		rig_submit(rig, "{\"labels\":{\"ticket\":\"it's 1\"},\"verify\":\"none\"}"), 1);
	job = rig_wait(rig, 1, JOB_DONE, 30);
	job_clear(&job);
	assert_int_equal(rig_submit(rig, "{\"slot\":\"nowhere\"}"), 2);
	message_unref(rig_call(rig, "Cancel", "{\"id\":2}", NULL));
	assert_int_equal(fd_replace_file(AT_FDCWD, agent, "x", 1, 0600), 0);
	assert_int_equal(fd_replace_file(AT_FDCWD, file, "x", 1, 0600), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	return r;
}

static void test_bash(void **state)
{
	static const char *const argv[] = { "bash", "--norc", "--noprofile", "-i", NULL };
	const struct rig *rig = *state;
	struct shell shell;

	shell_start(rig, &shell, argv, "source " COMPLETIONS "/mtkrbctl.bash\r");
	try_all(rig, &shell);
	shell_end(&shell);
}

static void test_zsh(void **state)
{
	static const char *const argv[] = { "zsh", "-f", "-i", NULL };
	const struct rig *rig = *state;
	struct shell shell;

	if (system("command -v zsh >/dev/null") != 0)
		skip();
	shell_start(rig, &shell, argv,
		    "fpath=(" COMPLETIONS " $fpath); autoload -U compinit; compinit -u -D\r");
	try_all(rig, &shell);
	shell_end(&shell);
}

/* Without a daemon, or with one that hangs, there is what needs none, and no word about it. */
static void test_no_daemon(void **state)
{
	const struct rig *rig = *state;
	_cleanup_(output_clear) struct output verbs = { 0 }, ids = { 0 }, hung = { 0 };

	assert_int_equal(kill(rig->daemon, SIGSTOP), 0);
	hung = rig_ctl(rig, "complete", "--", "show", "", NULL);
	assert_int_equal(kill(rig->daemon, SIGCONT), 0);
	assert_int_equal(hung.status, 0);
	assert_string_equal(hung.err, "");
	verbs = rig_run(rig, "mtkrbctl", "--socket=/nonexistent", "complete", "--", "stat", NULL);
	assert_int_equal(verbs.status, 0);
	assert_non_null(strstr(verbs.out, "status\t"));
	ids = rig_run(rig, "mtkrbctl", "complete", "--", "--socket", "/nonexistent", "show", "",
		      NULL);
	assert_int_equal(ids.status, 0);
	assert_string_equal(ids.out, "");
	assert_string_equal(ids.err, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bash, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_zsh, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_no_daemon, set_up, rig_test_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
