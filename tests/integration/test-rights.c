/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who may do what, tried as other users: the socket's group lets in, the owner of a job and root may
 * change it. Needs root, which can become anybody.
 */

#include "tests/integration/rig.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"

/* Of nobody here: only the numbers count. */
#define GROUP   42420U
#define OWNER   42421U
#define OTHER   42422U
#define OUTSIDE 42423U

/* The exit status of mtkrbctl as that user, in the group or not. */
static int run_as(const struct rig *rig, uid_t uid, bool member, const char *verb,
		  const char *argument)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbctl", getenv("MTKRB_BIN_DIR"));
	/* Opened as root: the build may lie where others do not come. */
	_cleanup_close_ int program = open(path, O_RDONLY | O_CLOEXEC);
	char *const arguments[] = { (char *)"mtkrbctl",
				    (char *)"--quiet",
				    (char *)"--socket",
				    (char *)rig->socket,
				    (char *)verb,
				    (char *)argument,
				    NULL };
	const gid_t group = GROUP;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgroups(member ? 1 : 0, &group) < 0 || setgid(uid) < 0 || setuid(uid) < 0)
			_exit(126);
		(void)fexecve(program, arguments, environ);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int set_up(void **state)
{
	struct stat st;
	struct rig *rig;

	assert_int_equal(rig_test_set_up(state), 0);
	rig = *state;
	/* Others reach the socket, and there its own mode decides. */
	assert_int_equal(chmod(rig->directory, 0755), 0);
	assert_int_equal(stat(rig->socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	/* What the daemon does by itself where the group mtkrb exists. */
	assert_int_equal(chown(rig->socket, (uid_t)-1, GROUP), 0);
	return 0;
}

static void test_outside_of_the_group(void **state)
{
	const struct rig *rig = *state;

	assert_int_not_equal(run_as(rig, OUTSIDE, false, "status", NULL), 0);
	assert_int_equal(run_as(rig, OUTSIDE, true, "status", NULL), 0);
}

static void test_jobs_of_others(void **state)
{
	const struct rig *rig = *state;
	_cleanup_free_ char *id = NULL, *cancel = NULL;
	struct job job;
	int64_t number;

	assert_int_equal(run_as(rig, OWNER, true, "submit", "--slot=nowhere"), 0);
	number = rig_newest_job(rig);
	job = rig_job(rig, number);
	assert_int_equal(job.owner, OWNER);
	job_clear(&job);
	id = str_format("%" PRId64, number);
	assert_int_equal(run_as(rig, OTHER, true, "show", id), 0);
	assert_int_equal(run_as(rig, OTHER, true, "cancel", id), 5);
	assert_int_equal(run_as(rig, OWNER, true, "cancel", id), 0);
	assert_int_equal(run_as(rig, OTHER, true, "retry", id), 5);
	assert_int_equal(run_as(rig, OWNER, true, "retry", id), 0);
	cancel = str_format("{\"id\":%s}", id);
	/* As root. */
	message_unref(rig_call(rig, "Cancel", cancel, NULL));
	job = rig_wait(rig, number, JOB_CANCELLED, 10);
	job_clear(&job);
}

/* What the rules began has no other owner than the daemon: whoever stands at the bench may direct it. */
static void test_jobs_of_the_daemon(void **state)
{
	const struct rig *rig = *state;
	int64_t number = rig_submit(rig, "{\"slot\":\"nowhere\"}");
	_cleanup_free_ char *id = str_format("%" PRId64, number);
	struct job job = rig_job(rig, number);

	/* Here the daemon runs as root. */
	assert_int_equal(job.owner, getuid());
	job_clear(&job);
	assert_int_equal(run_as(rig, OTHER, true, "cancel", id), 0);
	assert_int_equal(run_as(rig, OTHER, true, "retry", id), 0);
	assert_int_not_equal(run_as(rig, OUTSIDE, false, "cancel", id), 0);
	job = rig_job(rig, number);
	assert_int_equal(job.state, JOB_QUEUED);
	job_clear(&job);
}

/* Who fills the queue fills it for himself. */
static void test_a_queue_of_ones_own(void **state)
{
	const struct rig *rig = *state;

	for (unsigned int i = 0; i < LIMIT_QUEUED_PER_UID / LIMIT_COUNT; i++)
		assert_int_equal(run_as(rig, OWNER, true, "submit", "--count=1000"), 0);
	assert_int_equal(run_as(rig, OWNER, true, "submit", NULL), 6);
	assert_int_equal(run_as(rig, OTHER, true, "submit", "--slot=nowhere"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_outside_of_the_group, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_jobs_of_others, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_jobs_of_the_daemon, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_a_queue_of_ones_own, set_up,
						rig_test_tear_down),
	};

	if (geteuid() != 0) {
		fprintf(stderr, "only root can become another user\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
