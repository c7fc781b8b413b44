/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mtkrbctl check on files: what it prints, and how it ends. No daemon runs. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"
#include "tests/watch/flash-image.h"

#define MIB (1U << 20)

/* A folder with the images of a test: a whole one as "a", changed ones as the test likes. */
struct bench {
	char folder[32];
	uint8_t *image;
};

struct outcome {
	int status;
	char *out, *err;
};

static void outcome_clear(struct outcome *outcome)
{
	free(outcome->out);
	free(outcome->err);
}
#define _cleanup_outcome_ _cleanup_(outcome_clear)

static void put(const struct bench *bench, const char *name, size_t size)
{
	_cleanup_free_ char *path = str_format("%s/%s", bench->folder, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bench->image, size), 0);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench || flash_image_new(MIB, "MT6261", &bench->image) < 0)
		return -1;
	strcpy(bench->folder, "/tmp/test-check-XXXXXX");
	if (!mkdtemp(bench->folder))
		return -1;
	put(bench, "a", MIB);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "a", "b" };
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = str_format("%s/%s", bench->folder, names[i]);

		(void)unlink(path);
	}
	(void)rmdir(bench->folder);
	free(bench->image);
	free(bench);
	return 0;
}

_noreturn_ static void client_exec(const struct bench *bench, char **argv, int out, int err)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbctl", getenv("MTKRB_BIN_DIR"));

	/* A socket that nobody listens on: the verb must not ask. */
	if (!path || chdir(bench->folder) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(err, STDERR_FILENO) < 0 || setenv("MTKRB_SOCKET", "/nowhere/socket", 1) < 0)
		_exit(99);
	execv(path, argv);
	_exit(98);
}

/* The whole content of a memfd, which is closed. */
static char *content(int fd)
{
	struct stat st;
	char *text;

	assert_int_equal(fstat(fd, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(fd_pread_all(fd, text, (size_t)st.st_size, 0), 0);
	close(fd);
	return text;
}

/* Words behind "check", at most three, NULL where there are fewer; runs in the folder. */
static struct outcome check(const struct bench *bench, const char *a, const char *b, const char *c)
{
	char *argv[] = {
		(char *)"mtkrbctl", (char *)"check", (char *)a, (char *)b, (char *)c, NULL
	};
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	struct outcome outcome = { .status = -1 };
	int status;
	pid_t pid;

	assert_true(out >= 0 && err >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		client_exec(bench, argv, out, err);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		outcome.status = WEXITSTATUS(status);
	outcome.out = content(out);
	outcome.err = content(err);
	return outcome;
}

static void reports_whole_image(void **state)
{
	_cleanup_outcome_ struct outcome outcome = check(*state, "a", NULL, NULL);
	const char *bar;

	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.err, "");
	assert_null(strchr(outcome.out, '\033'));
	assert_non_null(strstr(outcome.out, "MTKRBWATCH_MT6261_S00"));
	assert_non_null(strstr(outcome.out, "c22534 ef6014 c22814"));
	assert_non_null(strstr(outcome.out, "0x00002800   0x7328"));
	assert_non_null(strstr(outcome.out, "unknown second-readback"));
	assert_non_null(strstr(outcome.out, "hint: read the watch again"));
	assert_non_null(strstr(outcome.out, "nothing the remaining"));
	assert_null(strstr(outcome.out, "Score 100"));
	/* The bar: 80 columns, ROM first, the user area and the control block at its end. */
	bar = strstr(outcome.out, "\n\n");
	assert_non_null(bar);
	assert_int_equal(strcspn(bar + 2, "\n"), 80);
	assert_int_equal(strspn(bar + 2 + 60, "U"), 19);
	assert_int_equal(bar[2 + 79], 'C');
	assert_non_null(memchr(bar + 2, 'R', 10));
}

static void is_shorter_when_quiet(void **state)
{
	_cleanup_outcome_ struct outcome outcome = check(*state, "--quiet", "a", NULL);

	assert_int_equal(outcome.status, 0);
	assert_null(strstr(outcome.out, "passed  "));
	assert_non_null(strstr(outcome.out, "unknown content"));
}

static void fails_for_damaged_image(void **state)
{
	struct bench *bench = *state;
	_cleanup_outcome_ struct outcome outcome = { 0 };
	const char *failed;

	bench->image[0x3000] ^= 1;
	put(bench, "b", MIB);
	bench->image[0x3000] ^= 1;
	outcome = check(bench, "b", NULL, NULL);
	assert_int_equal(outcome.status, 1);
	assert_non_null(strstr(outcome.err, "mtkrbctl: b: 1 check failed: digest: "));
	assert_non_null(strstr(outcome.err, "\nhint: read the watch again\n"));
	failed = strstr(outcome.out, "FAILED  digest");
	assert_non_null(failed);
	/* Failures first. */
	assert_true(failed < strstr(outcome.out, "unknown second-readback"));
	assert_true(failed < strstr(outcome.out, "passed  size"));
}

static void names_the_length_for_cut_image(void **state)
{
	struct bench *bench = *state;
	_cleanup_outcome_ struct outcome outcome = { 0 };

	put(bench, "b", MIB / 4);
	outcome = check(bench, "b", NULL, NULL);
	assert_int_equal(outcome.status, 1);
	assert_non_null(strstr(outcome.out, "FATAL   length"));
	assert_non_null(strstr(outcome.out, "hint: read 0x100000 bytes"));
}

static void compares_two(void **state)
{
	struct bench *bench = *state;
	_cleanup_outcome_ struct outcome same = { 0 }, other = { 0 };

	/* Only the user area differs. */
	bench->image[0xd0000] ^= 1;
	put(bench, "b", MIB);
	same = check(bench, "a", "b", NULL);
	assert_int_equal(same.status, 0);
	assert_non_null(strstr(same.out, "Score 100 of 100"));
	bench->image[0x50000] ^= 1;
	put(bench, "b", MIB);
	bench->image[0x50000] ^= 1;
	bench->image[0xd0000] ^= 1;
	other = check(bench, "a", "b", NULL);
	assert_int_equal(other.status, 1);
	assert_non_null(strstr(other.out, "differs  0x00050000 to 0x00050000\n"));
	assert_non_null(strstr(other.err, "differs in 1 byte at 1 place"));
}

/* A file proves nothing about itself. */
static void refuses_one_file_twice(void **state)
{
	_cleanup_outcome_ struct outcome outcome = check(*state, "a", "./a", NULL);

	assert_int_equal(outcome.status, 2);
	assert_non_null(strstr(outcome.err, "the same file"));
}

static void speaks_json(void **state)
{
	_cleanup_outcome_ struct outcome outcome = check(*state, "--json", "a", NULL);
	_cleanup_message_ struct json_object *report = NULL;
	struct json_object *regions;
	int64_t size, score, offset, length, end = 0;

	assert_int_equal(outcome.status, 0);
	assert_int_equal(message_parse(outcome.out, strlen(outcome.out), &report), 0);
	assert_string_equal(message_string(message_member(report, "platform")), "MT6261");
	assert_int_equal(message_int(message_member(report, "size"), &size), 0);
	assert_int_equal(message_int(message_member(report, "score"), &score), 0);
	assert_int_equal(size, MIB);
	assert_in_range(score, 80, 99);
	assert_int_equal(message_length(message_member(report, "parts")), 4);
	assert_int_equal(message_length(message_member(report, "flash_ids")), 3);
	assert_true(message_length(message_member(report, "checks")) > 30);
	assert_null(message_member(report, "difference"));
	regions = message_member(report, "regions");
	for (size_t i = 0; i < message_length(regions); i++) {
		struct json_object *region = message_at(regions, i);

		assert_int_equal(message_int(message_member(region, "offset"), &offset), 0);
		assert_int_equal(message_int(message_member(region, "length"), &length), 0);
		assert_int_equal(offset, end);
		end += length;
	}
	assert_int_equal(end, MIB);
}

static void refuses_what_is_no_image(void **state)
{
	struct bench *bench = *state;
	static const struct {
		const char *words[3];
		int status;
		const char *text;
	} cases[] = {
		{ { "nothing" }, 4, "mtkrbctl: nothing: No such file or directory\n" },
		{ { "a", "nothing" }, 4, "nothing: No such file or directory\n" },
		{ { "." }, 1, "no regular file\nhint: " },
		{ { "b" }, 1, "is empty\nhint: " },
		{ { NULL }, 2, "missing FILE [FILE2]\nhint: " },
		{ { "a", "a", "a" }, 2, "too many arguments: a\nhint: " },
		{ { "--frob", "a" }, 2, "unknown option: --frob\nhint: " },
	};

	put(bench, "b", 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_outcome_ struct outcome outcome =
			check(bench, cases[i].words[0], cases[i].words[1], cases[i].words[2]);

		assert_int_equal(outcome.status, cases[i].status);
		assert_non_null(strstr(outcome.err, cases[i].text));
		assert_string_equal(outcome.out, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reports_whole_image, setup, teardown),
		cmocka_unit_test_setup_teardown(is_shorter_when_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(fails_for_damaged_image, setup, teardown),
		cmocka_unit_test_setup_teardown(names_the_length_for_cut_image, setup, teardown),
		cmocka_unit_test_setup_teardown(compares_two, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_one_file_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(speaks_json, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_image, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
