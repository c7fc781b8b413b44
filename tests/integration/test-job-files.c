/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What goes with a job, by descriptor: stored durably, given to the worker, gone in time. */

#include "tests/integration/file-bench.h"

/* As a package for a DZ09 has it. */
#define SCATTER                                  \
	"general:\n    config_version : alpha\n" \
	"    platform: MT6260\nboot_region:\n"   \
	"  alignment: block\n  rom:\n"           \
	"    - file: DZ09_boot.bin\n    - file: DZ09.bin\n"

/* What a job keeps there. */
static char *job_file(const struct rig *rig, int64_t id, const char *kind)
{
	return str_format("%s/job-files/%" PRId64 ".%s", rig->state, id, kind);
}

static bool has_job_file(const struct rig *rig, int64_t id, const char *kind)
{
	_cleanup_free_ char *path = job_file(rig, id, kind);

	return file_exists(path);
}

static int64_t submitted(const struct output *output)
{
	int64_t id;
	_cleanup_free_ char *line = strndup(output->out, strcspn(output->out, "\n"));

	assert_int_equal(output->status, 0);
	assert_int_equal(parse_int(line, 1, INT64_MAX, &id), 0);
	return id;
}

static void test_submit_survives(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *scatter = str_format("%s/scatter.txt", rig->directory), *da = NULL;
	_cleanup_(output_clear) struct output output = { 0 }, cancelled = { 0 };
	struct job job;
	char path[160];
	int64_t id;

	make_container(rig, "agents.bin", path);
	assert_int_equal(fd_replace_file(AT_FDCWD, scatter, SCATTER, strlen(SCATTER), 0600), 0);
	_cleanup_free_ char *da_option = str_format("--da=%s", path);
	_cleanup_free_ char *scatter_option = str_format("--scatter=%s", scatter);

	output = rig_ctl(rig, "submit", da_option, scatter_option, NULL);
	id = submitted(&output);
	assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
	/* The user's own file is not needed any more. */
	da = job_file(rig, id, "da");
	assert_true(same_content(da, path));
	assert_int_equal(unlink(path), 0);
	rig_start(rig);
	assert_int_equal(file_size(da), 0x2000);
	assert_true(has_job_file(rig, id, "scatter"));
	job = rig_job(rig, id);
	assert_string_equal(job.request.da, "agents.bin");
	assert_string_equal(job.request.scatter, "scatter.txt");
	job_clear(&job);
	assert_false(in_state(rig, "job-files/incoming.da"));

	_cleanup_free_ char *number = str_format("%" PRId64, id);
	cancelled = rig_ctl(rig, "cancel", number, NULL);
	assert_int_equal(cancelled.status, 0);
	assert_false(file_exists(da));
	assert_false(has_job_file(rig, id, "scatter"));
}

/* The worker has the file: it says what is wrong with it. A failed job keeps it for a retry. */
static void test_worker_gets_it(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *path = str_format("%s/bare.bin", rig->directory), *da = NULL;
	_cleanup_(output_clear) struct output output = { 0 };
	struct watch watch;
	struct job job;
	int64_t id;

	assert_int_equal(fd_replace_file(AT_FDCWD, path, "text\n", 5, 0600), 0);
	_cleanup_free_ char *option = str_format("--da=%s", path);

	output = rig_ctl(rig, "submit", option, "--method=da", NULL);
	id = submitted(&output);
	da = job_file(rig, id, "da");
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_FAILED, 30);
	assert_int_equal(job.failure.code, FAILURE_DA_MISSING);
	assert_non_null(strstr(job.failure.message, "bare.bin"));
	assert_non_null(strstr(job.failure.message, "not a container of download agents"));
	job_clear(&job);
	assert_true(same_content(da, path));
	watch_unplug(&watch);
}

/* Without a file the worker looks through what the daemon keeps. */
static void test_worker_looks_through_agents(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output added = { 0 };
	static const uint8_t hw_code[] = { 0x60, 0x62 };
	_cleanup_close_ int fd = -1;
	struct watch watch;
	struct job job;
	char path[160];
	int64_t id;

	make_container(rig, "for-another-chip.bin", path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(fd_pwrite_all(fd, hw_code, sizeof(hw_code), 0x6E), 0);
	added = rig_ctl(rig, "da", "add", path, NULL);
	assert_int_equal(added.status, 0);
	id = rig_submit(rig, "{\"method\":\"da\"}");
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_FAILED, 30);
	assert_int_equal(job.failure.code, FAILURE_DA_MISSING);
	job_clear(&job);
	watch_unplug(&watch);
}

/* A cancelled job does not keep its file, and says so when it is tried again. */
static void test_retry_without_its_file(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output output = { 0 }, cancelled = { 0 }, retried = { 0 };
	struct watch watch;
	struct job job;
	char path[160];
	int64_t id;

	make_container(rig, "agents.bin", path);
	_cleanup_free_ char *option = str_format("--da=%s", path);

	output = rig_ctl(rig, "submit", option, NULL);
	id = submitted(&output);
	_cleanup_free_ char *number = str_format("%" PRId64, id);

	cancelled = rig_ctl(rig, "cancel", number, NULL);
	assert_int_equal(cancelled.status, 0);
	retried = rig_ctl(rig, "retry", number, NULL);
	assert_int_equal(retried.status, 0);
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_FAILED, 30);
	assert_int_equal(job.failure.code, FAILURE_DA_MISSING);
	assert_non_null(strstr(job.failure.hint, "submit it again"));
	job_clear(&job);
	watch_unplug(&watch);
}

/* What a crash leaves of jobs that do not need it, or never came to be, goes at the next start. */
static void test_recover(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *stray = job_file(rig, 4711, "da");
	_cleanup_free_ char *half = str_format("%s/job-files/incoming.da", rig->state);

	assert_int_equal(fd_replace_file(AT_FDCWD, stray, "x", 1, 0600), 0);
	assert_int_equal(fd_replace_file(AT_FDCWD, half, "x", 1, 0600), 0);
	assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
	rig_start(rig);
	assert_false(file_exists(stray));
	assert_false(file_exists(half));
}

static void test_count_shares(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output output = { 0 };
	_cleanup_free_ char *path_of_first = NULL;
	char path[160];
	struct stat st;

	make_container(rig, "agents.bin", path);
	_cleanup_free_ char *da_option = str_format("--da=%s", path);

	output = rig_ctl(rig, "submit", da_option, "--count=1000", NULL);
	path_of_first = job_file(rig, submitted(&output), "da");
	assert_int_equal(stat(path_of_first, &st), 0);
	assert_int_equal(st.st_nlink, 1000);
}

static void test_by_name(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output added = { 0 }, output = { 0 }, unknown = { 0 };
	_cleanup_(output_clear) struct output removed = { 0 };
	_cleanup_free_ char *da = NULL;
	char path[160];

	make_container(rig, "agents.bin", path);
	added = rig_ctl(rig, "da", "add", path, "--name=bench-agent", NULL);
	assert_int_equal(added.status, 0);
	output = rig_ctl(rig, "submit", "--da=bench-agent", NULL);
	da = job_file(rig, submitted(&output), "da");
	assert_true(same_content(da, path));
	/* The job has its own. */
	removed = rig_ctl(rig, "da", "remove", "bench-agent", NULL);
	assert_int_equal(removed.status, 0);
	assert_true(same_content(da, path));
	unknown = rig_ctl(rig, "submit", "--da=bench-agent", NULL);
	assert_int_equal(unknown.status, 6);
	assert_non_null(strstr(unknown.err, "keeps no file bench-agent"));
}

/* A path in a request is a name that does not fit: nothing is opened on a client's word. */
static void test_no_path(void **state)
{
	struct rig *rig = *state;
	static const char *const references[] = {
		"/etc/passwd", "../mtkrbd.sqlite", "..",   "fd:4", "fd:00", "fd:",
		"fd:0:",       "fd:0:fd:1",        "fd:-1"
	};
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(references); i++) {
		_cleanup_free_ char *da =
			str_format("{\"request\":{\"da\":\"%s\"}}", references[i]);
		_cleanup_free_ char *scatter =
			str_format("{\"request\":{\"scatter\":\"%s\"}}", references[i]);

		expect_refusal(rig, "Submit", da, &fd, 1, OURS "InvalidRequest", "\"da\"");
		expect_refusal(rig, "Submit", scatter, &fd, 1, OURS "InvalidRequest",
			       "\"scatter\"");
	}
	assert_int_equal(rig_newest_job(rig), 0);
}

static void test_submit_refused(void **state)
{
	struct rig *rig = *state;
	_cleanup_close_ int device = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int file = memfd_create("file", 0);
	const int both[] = { file, device };

	assert_int_equal(ftruncate(file, (off_t)LIMIT_SCATTER_BYTES + 1), 0);
	expect_refusal(rig, "Submit", "{\"request\":{\"da\":\"fd:1\"}}", both, 2,
		       OURS "InvalidRequest", "regular file");
	expect_refusal(rig, "Submit", "{\"request\":{\"da\":\"fd:2\"}}", both, 2,
		       OURS "InvalidRequest", "did not come with the call");
	expect_refusal(rig, "Submit", "{\"request\":{\"scatter\":\"fd:0\"}}", both, 2,
		       OURS "InvalidRequest", "larger than 1.0 MiB");
	/* The agent fits; what is wrong with the other takes it back. */
	expect_refusal(rig, "Submit", "{\"request\":{\"da\":\"fd:0\",\"scatter\":\"fd:0\"}}", both,
		       2, OURS "InvalidRequest", "\"scatter\"");
	assert_false(in_state(rig, "job-files/incoming.da"));
	expect_refusal(rig, "Submit", "{\"request\":{\"da_layout\":\"da1=0:1:2\"}}", both, 2,
		       OURS "InvalidRequest", "da_layout");
	expect_refusal(rig, "Submit", "{\"request\":{\"da\":\"fd:0\",\"method\":\"brom\"}}", both,
		       2, OURS "InvalidRequest", "\"da\"");
	assert_int_equal(rig_newest_job(rig), 0);
}

/* The largest file that is taken: how long the loop cannot do anything else. */
static void test_largest(void **state)
{
	struct rig *rig = *state;
	_cleanup_close_ int file = memfd_create("file", 0);
	_cleanup_free_ uint8_t *block = malloc(1 << 20);
	struct varlink_reply reply;
	uint64_t begun;

	memset(block, 0x5A, 1 << 20);
	for (uint64_t at = 0; at < LIMIT_AGENT_BYTES; at += 1 << 20)
		assert_int_equal(fd_pwrite_all(file, block, 1 << 20, at), 0);
	begun = time_now();
	reply = call_with(rig, "Submit", "{\"request\":{\"da\":\"fd:0\"}}", &file, 1);
	print_message("64 MiB taken in %llu ms\n", (time_now() - begun) / USEC_PER_MSEC);
	assert_null(reply.error);
	assert_true(time_now() - begun < 20 * USEC_PER_SEC);
	varlink_reply_clear(&reply);
	assert_true(has_job_file(rig, rig_newest_job(rig), "da"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_test_set_up, rig_test_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_submit_survives),
		TEST(test_worker_gets_it),
		TEST(test_worker_looks_through_agents),
		TEST(test_retry_without_its_file),
		TEST(test_recover),
		TEST(test_count_shares),
		TEST(test_by_name),
		TEST(test_no_path),
		TEST(test_submit_refused),
		TEST(test_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
