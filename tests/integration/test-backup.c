/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a watch on a pty to a backup that can be trusted: sizes, options, the automatic rule. */

#include "tests/integration/rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>

#include "protocol/base/strings.h"

static void check_sums(const char *directory)
{
	_cleanup_free_ char *command =
		str_format("cd '%s' && sha256sum --quiet --strict -c SHA256SUMS", directory);

	assert_int_equal(system(command), 0);
}

static void check_backup(const struct rig *rig, int64_t id, const char *image)
{
	char directory[512];
	_cleanup_free_ char *file = NULL, *manifest = NULL, *report = NULL;

	rig_backup_path(rig, id, directory);
	file = str_format("%s/ROM_0", directory);
	manifest = str_format("%s/manifest.json", directory);
	report = str_format("%s/report.txt", directory);
	assert_true(same_content(file, image));
	assert_true(file_exists(manifest));
	assert_true(file_exists(report));
	check_sums(directory);
}

static void back_up(struct rig *rig, const char *size)
{
	struct watch watch;
	struct job job;
	char image[128];
	int64_t id;

	rig_make_image(rig, "image", size, image);
	watch_plug(rig, &watch, "watch", "--flash", image, NULL);
	id = rig_submit(rig, "{\"labels\":{\"ticket\":\"4711\"}}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_DONE, 60);
	assert_string_equal(job.port.slot, "A1");
	assert_string_equal(job.port.chip, "MT6261");
	assert_int_equal(job.attempts, 1);
	job_clear(&job);
	check_backup(rig, id, image);
	/* Verified: everything was asked for twice. */
	assert_true(watch_bytes_read(&watch) >= 2 * file_size(image));
	assert_true(watch_log_has(&watch, "write16 a003001c 1209"));
	watch_unplug(&watch);
}

static void test_4_mib(void **state)
{
	back_up(*state, "4M");
}

static void test_8_mib(void **state)
{
	back_up(*state, "8M");
}

static void test_16_mib(void **state)
{
	back_up(*state, "16M");
}

static void test_the_catalogue_knows_it(void **state)
{
	struct rig *rig = *state;
	_cleanup_message_ struct json_object *list = NULL, *other = NULL;
	struct json_object *backup;
	int64_t size;

	back_up(rig, "1M");
	list = rig_call(rig, "ListBackups", "{\"labels\":{\"ticket\":\"4711\"}}", NULL);
	assert_int_equal(message_length(message_member(list, "backups")), 1);
	backup = message_at(message_member(list, "backups"), 0);
	assert_int_equal(message_int(message_member(backup, "size"), &size), 0);
	assert_int_equal(size, 1 << 20);
	assert_string_equal(message_string(message_member(backup, "chip")), "MT6261");
	other = rig_call(rig, "ListBackups", "{\"labels\":{\"ticket\":\"4712\"}}", NULL);
	assert_int_equal(message_length(message_member(other, "backups")), 0);
}

/* Lost as a boot ROM, back as a preloader: the same job goes on. */
static void test_back_as_preloader(void **state)
{
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	char image[128];
	int64_t id;

	rig_make_image(rig, "image", "4M", image);
	watch_plug(rig, &watch, "watch", "--flash", image, "--fault=unplug@1M", "--replug=300",
		   "--replug-as=preloader", NULL);
	id = rig_submit(rig, "{}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_DONE, 60);
	assert_string_equal(job.port.mode, "preloader");
	assert_int_equal(job.attempts, 2);
	job_clear(&job);
	check_backup(rig, id, image);
	watch_unplug(&watch);
}

static void test_ranges(void **state)
{
	struct rig *rig = *state;
	char image[128], directory[512];
	_cleanup_free_ char *boot = NULL, *cut = NULL, *command = NULL;
	struct watch watch;
	struct job job;
	int64_t id;

	rig_make_image(rig, "image", "4M", image);
	watch_plug(rig, &watch, "watch", "--flash", image, NULL);
	rig_attach(rig, watch.link, "A1");
	id = rig_submit(rig, "{\"ranges\":[{\"name\":\"boot\",\"start\":2048,\"length\":65536},"
			     "{\"name\":\"tail\",\"start\":4128768}],\"verify\":\"none\"}");
	job = rig_wait(rig, id, JOB_DONE, 30);
	job_clear(&job);
	rig_backup_path(rig, id, directory);
	check_sums(directory);
	command = str_format(
		"cd '%s' && dd if='%s' bs=2048 skip=1 count=32 status=none | cmp - boot && "
		"tail -c 65536 '%s' | cmp - tail",
		directory, image, image);
	assert_int_equal(system(command), 0);
	watch_unplug(&watch);
}

static void test_removed_and_verified(void **state)
{
	struct rig *rig = *state;
	char directory[512];
	_cleanup_free_ char *parameters = NULL, *command = NULL;
	_cleanup_message_ struct json_object *good = NULL, *bad = NULL;
	struct output output;
	struct job job;

	back_up(rig, "1M");
	job = rig_job(rig, rig_newest_job(rig));
	rig_backup_path(rig, job.id, directory);
	output = rig_ctl(rig, "verify", job.backup, NULL);
	assert_int_equal(output.status, 0);
	output_clear(&output);
	command = str_format("printf x | dd of='%s/ROM_0' bs=1 seek=70000 conv=notrunc status=none",
			     directory);
	assert_int_equal(system(command), 0);
	output = rig_ctl(rig, "verify", job.backup, NULL);
	assert_int_equal(output.status, 1);
	assert_non_null(strstr(output.err, "ROM_0"));
	output_clear(&output);
	output = rig_ctl(rig, "remove", job.backup, NULL);
	assert_int_equal(output.status, 0);
	output_clear(&output);
	assert_false(file_exists(directory));
	output = rig_ctl(rig, "backup", job.backup, NULL);
	assert_int_equal(output.status, 4);
	output_clear(&output);
	job_clear(&job);
}

/* ---- the automatic rule ---- */

static int64_t wait_for_any_job(const struct rig *rig)
{
	for (int i = 0; i < 500; i++) {
		int64_t id = rig_newest_job(rig);

		if (id)
			return id;
		sleep_ms(10);
	}
	fail_msg("no job came");
	return 0;
}

static void test_automatic(void **state)
{
	static const char config[] = "[automatic]\nenabled=yes\nrepeat-after=1h\n";
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	char image[128];
	int64_t id;

	rig_tear_down(rig);
	rig_set_up(rig, config);
	rig_start(rig);
	rig_make_image(rig, "image", "1M", image);
	/* It comes back after the reset, as a real one does: it must not be read again. */
	watch_plug(rig, &watch, "watch", "--flash", image, "--replug", "500", NULL);
	rig_attach(rig, watch.link, "A1");
	id = wait_for_any_job(rig);
	job = rig_wait(rig, id, JOB_DONE, 30);
	assert_int_equal(job.request.n_labels, 2);
	assert_string_equal(job.request.labels[0].key, "origin");
	assert_string_equal(job.request.labels[0].value, "automatic");
	assert_string_equal(job.request.labels[1].key, "rule");
	assert_string_equal(job.request.labels[1].value, "automatic");
	job_clear(&job);
	check_backup(rig, id, image);
	sleep_ms(3000);
	assert_int_equal(rig_newest_job(rig), id);
	watch_unplug(&watch);
}

static void test_queued_job_goes_before_the_rule(void **state)
{
	static const char config[] = "[automatic]\nenabled=yes\n";
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	rig_tear_down(rig);
	rig_set_up(rig, config);
	rig_start(rig);
	id = rig_submit(rig, "{\"chip\":\"mt6261\",\"verify\":\"none\"}");
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_DONE, 30);
	job_clear(&job);
	assert_int_equal(rig_newest_job(rig), id);
	watch_unplug(&watch);
}

static void test_only_the_watch_that_was_asked_for(void **state)
{
	static const char meid[] = "00112233445566778899aabbccddeeff";
	struct rig *rig = *state;
	_cleanup_free_ char *request = str_format("{\"meid\":\"%s\",\"verify\":\"none\"}", meid);
	struct watch other, asked;
	struct job job;
	int64_t id = rig_submit(rig, request);

	watch_plug(rig, &other, "other", "--flash", "new:1M", NULL);
	rig_attach(rig, other.link, "A1");
	sleep_ms(500);
	job = rig_job(rig, id);
	assert_int_equal(job.state, JOB_QUEUED);
	job_clear(&job);
	watch_plug(rig, &asked, "asked", "--flash", "new:1M", "--meid", meid, NULL);
	rig_attach(rig, asked.link, "A2");
	job = rig_wait(rig, id, JOB_DONE, 30);
	assert_string_equal(job.port.slot, "A2");
	assert_string_equal(job.port.meid, meid);
	job_clear(&job);
	watch_unplug(&other);
	watch_unplug(&asked);
}

static void test_a_batch_on_two_ports(void **state)
{
	struct rig *rig = *state;
	_cleanup_message_ struct json_object *reply =
		rig_call(rig, "Submit", "{\"request\":{\"count\":2,\"verify\":\"none\"}}", NULL);
	struct watch watches[2];

	assert_int_equal(message_length(message_member(reply, "jobs")), 2);
	watch_plug(rig, &watches[0], "one", "--flash", "new:1M", "--meid",
		   "00000000000000000000000000000001", NULL);
	watch_plug(rig, &watches[1], "two", "--flash", "new:2M", "--meid",
		   "00000000000000000000000000000002", NULL);
	rig_attach(rig, watches[0].link, "A1");
	rig_attach(rig, watches[1].link, "A2");
	for (size_t i = 0; i < 2; i++) {
		struct job job;
		int64_t id;

		assert_int_equal(message_int(message_at(message_member(reply, "jobs"), i), &id), 0);
		job = rig_wait(rig, id, JOB_DONE, 30);
		job_clear(&job);
		watch_unplug(&watches[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_4_mib, rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_8_mib, rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_16_mib, rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_the_catalogue_knows_it, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_back_as_preloader, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_ranges, rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_removed_and_verified, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_automatic, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_queued_job_goes_before_the_rule,
						rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_only_the_watch_that_was_asked_for,
						rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_a_batch_on_two_ports, rig_test_set_up,
						rig_test_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
