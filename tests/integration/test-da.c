/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The real worker reads the virtual watch through a download agent: whole, with faults, refused. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/worker-rig.h"

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "tests/da-image.h"

#define CAPTURE MTKRB_TEST_DATA "/captures/mt6261-flashtool.txt"

/* As large as those of the capture, less the signature's sense. */
#define FIRST_BYTES  1076U
#define SECOND_BYTES 111784U

static void path_of(const struct worker_rig *rig, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", rig->folder, name);
}

static void make_agent(const struct worker_rig *rig, const char *name, uint16_t hw_code)
{
	struct da_image image = {
		.hw_code = hw_code,
		.first_size = FIRST_BYTES,
		.second_size = SECOND_BYTES,
	};
	_cleanup_close_ int fd = -1;
	char path[128];

	assert_true(da_image_add_rows(&image, CAPTURE) == 18);
	path_of(rig, name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(da_image_write(&image, fd), 0);
}

static void make_flash(const struct worker_rig *rig, const char *size)
{
	_cleanup_free_ char *command = str_format("%s/mtkrb-watch --flash=new:%s --dump=%s",
						  getenv("MTKRB_BIN_DIR"), size, rig->image);

	assert_non_null(command);
	assert_int_equal(system(command), 0);
}

static struct worker_read new_read(enum read_method method)
{
	struct worker_read read = worker_rig_new_read();

	read.request.method = method;
	read.request.da = strdup("agent.bin");
	return read;
}

/* Listens for the upload on the way to the end. */
static struct outcome finish(struct worker_rig *rig, uint64_t *ret_uploaded)
{
	struct worker_message message;

	*ret_uploaded = 0;
	for (;;) {
		bool upload;

		worker_rig_receive(rig, &message);
		upload = message.type == WORKER_PROGRESS && message.progress.phase == PHASE_UPLOAD;
		if (upload)
			*ret_uploaded = message.progress.done;
		if (message.type != WORKER_PROGRESS ||
		    (*ret_uploaded > 0 && *ret_uploaded == message.progress.total))
			break;
		worker_message_clear(&message);
	}
	if (message.type == WORKER_PROGRESS)
		return worker_rig_finish(rig);
	/* It ended before the upload did: as the rig would have told it. */
	{
		struct outcome outcome = { .type = message.type };

		if (message.type == WORKER_FAILED)
			assert_int_equal(failure_copy(&message.failure, &outcome.failure), 0);
		worker_message_clear(&message);
		worker_rig_stop_process(&rig->worker);
		rig->socket = fd_close(rig->socket);
		return outcome;
	}
}

/* Takes read. agent and folder: names below the rig's folder, NULL: none goes with the job. */
static struct outcome run(struct worker_rig *rig, struct worker_read read, const char *agent,
			  const char *folder, uint64_t *ret_uploaded)
{
	struct worker_message message = { .type = WORKER_READ, .read = read };
	struct worker_files files = WORKER_FILES_NONE;
	struct outcome outcome;
	char chip[32], path[128];

	if (!worker_rig_identify(rig, chip, &outcome))
		fail_msg("no identity: %s", outcome.failure.message);
	files.fds[WORKER_FILE_DIRECTORY] = open(rig->staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (agent) {
		path_of(rig, agent, path);
		files.fds[WORKER_FILE_DA] = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(files.fds[WORKER_FILE_DA] >= 0);
	}
	if (folder) {
		path_of(rig, folder, path);
		files.fds[WORKER_FILE_AGENTS] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(files.fds[WORKER_FILE_AGENTS] >= 0);
	}
	assert_int_equal(worker_message_send_files(rig->socket, &message, &files), 0);
	worker_files_close(&files);
	outcome = finish(rig, ret_uploaded);
	worker_message_clear(&message);
	return outcome;
}

static void load_manifest(struct worker_rig *rig, struct manifest *ret)
{
	_cleanup_free_ char *path = str_format("%s/%s", rig->staging, MANIFEST_FILE);
	_cleanup_free_ char *text = NULL;

	assert_int_equal(fd_read_file(AT_FDCWD, path, 1U << 20, &text, NULL), 0);
	assert_int_equal(manifest_from_text(text, ret, NULL), 0);
}

static void restart(struct worker_rig *rig)
{
	worker_rig_stop_watch(rig);
	worker_rig_empty(rig->staging);
}

static bool log_has(const struct worker_rig *rig, const char *text)
{
	_cleanup_free_ char *data = NULL;
	char path[128];

	path_of(rig, "log", path);
	assert_int_equal(fd_read_file(AT_FDCWD, path, 4U << 20, &data, NULL), 0);
	return strstr(data, text);
}

static char *log_option(const struct worker_rig *rig)
{
	return str_format("--log=%s/log", rig->folder);
}

/* ---- whole flashes ---- */

static void read_whole(struct worker_rig *rig, const char *size, const char *build,
		       const char *jedec)
{
	const uint64_t bytes = strtoull(size, NULL, 10) << 20;
	struct manifest manifest = { 0 };
	struct outcome outcome;
	uint64_t uploaded;

	make_flash(rig, size);
	worker_rig_start_watch(rig, build, NULL);
	outcome = run(rig, new_read(METHOD_DA), "agent.bin", NULL, &uploaded);
	worker_rig_assert_done(&outcome);
	assert_int_equal(uploaded, FIRST_BYTES + SECOND_BYTES);
	worker_rig_assert_image(rig, "ROM_0", 0, bytes);
	assert_true(worker_rig_sums_agree(rig));
	load_manifest(rig, &manifest);
	assert_string_equal(manifest.read.method, "da");
	assert_string_equal(manifest.watch.jedec, jedec);
	assert_int_equal(manifest.watch.flash_size, bytes);
	assert_string_equal(manifest.watch.evidence[0].source, "da-report");
	assert_int_equal(manifest.watch.evidence[0].size, bytes);
	assert_int_equal(manifest.read.retries, 0);
	assert_true(manifest.read.verify_ok);
	assert_int_equal(manifest.read.verify_bytes, bytes);
	manifest_clear(&manifest);
	worker_rig_clear(&outcome);
	restart(rig);
}

static void test_whole(void **state)
{
	struct worker_rig *rig = *state;

	make_agent(rig, "agent.bin", 0x6261);
	read_whole(rig, "4M", "--da-build=old", "c22536");
	read_whole(rig, "8M", "--da-build=new", "c22537");
	read_whole(rig, "16M", "--da-build=old", "c22538");
}

static void test_faults(void **state)
{
	static const char *const faults[] = {
		"--fault=da-sum@20",         "--fault=short@0x60002", "--fault=flip@0x90001",
		"--fault=stall@0xa0000:300", "--fault=da-nack@5",     "--fault=stall@0xb0000:4000",
	};
	struct worker_rig *rig = *state;

	make_agent(rig, "agent.bin", 0x6261);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct outcome outcome;
		uint64_t uploaded;

		worker_rig_start_watch(rig, faults[i], NULL);
		outcome = run(rig, new_read(METHOD_DA), "agent.bin", NULL, &uploaded);
		worker_rig_assert_done(&outcome);
		worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
		worker_rig_clear(&outcome);
		restart(rig);
	}
}

/* All faults of packets at once, in the larger flashes. */
static void test_many_faults(void **state)
{
	static const char *const sizes[] = { "4M", "8M", "16M" };
	struct worker_rig *rig = *state;

	make_agent(rig, "agent.bin", 0x6261);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct outcome outcome;
		uint64_t uploaded;

		make_flash(rig, sizes[i]);
		worker_rig_start_watch(rig, "--fault=da-sum@100", "--fault=da-sum@101",
				       "--fault=flip@0x1FFFFF", "--fault=short@0x200000",
				       "--fault=da-nack@20", NULL);
		outcome = run(rig, new_read(METHOD_DA), "agent.bin", NULL, &uploaded);
		worker_rig_assert_done(&outcome);
		worker_rig_assert_image(rig, "ROM_0", 0, strtoull(sizes[i], NULL, 10) << 20);
		worker_rig_clear(&outcome);
		restart(rig);
	}
}

static void test_resume(void **state)
{
	struct worker_rig *rig = *state;
	struct manifest manifest = { 0 };
	struct outcome outcome;
	uint64_t uploaded;

	make_agent(rig, "agent.bin", 0x6261);
	worker_rig_start_watch(rig, "--fault=unplug@0xc0000", NULL);
	outcome = run(rig, new_read(METHOD_DA), "agent.bin", NULL, &uploaded);
	worker_rig_assert_failed(&outcome, FAILURE_DEVICE_LOST);
	worker_rig_clear(&outcome);
	worker_rig_stop_watch(rig);

	worker_rig_start_watch(rig, NULL);
	outcome = run(rig, new_read(METHOD_DA), "agent.bin", NULL, &uploaded);
	worker_rig_assert_done(&outcome);
	assert_int_equal(uploaded, FIRST_BYTES + SECOND_BYTES);
	worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
	load_manifest(rig, &manifest);
	assert_true(manifest.read.resumed);
	manifest_clear(&manifest);
	worker_rig_clear(&outcome);
}

/* ---- which way ---- */

static void expect_method(struct worker_rig *rig, const char *fault, const char *agent,
			  const char *method)
{
	struct manifest manifest = { 0 };
	struct outcome outcome;
	uint64_t uploaded;

	worker_rig_start_watch(rig, fault, NULL);
	outcome = run(rig, new_read(METHOD_AUTO), agent, NULL, &uploaded);
	worker_rig_assert_done(&outcome);
	worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
	load_manifest(rig, &manifest);
	assert_string_equal(manifest.read.method, method);
	manifest_clear(&manifest);
	worker_rig_clear(&outcome);
	restart(rig);
}

/* The boot ROM reads where it can; an agent is the second way. */
static void test_auto(void **state)
{
	struct worker_rig *rig = *state;

	make_agent(rig, "agent.bin", 0x6261);
	expect_method(rig, NULL, "agent.bin", "brom");
	expect_method(rig, "--fault=max-block=4", "agent.bin", "da");
}

/* A job that changed its way goes on that way. */
static void test_auto_resumes(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;
	uint64_t uploaded;

	make_agent(rig, "agent.bin", 0x6261);
	worker_rig_start_watch(rig, "--fault=max-block=4", "--fault=unplug@0xc0000", NULL);
	outcome = run(rig, new_read(METHOD_AUTO), "agent.bin", NULL, &uploaded);
	worker_rig_assert_failed(&outcome, FAILURE_DEVICE_LOST);
	worker_rig_clear(&outcome);
	worker_rig_stop_watch(rig);
	worker_rig_start_watch(rig, "--fault=max-block=4", NULL);
	outcome = run(rig, new_read(METHOD_AUTO), "agent.bin", NULL, &uploaded);
	worker_rig_assert_done(&outcome);
	worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
	worker_rig_clear(&outcome);
}

/* Of the daemon's own files the first that fits is taken; broken ones do not matter. */
static void test_own_agents(void **state)
{
	struct worker_rig *rig = *state;
	struct outcome outcome;
	uint64_t uploaded;
	char folder[128];

	path_of(rig, "agents", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	worker_rig_start_watch(rig, NULL);
	outcome = run(rig, new_read(METHOD_DA), NULL, "agents", &uploaded);
	worker_rig_assert_failed(&outcome, FAILURE_DA_MISSING);
	assert_non_null(strstr(outcome.failure.message, "MT6261"));
	worker_rig_clear(&outcome);
	worker_rig_stop_watch(rig);

	make_agent(rig, "agents/b-phone.bin", 0x6580);
	make_agent(rig, "agents/c-watch.bin", 0x6261);
	worker_rig_start_watch(rig, NULL);
	outcome = run(rig, new_read(METHOD_DA), NULL, "agents", &uploaded);
	worker_rig_assert_done(&outcome);
	worker_rig_assert_image(rig, "ROM_0", 0, FLASH_BYTES);
	worker_rig_clear(&outcome);
	worker_rig_empty(folder);
	rmdir(folder);
}

static void test_leaving(void **state)
{
	static const struct {
		enum after_action after;
		const char *last;
	} cases[] = {
		{ AFTER_RESET, "agent finish\nagent resets\nreset" },
		{ AFTER_OFF, "agent finish\nagent clears the power latch\nagent closes USB\n"
			     "agent switches off" },
		{ AFTER_STAY, "agent finish\n" },
	};
	struct worker_rig *rig = *state;

	make_agent(rig, "agent.bin", 0x6261);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *log = log_option(rig);
		struct worker_read read = new_read(METHOD_DA);
		struct outcome outcome;
		uint64_t uploaded;

		read.request.after = cases[i].after;
		worker_rig_start_watch(rig, log, NULL);
		outcome = run(rig, read, "agent.bin", NULL, &uploaded);
		worker_rig_assert_done(&outcome);
		worker_rig_clear(&outcome);
		restart(rig);
		assert_true(log_has(rig, cases[i].last));
		assert_int_equal(log_has(rig, "agent resets"), cases[i].after == AFTER_RESET);
		/* Nothing was said that the agent does not know. */
		assert_false(log_has(rig, "agent ignores"));
	}
}

/* ---- refusals ---- */

static void expect_refusal(struct worker_rig *rig, const char *option, const char *agent,
			   enum failure_code code, const char *words, const char *hint)
{
	struct outcome outcome;
	uint64_t uploaded;

	worker_rig_start_watch(rig, option, NULL);
	outcome = run(rig, new_read(METHOD_DA), agent, NULL, &uploaded);
	worker_rig_assert_failed(&outcome, code);
	if (!strstr(outcome.failure.message, words))
		fail_msg("\"%s\" does not say \"%s\"", outcome.failure.message, words);
	if (hint && (!outcome.failure.hint || !strstr(outcome.failure.hint, hint)))
		fail_msg("hint \"%s\" does not say \"%s\"", outcome.failure.hint, hint);
	worker_rig_clear(&outcome);
	restart(rig);
}

static void test_refusals(void **state)
{
	struct worker_rig *rig = *state;

	make_agent(rig, "agent.bin", 0x6261);
	make_agent(rig, "other.bin", 0x6580);
	expect_refusal(rig, "--fault=da-refuse", "agent.bin", FAILURE_SECURE_BOOT, "1D0D",
		       "--method=brom");
	expect_refusal(rig, "--fault=secure", "agent.bin", FAILURE_SECURE_BOOT, "1D0D",
		       "--method=brom");
	expect_refusal(rig, "--fault=da-stage", "agent.bin", FAILURE_DA_REJECTED, "smartphones",
		       "--method=brom");
	expect_refusal(rig, "--fault=da-unknown-flash", "agent.bin", FAILURE_DA_REJECTED, "3009",
		       "agent");
	expect_refusal(rig, "--fault=da-security", "agent.bin", FAILURE_SECURE_BOOT, "6012",
		       "--method=brom");
	expect_refusal(rig, "--fault=da-range", "agent.bin", FAILURE_DA_REJECTED, "3039", "");
	expect_refusal(rig, NULL, NULL, FAILURE_DA_MISSING, "MT6261", "--da=FILE");
	expect_refusal(rig, NULL, "other.bin", FAILURE_DA_MISSING, "MT6261", "mtkrbctl da add");
	expect_refusal(rig, NULL, "image", FAILURE_DA_MISSING, "agent.bin", "--da=FILE");
	expect_refusal(rig, "--chip=0x2523", "agent.bin", FAILURE_UNSUPPORTED_CHIP, "EPP", NULL);
	expect_refusal(rig, "--chip=0x6580", "agent.bin", FAILURE_UNSUPPORTED_CHIP, "smartphones",
		       NULL);
	expect_refusal(rig, "--chip=0x1234", "agent.bin", FAILURE_UNSUPPORTED_CHIP, "0x1234", NULL);
}

/* The agent says one size, the flash or its id another: both are named, nothing is read. */
static void test_sizes_that_differ(void **state)
{
	struct worker_rig *rig = *state;
	struct worker_read read;
	struct outcome outcome;
	uint64_t uploaded;

	make_agent(rig, "agent.bin", 0x6261);
	expect_refusal(rig, "--nor-size=2M", "agent.bin", FAILURE_SIZE_MISMATCH, "2.0 MiB", "");
	expect_refusal(rig, "--jedec=C22536", "agent.bin", FAILURE_SIZE_MISMATCH, "c22536", "");
	expect_refusal(rig, "--nor-size=512K", "agent.bin", FAILURE_SIZE_MISMATCH, "512.0 KiB", "");

	worker_rig_start_watch(rig, NULL);
	read = new_read(METHOD_DA);
	read.request.ranges[0].length = 2 * FLASH_BYTES;
	outcome = run(rig, read, "agent.bin", NULL, &uploaded);
	worker_rig_assert_failed(&outcome, FAILURE_SIZE_MISMATCH);
	worker_rig_clear(&outcome);
}

/* What the papers say of the flash's id and the firmware's own list. */
static void check_listed(struct worker_rig *rig, const char *jedec, bool listed)
{
	_cleanup_free_ char *path = str_format("%s/report.txt", rig->staging);
	_cleanup_free_ char *text = NULL;
	struct outcome outcome;
	uint64_t uploaded;

	worker_rig_start_watch(rig, jedec, NULL);
	outcome = run(rig, new_read(METHOD_DA), "agent.bin", NULL, &uploaded);
	worker_rig_assert_done(&outcome);
	worker_rig_clear(&outcome);
	assert_int_equal(fd_read_file(AT_FDCWD, path, 1U << 20, &text, NULL), 0);
	assert_non_null(strstr(text, "coverage"));
	assert_int_equal(!strstr(text, "is not on the firmware's list"), listed);
	restart(rig);
}

static void test_flash_of_another_firmware(void **state)
{
	struct worker_rig *rig = *state;

	make_agent(rig, "agent.bin", 0x6261);
	check_listed(rig, NULL, true);
	check_listed(rig, "--jedec=BF2628", false);
}

/* A preloader is recognised; a chip of which no way to the flash is known is refused by name. */
static void test_preloader(void **state)
{
	struct worker_rig *rig = *state;
	struct worker_read read = worker_rig_new_read();
	struct outcome outcome;

	worker_rig_start_watch(rig, "--fault=preloader", "--chip=0x6580", NULL);
	outcome = worker_rig_run(rig, read);
	worker_rig_assert_failed(&outcome, FAILURE_UNSUPPORTED_CHIP);
	assert_non_null(strstr(outcome.failure.message, "MT6580"));
	assert_non_null(strstr(outcome.failure.message, "preloader"));
	worker_rig_clear(&outcome);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, worker_rig_set_up, worker_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole),       TEST(test_faults),
		TEST(test_many_faults), TEST(test_resume),
		TEST(test_auto),        TEST(test_auto_resumes),
		TEST(test_own_agents),  TEST(test_leaving),
		TEST(test_refusals),    TEST(test_sizes_that_differ),
		TEST(test_preloader),   TEST(test_flash_of_another_firmware),
	};

	return cmocka_run_group_tests_name("da", tests, NULL, NULL);
}
