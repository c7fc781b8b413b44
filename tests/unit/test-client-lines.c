/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "client/output/lines.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

struct pipe {
	int in, out;
	struct lines lines;
};

static int set_up(void **state)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));
	int fds[2];

	assert_non_null(pipe);
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	pipe->in = fds[1];
	pipe->out = fds[0];
	lines_init(&pipe->lines, pipe->out);
	*state = pipe;
	return 0;
}

static int tear_down(void **state)
{
	struct pipe *pipe = *state;

	fd_close(pipe->in);
	fd_close(pipe->out);
	free(pipe);
	return 0;
}

static void say(struct pipe *pipe, const char *text)
{
	assert_int_equal(fd_write_all(pipe->in, text, strlen(text)), 0);
	assert_int_equal(lines_fill(&pipe->lines), 0);
}

static void end(struct pipe *pipe)
{
	pipe->in = fd_close(pipe->in);
	assert_int_equal(lines_fill(&pipe->lines), 0);
	assert_true(pipe->lines.ended);
}

static void assert_line(struct pipe *pipe, const char *expected, size_t number)
{
	const char *line;
	size_t size;

	assert_int_equal(lines_next(&pipe->lines, &line, &size), 1);
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(line, expected, size);
	assert_int_equal(pipe->lines.number, number);
}

static void assert_no_line(struct pipe *pipe, int r)
{
	const char *line;
	size_t size;

	assert_int_equal(lines_next(&pipe->lines, &line, &size), r);
}

static void test_pieces(void **state)
{
	struct pipe *pipe = *state;

	assert_no_line(pipe, 0);
	assert_int_equal(lines_fill(&pipe->lines), 0); /* nothing there, nothing lost */
	say(pipe, "47");
	assert_no_line(pipe, 0);
	say(pipe, "11\r\n\n4712\n47");
	assert_line(pipe, "4711\r", 1);
	assert_line(pipe, "", 2);
	assert_line(pipe, "4712", 3);
	assert_no_line(pipe, 0);
	say(pipe, "13");
	assert_no_line(pipe, 0);
	end(pipe);
	assert_line(pipe, "4713", 4);
	assert_no_line(pipe, 0);
}

static void test_nothing_behind_the_last_newline(void **state)
{
	struct pipe *pipe = *state;

	say(pipe, "a\n");
	assert_line(pipe, "a", 1);
	end(pipe);
	assert_no_line(pipe, 0);
}

static void test_too_long(void **state)
{
	struct pipe *pipe = *state;
	char text[LINES_MAX_BYTES + 1];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	say(pipe, text);
	assert_no_line(pipe, 0);
	say(pipe, "y\nshort\n");
	assert_no_line(pipe, -E2BIG);
	assert_line(pipe, "short", 2);
	assert_no_line(pipe, 0);
	/* Many times as long, and the last. */
	for (int i = 0; i < 3; i++) {
		say(pipe, text);
		assert_no_line(pipe, 0);
	}
	end(pipe);
	assert_no_line(pipe, -E2BIG);
	assert_no_line(pipe, 0);
	assert_int_equal(pipe->lines.number, 3);
}

static void test_the_longest(void **state)
{
	struct pipe *pipe = *state;
	char text[LINES_MAX_BYTES + 1];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	say(pipe, text);
	text[sizeof(text) - 2] = '\0';
	assert_line(pipe, text, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_behind_the_last_newline, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_longest, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("client-lines", tests, NULL, NULL);
}
