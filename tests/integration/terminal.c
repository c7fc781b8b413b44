/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define SCREEN_MAX (1U << 20)
#define TRIES      400 /* of 50 ms: a sanitizer on a busy machine is slow */

/* `tmux ARGUMENTS` on the server of this rig, without the user's configuration. */
_printf_(2, 3) static char *command(const struct rig *rig, const char *format, ...)
{
	_cleanup_free_ char *arguments = NULL;
	char *text;
	va_list ap;

	va_start(ap, format);
	assert_true(vasprintf(&arguments, format, ap) >= 0);
	va_end(ap);
	text = str_format("env -u TMUX tmux -S %s/tmux -f /dev/null %s", rig->directory, arguments);
	assert_non_null(text);
	return text;
}

static void run(char *take)
{
	_cleanup_free_ char *text = take;

	if (system(text) != 0)
		fail_msg("failed: %s", text);
}

static char *output_of(char *take)
{
	_cleanup_free_ char *text = take;
	FILE *pipe = popen(text, "re");
	char *output = calloc(1, SCREEN_MAX);

	assert_non_null(pipe);
	assert_non_null(output);
	assert_true(fread(output, 1, SCREEN_MAX - 1, pipe) < SCREEN_MAX - 1);
	if (pclose(pipe) != 0)
		fail_msg("failed: %s", text);
	return output;
}

bool terminal_is_there(void)
{
	return system("command -v tmux >/dev/null") == 0;
}

void terminal_open(const struct rig *rig, unsigned int columns, unsigned int lines, bool unicode,
		   const char *settings, const char *arguments)
{
	_cleanup_free_ char *path = str_format("%s/terminal.sh", rig->directory);
	_cleanup_free_ char *script =
		str_format("sh -c 'echo $$ >%s/terminal.pid; exec env LC_ALL=%s "
			   "MTKRB_SOCKET=%s %s %s/mtkrbctl %s'\n"
			   "echo ended with $?\n"
			   "stty -a\n"
			   "exec sleep 1000\n",
			   rig->directory, unicode ? "C.UTF-8" : "C", rig->socket, settings,
			   getenv("MTKRB_BIN_DIR"), arguments);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, script, strlen(script)), 0);
	fd_close(fd);
	run(command(rig, "%s new-session -d -s board -x %u -y %u sh %s", unicode ? "-u" : "",
		    columns, lines, path));
	/* Else the line of tmux's own status is missing from the screen. */
	run(command(rig, "set-option -g status off"));
	terminal_resize(rig, columns, lines);
}

void terminal_close(const struct rig *rig)
{
	_cleanup_free_ char *text = command(rig, "kill-server 2>/dev/null");

	/* There may be none. */
	if (system(text) == 0)
		sleep_ms(100);
}

char *terminal_text(const struct rig *rig)
{
	return output_of(command(rig, "capture-pane -p -t board"));
}

char *terminal_text_with_attributes(const struct rig *rig)
{
	return output_of(command(rig, "capture-pane -p -e -t board"));
}

static void await(const struct rig *rig, const char *text, bool there)
{
	for (int i = 0; i < TRIES; i++) {
		_cleanup_free_ char *screen = terminal_text(rig);

		if (!strstr(screen, text) != there)
			return;
		if (i == TRIES - 1)
			fail_msg("'%s' %s:\n%s", text, there ? "never came" : "stayed", screen);
		sleep_ms(50);
	}
}

void terminal_await(const struct rig *rig, const char *text)
{
	await(rig, text, true);
}

void terminal_await_gone(const struct rig *rig, const char *text)
{
	await(rig, text, false);
}

void terminal_type(const struct rig *rig, const char *keys)
{
	run(command(rig, "send-keys -t board %s", keys));
}

void terminal_resize(const struct rig *rig, unsigned int columns, unsigned int lines)
{
	run(command(rig, "resize-window -t board -x %u -y %u", columns, lines));
}

pid_t terminal_process(const struct rig *rig)
{
	_cleanup_free_ char *path = str_format("%s/terminal.pid", rig->directory);
	_cleanup_free_ char *text = NULL;
	int64_t pid;

	assert_int_equal(fd_read_file(AT_FDCWD, path, 32, &text, NULL), 0);
	text[strcspn(text, "\n")] = '\0';
	assert_int_equal(parse_int(text, 2, INT32_MAX, &pid), 0);
	return (pid_t)pid;
}

void terminal_record(const struct rig *rig, const char *path)
{
	run(command(rig, "pipe-pane -t board 'cat >%s'", path));
}

char *terminal_ask(const struct rig *rig, const char *format)
{
	char *answer = output_of(command(rig, "display-message -p -t board '%s'", format));

	answer[strcspn(answer, "\n")] = '\0';
	return answer;
}
