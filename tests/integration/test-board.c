/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mtkrbctl board in a real terminal, against the real daemon with watches in all states. */

#include "tests/integration/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define MEID "000000000000000000000000deadbeef"
#define CONFIG                                                           \
	"[automatic]\nenabled=no\n"                                      \
	"[slots]\n"                                                      \
	"A1=pci-0000:00:14.0-usb-0:1.1\nA2=pci-0000:00:14.0-usb-0:1.2\n" \
	"A3=pci-0000:00:14.0-usb-0:1.3\nA4=pci-0000:00:14.0-usb-0:1.4\n" \
	"B1=pci-0000:00:14.0-usb-0:2.1\nB2=pci-0000:00:14.0-usb-0:2.2\n"

struct bench {
	struct rig rig;
	struct watch watches[4];
	size_t n;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	rig_set_up(&bench->rig, CONFIG);
	rig_start(&bench->rig);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	terminal_close(&bench->rig);
	for (size_t i = 0; i < bench->n; i++)
		watch_unplug(&bench->watches[i]);
	rig_tear_down(&bench->rig);
	free(bench);
	return 0;
}

/* Plugs a watch into a slot; option may be NULL. */
static void plug(struct bench *bench, const char *slot, const char *flash, const char *option)
{
	struct watch *watch = &bench->watches[bench->n++];

	watch_plug(&bench->rig, watch, slot, "--flash", flash, "--meid", MEID, option, NULL);
	rig_attach(&bench->rig, watch->link, slot);
}

/* A job for a slot that already has its watch, or gets it next. */
static int64_t order(struct bench *bench, const char *slot, const char *ticket)
{
	_cleanup_free_ char *request =
		str_format("{\"slot\":\"%s\",\"labels\":{\"ticket\":\"%s\"}}", slot, ticket);

	return rig_submit(&bench->rig, request);
}

static void await_job(struct bench *bench, int64_t id, enum job_state job_state)
{
	struct job job = rig_wait(&bench->rig, id, job_state, 60);

	job_clear(&job);
}

static void make_done(struct bench *bench, const char *slot, const char *ticket)
{
	int64_t id = order(bench, slot, ticket);

	plug(bench, slot, "new:1M", NULL);
	await_job(bench, id, JOB_DONE);
}

static void make_reading(struct bench *bench, const char *slot, const char *ticket)
{
	(void)order(bench, slot, ticket);
	plug(bench, slot, "new:1M", "--rate=12000");
}

static void make_waiting(struct bench *bench, const char *slot, const char *ticket)
{
	int64_t id = order(bench, slot, ticket);

	plug(bench, slot, "new:1M", "--fault=unplug@900000");
	await_job(bench, id, JOB_WAITING);
}

/* Its flash repeats before the firmware ends: found out at once. */
static int64_t make_failed(struct bench *bench, const char *slot, const char *ticket)
{
	int64_t id = order(bench, slot, ticket);

	plug(bench, slot, "new:4M", "--fault=alias=1M");
	await_job(bench, id, JOB_FAILED);
	return id;
}

static void show(struct bench *bench, const char *settings, const char *arguments)
{
	terminal_open(&bench->rig, 80, 24, true, settings, arguments);
	terminal_await(&bench->rig, " q quit ");
}

static void assert_has(const char *screen, const char *text)
{
	if (!strstr(screen, text))
		fail_msg("'%s' is not on the screen:\n%s", text, screen);
}

static bool file_has(const char *path, const char *text)
{
	_cleanup_free_ char *data = NULL;

	return fd_read_file(AT_FDCWD, path, 1 << 24, &data, NULL) >= 0 && strstr(data, text);
}

/* ---- what stands there ---- */

static void make_everything(struct bench *bench)
{
	make_done(bench, "A1", "4711");
	make_waiting(bench, "A3", "4713");
	(void)make_failed(bench, "A4", "4714");
	make_reading(bench, "A2", "4712");
	(void)order(bench, "B1", "4715");
	(void)rig_submit(&bench->rig, "{\"chip\":\"MT6260\",\"labels\":{\"ticket\":\"4720\"}}");
}

/* The words are the same whatever the terminal can. */
static void assert_everything(const char *screen)
{
	static const char *const words[] = {
		" Today 1 done, 1 failed, 1.0 MiB   Queue 2, next 4720 ",
		" A1  4711 ",
		" done",
		"  done: ",
		" 100 %",
		"  MT6261   1.0 MiB   at ",
		" A2  4712 ",
		" reading",
		"  reading, leave it",
		" KiB/s   ",
		" left",
		" A3  4713 ",
		" waiting",
		"  waiting: plug the same watch back in",
		" A4  4714 ",
		" failed",
		"  failed: size not certain, see Enter",
		" B1  4715 ",
		" expected",
		"  plug in 4715",
		" B2 ",
		" empty",
		"  plug in a watch",
		" Last failure ",
		" in A4, 4714: ",
		" hint: ",
		"B free",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_has(screen, words[i]);
}

static void test_every_state(void **state)
{
	static const char *const marks[] = { "✔ done",   "▶ reading",  "◆ waiting",
					     "✖ failed", "◌ expected", "○ empty" };
	struct bench *bench = *state;
	_cleanup_free_ char *screen = NULL, *colours = NULL;

	make_everything(bench);
	show(bench, "", "board");
	terminal_await(&bench->rig, "Today 1 done, 1 failed, 1.0 MiB");
	terminal_await(&bench->rig, " KiB/s   ");
	screen = terminal_text(&bench->rig);
	assert_everything(screen);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		assert_has(screen, marks[i]);
	colours = terminal_text_with_attributes(&bench->rig);
	assert_has(colours, "\033[32m"); /* green: done */
	assert_has(colours, "\033[36m"); /* cyan: at work */
	assert_has(colours, "\033[33m"); /* yellow: somebody is waited for */
}

static void test_without_colour(void **state)
{
	struct bench *bench = *state;

	make_everything(bench);
	for (int i = 0; i < 3; i++) {
		static const char *const settings[] = { "NO_COLOR=1", "", "TERM=vt100" };
		static const char *const arguments[] = { "board", "--no-color board", "board" };
		_cleanup_free_ char *screen = NULL, *attributes = NULL;

		show(bench, settings[i], arguments[i]);
		terminal_await(&bench->rig, "Today 1 done, 1 failed, 1.0 MiB");
		terminal_await(&bench->rig, " KiB/s   ");
		screen = terminal_text(&bench->rig);
		assert_everything(screen);
		attributes = terminal_text_with_attributes(&bench->rig);
		/* Bold, faint and reversed it may be, and tmux itself says "default colour" (39). */
		for (int colour = 30; colour < 38; colour++) {
			_cleanup_free_ char *sequence = str_format("\033[%dm", colour);

			assert_null(strstr(attributes, sequence));
		}
		terminal_close(&bench->rig);
	}
}

static void test_plain_ascii(void **state)
{
	struct bench *bench = *state;
	_cleanup_free_ char *screen = NULL;

	make_done(bench, "A1", "Müller 東京");
	/* A character that would turn the line around. */
	(void)order(bench, "B1",
		    "4\xe2\x80\xae"
		    "2");
	terminal_open(&bench->rig, 80, 24, false, "", "board");
	terminal_await(&bench->rig, "Today 1 done");
	terminal_await(&bench->rig, "plug in 4?2");
	screen = terminal_text(&bench->rig);
	assert_has(screen, "> A1  M?ller ?? --");
	assert_has(screen, " + done");
	assert_has(screen, "##########  100 %");
	assert_has(screen, " _ expected");
	for (const char *c = screen; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
}

static void test_resizing(void **state)
{
	struct bench *bench = *state;

	make_done(bench, "A1", "4711");
	show(bench, "", "board");
	terminal_await(&bench->rig, " A1  4711 ─");
	terminal_resize(&bench->rig, 44, 12);
	terminal_await(&bench->rig, "  SLOT       STATE");
	terminal_await(&bench->rig, "▸ A1         ✔ done");
	terminal_resize(&bench->rig, 19, 4);
	terminal_await(&bench->rig, "Too small for the\n");
	terminal_resize(&bench->rig, 200, 60);
	terminal_await(&bench->rig, " A1  4711 ─");
	terminal_await(&bench->rig, "  job 1   ME " MEID);
	terminal_resize(&bench->rig, 80, 24);
	terminal_await_gone(&bench->rig, MEID); /* it has no room there */
	terminal_await(&bench->rig, " A1  4711 ─");
}

/* ---- the daemon goes and comes ---- */

static void test_a_restart_of_the_daemon(void **state)
{
	struct bench *bench = *state;

	make_done(bench, "A1", "4711");
	show(bench, "", "board");
	terminal_await(&bench->rig, "Today 1 done");
	assert_int_equal(rig_stop(&bench->rig, SIGTERM), 0);
	terminal_await(&bench->rig, " No daemon since ");
	/* What was known still stands there. */
	terminal_await(&bench->rig, " A1  4711 ─");
	rig_start(&bench->rig);
	terminal_await(&bench->rig, " The daemon is back.");
	terminal_await_gone(&bench->rig, " No daemon since ");
	make_done(bench, "A2", "4712");
	terminal_await(&bench->rig, "Today 2 done, 0 failed, 2.0 MiB");
	terminal_await(&bench->rig, " A2  4712 ─");
}

/* The same through what stands for ssh, which is slow and talks to the terminal. */
static void test_a_restart_on_another_host(void **state)
{
	struct bench *bench = *state;
	_cleanup_free_ char *settings = str_format("MTKRB_SSH=%s/ssh", bench->rig.directory);
	_cleanup_free_ char *script = str_format("#!/bin/sh\necho ssh has a word >&2\nsleep 0.2\n"
						 "exec %s/mtkrbctl --socket=%s bridge\n",
						 getenv("MTKRB_BIN_DIR"), bench->rig.socket);
	int fd = open(settings + strlen("MTKRB_SSH="), O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, script, strlen(script)), 0);
	fd_close(fd);
	make_done(bench, "A1", "4711");
	show(bench, settings, "-H bench board");
	terminal_await(&bench->rig, "Today 1 done, 0 failed, 1.0 MiB");
	assert_int_equal(rig_stop(&bench->rig, SIGTERM), 0);
	terminal_await(&bench->rig, " No daemon since ");
	rig_start(&bench->rig);
	terminal_await(&bench->rig, " The daemon is back.");
	terminal_await_gone(&bench->rig, "ssh has a word");
	terminal_await(&bench->rig, " A1  4711 ─");
}

/* A daemon that says nothing does not keep the user from anything. */
static void test_a_daemon_that_hangs(void **state)
{
	struct bench *bench = *state;

	show(bench, "", "board");
	terminal_await(&bench->rig, " ○ empty");
	assert_int_equal(kill(bench->rig.daemon, SIGSTOP), 0);
	terminal_await(&bench->rig, " The daemon is slow to answer.");
	terminal_type(&bench->rig, "'?'");
	terminal_await(&bench->rig, "end the board; jobs go on");
	terminal_type(&bench->rig, "Escape");
	terminal_await(&bench->rig, " ○ empty");
	terminal_type(&bench->rig, "q");
	terminal_await(&bench->rig, "ended with 0");
	assert_int_equal(kill(bench->rig.daemon, SIGCONT), 0);
}

static void test_no_daemon_at_the_start(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(rig_stop(&bench->rig, SIGTERM), 0);
	terminal_open(&bench->rig, 80, 24, true, "", "board");
	terminal_await(&bench->rig, "mtkrbctl: no daemon: there is no socket ");
	terminal_await(&bench->rig, "ended with 3");
}

/* ---- keys ---- */

static void test_retry_and_details(void **state)
{
	struct bench *bench = *state;
	int64_t id = make_failed(bench, "A4", "4714");

	show(bench, "", "board");
	terminal_await(&bench->rig, "✖ failed");
	terminal_type(&bench->rig, "r");
	terminal_await(&bench->rig, " Nothing to retry in A1: ");
	terminal_type(&bench->rig, "Down Right");
	terminal_await(&bench->rig, "▸ A4  4714 ");
	terminal_type(&bench->rig, "Enter");
	terminal_await(&bench->rig, "  failure     size-mismatch");
	terminal_await(&bench->rig, "  what to do  ");
	terminal_await(&bench->rig, "  labels      ticket=4714");
	terminal_type(&bench->rig, "Escape");
	terminal_await(&bench->rig, "▸ A4  4714 ");
	/* The same watch, repaired. */
	watch_unplug(&bench->watches[0]);
	watch_plug(&bench->rig, &bench->watches[0], "A4", "--flash=new:1M", "--meid", MEID, NULL);
	terminal_type(&bench->rig, "r");
	terminal_await(&bench->rig, " Job 1: queued.");
	await_job(bench, id, JOB_DONE);
	terminal_await(&bench->rig, "Today 1 done, 0 failed, 1.0 MiB");
	terminal_await(&bench->rig, "✔ done");
	terminal_await(&bench->rig, " No failure today.");
}

static void test_cancel_asks_first(void **state)
{
	struct bench *bench = *state;
	int64_t id = order(bench, "A1", "4711");

	plug(bench, "A1", "new:1M", "--rate=12000");
	await_job(bench, id, JOB_RUNNING);
	show(bench, "", "board");
	terminal_await(&bench->rig, "▸ A1  4711 ");
	terminal_type(&bench->rig, "c");
	terminal_await(&bench->rig, " Cancel job 1 (4711)? y: yes, any other key: no");
	terminal_type(&bench->rig, "n");
	terminal_await(&bench->rig, " Job 1 goes on.");
	await_job(bench, id, JOB_RUNNING);
	terminal_type(&bench->rig, "c");
	terminal_await(&bench->rig, " Cancel job 1 (4711)?");
	terminal_type(&bench->rig, "y");
	await_job(bench, id, JOB_CANCELLED);
	terminal_await(&bench->rig, " Job 1: cancelled.");
}

/* ---- the bell ---- */

static void check_bell(struct bench *bench, const char *arguments, bool done, bool failed)
{
	_cleanup_free_ char *first = str_format("%s/first", bench->rig.directory);
	_cleanup_free_ char *second = str_format("%s/second", bench->rig.directory);

	show(bench, "", arguments);
	terminal_record(&bench->rig, first);
	make_done(bench, "A1", "4711");
	terminal_await(&bench->rig, " 1 done");
	assert_int_equal(file_has(first, "\a"), done);
	terminal_record(&bench->rig, second);
	(void)make_failed(bench, "A2", "4712");
	terminal_await(&bench->rig, " 1 failed");
	assert_int_equal(file_has(second, "\a"), failed);
}

static void test_bell(void **state)
{
	check_bell(*state, "board", true, true);
}

static void test_bell_for_failures(void **state)
{
	check_bell(*state, "board --bell=failed", false, true);
}

static void test_no_bell(void **state)
{
	check_bell(*state, "board --no-bell", false, false);
}

/* ---- the end ---- */

static void assert_terminal_is_as_before(const struct rig *rig)
{
	_cleanup_free_ char *modes = terminal_ask(rig, "#{alternate_on} #{cursor_flag}");
	_cleanup_free_ char *screen = NULL;

	assert_string_equal(modes, "0 1");
	terminal_await(rig, " icanon ");
	screen = terminal_text(rig);
	assert_null(strstr(screen, " -icanon"));
	assert_null(strstr(screen, " -echo "));
	assert_null(strstr(screen, "SLOT"));
}

static void test_the_terminal_is_put_back(void **state)
{
	static const struct {
		int signal;
		const char *ended; /* NULL: a sanitizer may have its own way */
	} table[] = {
		{ SIGINT, "ended with 130" }, { SIGTERM, "ended with 130" },
		{ SIGHUP, "ended with 130" }, { SIGQUIT, "ended with 130" },
		{ SIGSEGV, "ended with " },   { SIGABRT, "ended with " },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		show(bench, "", "board");
		terminal_await(&bench->rig, " ○ empty");
		assert_int_equal(kill(terminal_process(&bench->rig), table[i].signal), 0);
		terminal_await(&bench->rig, table[i].ended);
		assert_terminal_is_as_before(&bench->rig);
		terminal_close(&bench->rig);
	}
	show(bench, "", "board");
	terminal_type(&bench->rig, "q");
	terminal_await(&bench->rig, "ended with 0");
	assert_terminal_is_as_before(&bench->rig);
}

static void assert_refused(struct output output, const char *hint)
{
	assert_int_equal(output.status, 2);
	assert_string_equal(output.out, "");
	assert_has(output.err, hint);
	output_clear(&output);
}

static void test_refused(void **state)
{
	struct bench *bench = *state;
	const struct rig *rig = &bench->rig;

	assert_refused(rig_ctl(rig, "board", NULL), "hint: 'mtkrbctl follow'");
	assert_refused(rig_ctl(rig, "--json", "board", NULL), "hint: 'mtkrbctl --json monitor'");
	assert_refused(rig_ctl(rig, "board", "--bell=loud", NULL),
		       "not one of ended, failed, never");
	terminal_open(rig, 80, 24, true, "TERM=dumb", "board");
	terminal_await(rig, "a terminal of type 'dumb' cannot show a board");
	terminal_await(rig, "ended with 2");
}

#define BOARD_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOARD_TEST(test_every_state),
		BOARD_TEST(test_without_colour),
		BOARD_TEST(test_plain_ascii),
		BOARD_TEST(test_resizing),
		BOARD_TEST(test_a_restart_of_the_daemon),
		BOARD_TEST(test_a_restart_on_another_host),
		BOARD_TEST(test_a_daemon_that_hangs),
		BOARD_TEST(test_no_daemon_at_the_start),
		BOARD_TEST(test_retry_and_details),
		BOARD_TEST(test_cancel_asks_first),
		BOARD_TEST(test_bell),
		BOARD_TEST(test_bell_for_failures),
		BOARD_TEST(test_no_bell),
		BOARD_TEST(test_the_terminal_is_put_back),
		BOARD_TEST(test_refused),
	};

	if (!terminal_is_there()) {
		fputs("test-board: skipped: there is no tmux\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
