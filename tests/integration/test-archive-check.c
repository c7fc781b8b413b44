/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A worker that checks a finished backup finds every damage. */

#include <fcntl.h>
#include <unistd.h>

#include "tests/integration/worker-rig.h"

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

static struct outcome check_archive(struct worker_rig *rig)
{
	struct worker_message check = { .type = WORKER_CHECK };
	int dir = open(rig->staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	worker_rig_start_worker(rig);
	assert_int_equal(worker_message_send(rig->socket, &check, dir), 0);
	close(dir);
	return worker_rig_finish(rig);
}

static void change_byte(struct worker_rig *rig, const char *name, off_t at)
{
	_cleanup_free_ char *path = str_format("%s/%s", rig->staging, name);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

/* The figure of the manifest's format becomes another one. */
static void set_format(struct worker_rig *rig, char digit)
{
	_cleanup_free_ char *path = str_format("%s/manifest.json", rig->staging);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	char text[64] = "";
	const char *colon;

	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	assert_non_null(colon = strstr(text, "\"format\":"));
	colon += strcspn(colon, "0123456789");
	assert_int_equal(pwrite(fd, &digit, 1, colon - text), 1);
}

/* A backup that this version cannot read is not damaged. */
static void test_newer_format(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;

	worker_rig_start_watch(rig, NULL);
	outcome = worker_rig_run(rig, worker_rig_new_explicit(0, 0x4000));
	worker_rig_assert_done(&outcome);
	worker_rig_clear(&outcome);
	set_format(rig, '9');
	outcome = check_archive(rig);
	worker_rig_assert_failed(&outcome, FAILURE_WORKER_CRASHED);
	worker_rig_clear(&outcome);
	set_format(rig, '1');
	outcome = check_archive(rig);
	worker_rig_assert_done(&outcome);
}

static void test_check(void **state)
{
	static const char *const names[] = { "ROM_0", "report.txt", "SHA256SUMS", "manifest.json" };
	struct worker_rig *rig = *state;
	struct outcome outcome;

	worker_rig_start_watch(rig, NULL);
	outcome = worker_rig_run(rig, worker_rig_new_explicit(0, 0x4000));
	worker_rig_assert_done(&outcome);
	worker_rig_clear(&outcome);
	outcome = check_archive(rig);
	worker_rig_assert_done(&outcome);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		change_byte(rig, names[i], 20);
		outcome = check_archive(rig);
		worker_rig_assert_failed(&outcome, FAILURE_ARCHIVE_ERROR);
		worker_rig_clear(&outcome);
		change_byte(rig, names[i], 20);
	}
	outcome = check_archive(rig);
	worker_rig_assert_done(&outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_check, worker_rig_set_up,
						worker_rig_tear_down),
		cmocka_unit_test_setup_teardown(test_newer_format, worker_rig_set_up,
						worker_rig_tear_down),
	};

	return cmocka_run_group_tests_name("archive-check", tests, NULL, NULL);
}
