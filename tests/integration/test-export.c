/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copies of backups: folder, tar, zstd, a pipe; what may not be read, what is there already. */

#include "tests/integration/catalogue-bench.h"

#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEID_A "000000000000000000000000000000aa"
#define MEID_B "000000000000000000000000000000bb"

struct two {
	struct rig *rig;
	struct made a, b;
	char out[128]; /* a folder for what is exported */
};

static int two_set_up(void **state)
{
	struct two *two = calloc(1, sizeof(*two));
	void *rig;

	assert_non_null(two);
	assert_int_equal(rig_test_set_up(&rig), 0);
	two->rig = rig;
	two->a = make_backup(two->rig, "new:1M", MEID_A, "");
	two->b = make_backup(two->rig, "new:2M", MEID_B, "");
	(void)snprintf(two->out, sizeof(two->out), "%s/out", two->rig->directory);
	assert_int_equal(mkdir(two->out, 0755), 0);
	*state = two;
	return 0;
}

static int two_tear_down(void **state)
{
	struct two *two = *state;
	void *rig = two->rig;

	made_clear(&two->a);
	made_clear(&two->b);
	free(two);
	return rig_test_tear_down(&rig);
}

/* A shell command in the folder of what was exported must succeed. */
_printf_(2, 3) static void assert_shell(const struct two *two, const char *format, ...)
{
	_cleanup_free_ char *command = NULL, *whole = NULL;
	va_list ap;

	va_start(ap, format);
	assert_true(vasprintf(&command, format, ap) >= 0);
	va_end(ap);
	whole = str_format("cd '%s' && %s", two->out, command);
	if (system(whole) != 0)
		fail_msg("%s", command);
}

/* Nothing but this is in it: no temporary name was left. */
static void assert_entries(const struct two *two, const char *expected)
{
	assert_shell(two, "test \"$(ls -A | tr '\\n' ' ')\" = '%s'", expected);
}

static void test_folder(void **state)
{
	struct two *two = *state;
	struct output output;

	assert_ctl(two->rig, 0, &output, "export", two->a.id, two->b.id, two->out, NULL);
	assert_non_null(strstr(output.out, two->a.id));
	output_clear(&output);
	assert_shell(two, "diff -r '%s' '%s'", two->a.path, two->a.id);
	assert_shell(two, "diff -r '%s' '%s'", two->b.path, two->b.id);
	assert_shell(two, "cd '%s' && sha256sum --quiet --strict -c SHA256SUMS", two->a.id);

	/* Not a second time, and what is there is not touched. */
	assert_shell(two, "rm '%s/report.txt'", two->a.id);
	assert_ctl(two->rig, 1, &output, "export", two->a.id, two->out, NULL);
	assert_non_null(strstr(output.err, "hint: "));
	output_clear(&output);
	assert_shell(two, "test ! -e '%s/report.txt'", two->a.id);
	assert_shell(two, "test \"$(ls -A | wc -l)\" = 2");
}

static void test_tar(void **state)
{
	struct two *two = *state;
	_cleanup_free_ char *tar = str_format("%s/a.tar", two->out);
	_cleanup_free_ char *again = str_format("%s/b.tar", two->out);
	struct output output;

	assert_ctl(two->rig, 0, &output, "export", two->b.id, two->a.id, tar, "--json", NULL);
	assert_non_null(strstr(output.out, "\"files\":"));
	output_clear(&output);
	assert_shell(two, "mkdir x && tar -C x -xf a.tar");
	assert_shell(two, "diff -r '%s' 'x/%s'", two->a.path, two->a.id);
	assert_shell(two, "diff -r '%s' 'x/%s'", two->b.path, two->b.id);

	/* In another order, at another time: the same bytes. */
	sleep_ms(1100);
	assert_ctl(two->rig, 0, &output, "export", two->a.id, two->b.id, two->a.id, again, NULL);
	output_clear(&output);
	assert_shell(two, "cmp a.tar b.tar");
	assert_shell(two, "tar -tvf a.tar --numeric-owner | grep -qv ' 0/0 ' && exit 1 || exit 0");

	assert_ctl(two->rig, 1, &output, "export", two->a.id, tar, NULL);
	assert_non_null(strstr(output.err, "File exists"));
	output_clear(&output);
	assert_shell(two, "cmp a.tar b.tar && rm -r x");
	assert_entries(two, "a.tar b.tar ");
}

static void test_zstd(void **state)
{
	struct two *two = *state;
	_cleanup_free_ char *tar = str_format("%s/a.tar.zst", two->out);
	struct output output;

	assert_ctl(two->rig, 0, &output, "export", two->a.id, tar, NULL);
	output_clear(&output);
	assert_shell(two, "mkdir x && bsdtar -C x -xf a.tar.zst");
	assert_shell(two, "diff -r '%s' 'x/%s'", two->a.path, two->a.id);
	/* A new flash is mostly empty. */
	assert_shell(two, "test $(stat -c %%s a.tar.zst) -lt 1200000");
}

static void test_pipe(void **state)
{
	struct two *two = *state;
	_cleanup_free_ char *command =
		str_format("\"$MTKRB_BIN_DIR\"/mtkrbctl --socket='%s' export '%s' - | tar -xf -",
			   two->rig->socket, two->a.id);

	assert_shell(two, "%s", command);
	assert_shell(two, "diff -r '%s' '%s'", two->a.path, two->a.id);
}

/* What has rotted is not passed on as if it were good. */
static void test_damaged(void **state)
{
	struct two *two = *state;
	_cleanup_free_ char *tar = str_format("%s/a.tar", two->out);
	const char *const places[] = { two->out, tar };
	struct output output;

	rot(two->a.path, "ROM_0", 70000);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		assert_ctl(two->rig, 1, &output, "export", two->a.id, places[i], NULL);
		assert_non_null(strstr(output.err, "ROM_0"));
		assert_non_null(strstr(output.err, "damaged"));
		output_clear(&output);
	}
	assert_entries(two, "");
}

/* Nobody of the group: told what to do. */
static void test_not_permitted(void **state)
{
	struct two *two = *state;
	_cleanup_free_ char *command = NULL;

	if (geteuid() != 0)
		skip();
	command = str_format(
		"cd / && chmod 0755 '%s' '%s' && chmod 0700 '%s' && chmod 0777 '%s' "
		"'%s' && setpriv --reuid=65534 --regid=65534 --clear-groups "
		"\"$MTKRB_BIN_DIR\"/mtkrbctl --socket='%s' export '%s' '%s' 2>'%s/err'",
		two->rig->directory, two->rig->state, two->a.path, two->out, two->rig->socket,
		two->rig->socket, two->a.id, two->out, two->rig->directory);
	assert_int_equal(WEXITSTATUS(system(command)), 5);
	assert_shell(two, "grep -q 'hint: .*adduser' ../err");
	assert_entries(two, "");
}

static void test_usage(void **state)
{
	struct two *two = *state;
	struct output output;

	assert_ctl(two->rig, 2, &output, "export", two->a.id, NULL);
	output_clear(&output);
	assert_ctl(two->rig, 2, &output, "export", two->a.id, "/nowhere/all.tar.gz", NULL);
	assert_non_null(strstr(output.err, "/nowhere/all.tar.gz: export does not write"));
	output_clear(&output);
	assert_ctl(two->rig, 2, &output, "export", two->a.id, two->b.id, NULL);
	output_clear(&output);
	assert_ctl(two->rig, 2, &output, "export", two->a.id, "-", "--json", NULL);
	output_clear(&output);
	assert_ctl(two->rig, 4, &output, "export", "20260101T000000Z-a-b-1", two->out, NULL);
	output_clear(&output);
	assert_ctl(two->rig, 1, &output, "export", two->a.id, "/dev/null/x", NULL);
	output_clear(&output);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, two_set_up, two_tear_down)

/* mtkrbctl finds a SIGTERM waiting as soon as it looks for one: its exit status. */
static int export_interrupted(const struct two *two, const char *path)
{
	_cleanup_free_ char *program = str_format("%s/mtkrbctl", getenv("MTKRB_BIN_DIR"));
	const char *const arguments[] = { "mtkrbctl", "--socket", two->rig->socket,
					  "export",   two->a.id,  path,
					  NULL };
	sigset_t held;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		sigemptyset(&held);
		sigaddset(&held, SIGTERM);
		(void)sigprocmask(SIG_BLOCK, &held, NULL);
		(void)raise(SIGTERM);
		execv(program, (char *const *)arguments);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_interrupted(void **state)
{
	struct two *two = *state;
	_cleanup_free_ char *tar = str_format("%s/a.tar", two->out);

	assert_int_equal(export_interrupted(two, two->out), 130);
	assert_entries(two, "");
	assert_int_equal(export_interrupted(two, tar), 130);
	assert_entries(two, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_folder), TEST(test_tar),         TEST(test_zstd),
		TEST(test_pipe),   TEST(test_damaged),     TEST(test_not_permitted),
		TEST(test_usage),  TEST(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
