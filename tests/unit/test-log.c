/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "daemon/log-ids.h"
#include "daemon/log.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

/* Stands before libsystemd's: what the journal would get, a field a line. */
static char journal[1024];
int sd_journal_sendv(const struct iovec *iov, int n);
int sd_journal_sendv(const struct iovec *iov, int n)
{
	journal[0] = '\0';
	for (int i = 0; i < n; i++) {
		strncat(journal, iov[i].iov_base, iov[i].iov_len);
		strcat(journal, "\n");
	}
	return 0;
}

/* stderr while a test runs: a file in memory. */
struct capture {
	int file;
	int stderr_before;
};

static int set_up(void **state)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	assert_non_null(capture);
	capture->file = memfd_create("stderr", MFD_CLOEXEC);
	capture->stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(capture->file >= 0 && capture->stderr_before >= 0);
	assert_int_equal(dup2(capture->file, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	assert_int_equal(unsetenv("INVOCATION_ID"), 0);
	log_set_level(LOG_INFO);
	*state = capture;
	return 0;
}

static int tear_down(void **state)
{
	struct capture *capture = *state;

	assert_int_equal(dup2(capture->stderr_before, STDERR_FILENO), STDERR_FILENO);
	fd_close(capture->stderr_before);
	fd_close(capture->file);
	free(capture);
	return 0;
}

static void assert_logged(const struct capture *capture, const char *expected)
{
	char text[8192] = "";

	assert_true(pread(capture->file, text, sizeof(text) - 1, 0) >= 0);
	assert_string_equal(text, expected);
	assert_int_equal(ftruncate(capture->file, 0), 0);
	assert_int_equal(lseek(capture->file, 0, SEEK_SET), 0);
}

static void test_plain_lines(void **state)
{
	const struct capture *capture = *state;
	const struct log_context whole = { .job = 12, .slot = "left", .chip = "MT6261" };
	const struct log_context job = { .job = 7 };

	log_info("%d ports", 3);
	assert_logged(capture, "3 ports\n");
	log_event(LOG_ERR, &whole, "no answer");
	assert_logged(capture, "error: job 12: left: MT6261: no answer\n");
	log_event(LOG_WARNING, &job, "slow");
	assert_logged(capture, "warning: job 7: slow\n");
	errno = ENOSPC;
	log_notice("cannot write: %m");
	assert_int_equal(errno, ENOSPC);
	assert_logged(capture, "cannot write: No space left on device\n");
}

static void test_levels(void **state)
{
	const struct capture *capture = *state;
	int level = -1;

	log_debug("not told");
	assert_logged(capture, "");
	log_set_level(LOG_DEBUG);
	log_debug("told");
	assert_logged(capture, "debug: told\n");
	log_set_level(LOG_ERR);
	log_warning("not told");
	assert_logged(capture, "");

	assert_int_equal(log_level_from_string("warning", &level), 0);
	assert_int_equal(level, LOG_WARNING);
	assert_int_equal(log_level_from_string("WARNING", &level), -EINVAL);
	assert_int_equal(log_level_from_string("", &level), -EINVAL);
	assert_int_equal(level, LOG_WARNING);
}

/* A service whose stderr goes to something else than the journal, which reads the prefix. */
static void test_prefixes(void **state)
{
	const struct capture *capture = *state;

	assert_int_equal(setenv("INVOCATION_ID", "0123", 1), 0);
	log_error("bad");
	assert_logged(capture, "<3>bad\n");
	log_event(LOG_INFO, &(struct log_context){ .slot = "left" }, "good");
	assert_logged(capture, "<6>left: good\n");
}

/* The journal is another file than this stderr: both are compared, and rubbish is no match. */
static void test_other_stream(void **state)
{
	static const char *const streams[] = { "1:2", "", "8", "8:", "x:y", "8:1 ", "08:1" };
	const struct capture *capture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		assert_int_equal(setenv("JOURNAL_STREAM", streams[i], 1), 0);
		log_info("here");
		assert_logged(capture, "here\n");
	}
}

static void test_journal(void **state)
{
	const struct capture *capture = *state;
	const struct log_context context = { .id = LOG_ID_JOB_FAILED,
					     .job = 12,
					     .slot = "left",
					     .chip = "MT6261",
					     .failure = "read-failed" };
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_event(LOG_WARNING, &context, "no\nanswer");
	assert_string_equal(journal, "MESSAGE=no answer\nPRIORITY=4\n"
				     "MESSAGE_ID=" LOG_ID_JOB_FAILED "\nMTKRB_JOB=12\n"
				     "MTKRB_SLOT=left\nMTKRB_CHIP=MT6261\n"
				     "MTKRB_FAILURE=read-failed\n");
	log_event(LOG_NOTICE, &(struct log_context){ .backup = "20261123T143110Z-mt6261-A1-7" },
		  "whole");
	assert_string_equal(journal, "MESSAGE=whole\nPRIORITY=5\n"
				     "MTKRB_BACKUP=20261123T143110Z-mt6261-A1-7\n");
	log_info("plain");
	assert_string_equal(journal, "MESSAGE=plain\nPRIORITY=6\n");
	assert_logged(capture, "");
}

static void test_hostile_text(void **state)
{
	const struct capture *capture = *state;
	_cleanup_free_ char *large = calloc(1, 10001);
	char text[8192] = "";
	ssize_t n;

	log_event(LOG_INFO, &(struct log_context){ .slot = "a\nb" }, "%s", "x\n<3>y\033[2J\r\177");
	assert_logged(capture, "a b: x <3>y [2J  \n");
	assert_non_null(large);
	memset(large, 'x', 10000);
	log_info("%s", large);
	n = pread(capture->file, text, sizeof(text), 0);
	assert_true(n > 1000 && n < 4096);
	assert_int_equal(text[n - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_prefixes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_journal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_text, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
