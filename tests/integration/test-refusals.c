/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever goes wrong ends with its word, a line that names it and a way out; never with half a backup. */

#include "tests/integration/rig.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/control/error.h"

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_set_up(rig, "[automatic]\nenabled=no\n"
			"[read]\nhandshake-timeout-usb=1s\nresume-timeout=2s\n");
	rig_start(rig);
	*state = rig;
	return 0;
}

static void no_backup_is_there(const struct rig *rig)
{
	_cleanup_message_ struct json_object *list = rig_call(rig, "ListBackups", "{}", NULL);

	assert_int_equal(message_length(message_member(list, "backups")), 0);
}

/* A watch with one more option, a request: the failure it must give. */
static void refuse(struct rig *rig, const char *option, const char *value, const char *request,
		   enum failure_code code, const char *words)
{
	struct watch watch;
	struct job job;
	int64_t id;

	watch_plug(rig, &watch, "watch", "--flash", "new:4M", option, value, NULL);
	id = rig_submit(rig, request);
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_FAILED, 30);
	if (job.failure.code != code || !strstr(job.failure.message, words))
		fail_msg("%s=%s: %s: %s", option ?: "", value ?: "",
			 failure_code_to_string(job.failure.code), job.failure.message);
	assert_non_null(job.failure.hint);
	assert_null(job.backup);
	job_clear(&job);
	no_backup_is_there(rig);
	watch_unplug(&watch);
}

static void test_no_answer(void **state)
{
	refuse(*state, "--fault", "mute", "{}", FAILURE_HANDSHAKE_TIMEOUT, "");
}

/* Without an agent to fall back to; the daemon's log names the watch. */
static void test_needs_an_agent(void **state)
{
	struct rig *rig = *state;

	refuse(rig, "--require-da", NULL, "{}", FAILURE_DA_MISSING, "MT6261");
	for (int i = 0; i < 300 && !rig_log_has(rig, "warning: A1: MT6261: /"); i++)
		sleep_ms(10);
	assert_true(rig_log_has(rig, "warning: A1: MT6261: /"));
}

static void test_unknown_chip(void **state)
{
	refuse(*state, "--chip", "0x1234", "{}", FAILURE_UNSUPPORTED_CHIP, "1234");
}

static void test_length_beyond_the_flash(void **state)
{
	refuse(*state, NULL, NULL, "{\"ranges\":[{\"start\":0,\"length\":16777216}]}",
	       FAILURE_SIZE_MISMATCH, "");
}

static void test_the_evidence_disagrees(void **state)
{
	refuse(*state, "--fault", "alias=0x100000", "{}", FAILURE_SIZE_MISMATCH, "");
}

static void test_answers_ff_to_all(void **state)
{
	refuse(*state, "--fault", "ff", "{}", FAILURE_HANDSHAKE_TIMEOUT, "");
}

static void test_lost_and_never_back(void **state)
{
	refuse(*state, "--fault", "unplug@0x180000", "{\"verify\":\"none\"}", FAILURE_DEVICE_LOST,
	       "");
}

static void test_too_late(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_submit(rig, "{\"timeout\":0.5}");
	struct job job = rig_wait(rig, id, JOB_FAILED, 5);

	assert_int_equal(job.failure.code, FAILURE_TIMEOUT);
	job_clear(&job);
}

static void test_secure_boot_can_still_be_read(void **state)
{
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", "--fault", "secure", NULL);
	id = rig_submit(rig, "{\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_DONE, 30);
	job_clear(&job);
	watch_unplug(&watch);
}

/* A device has many names; by none of them it becomes a second port. */
static void test_one_device_by_two_names(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *real = NULL, *attach = NULL, *detach = NULL;
	_cleanup_message_ struct json_object *error = NULL, *reply = NULL;
	struct watch watch;

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	real = realpath(watch.link, NULL);
	assert_non_null(real);
	assert_string_not_equal(real, watch.link);
	attach = str_format("{\"device\":\"%s\",\"slot\":\"A2\"}", real);
	detach = str_format("{\"device\":\"%s\"}", real);
	rig_attach(rig, watch.link, "A1");
	error = rig_call(rig, "Attach", attach, ERROR_INVALID_REQUEST);
	assert_string_equal(message_string(message_member(error, "field")), "device");
	reply = rig_call(rig, "ListPorts", "{}", NULL);
	assert_int_equal(message_length(message_member(reply, "ports")), 1);
	message_unref(rig_call(rig, "Detach", detach, NULL));
	message_unref(rig_call(rig, "Attach", attach, NULL));
	watch_unplug(&watch);
}

static void test_requests(void **state)
{
	static const struct {
		const char *request, *field;
	} cases[] = {
		{ "{\"ranges\":[{\"start\":-1}]}", "ranges[0].start" },
		{ "{\"ranges\":[{\"start\":0,\"length\":0}]}", "ranges[0].length" },
		{ "{\"ranges\":[{\"name\":\"../x\",\"start\":0}]}", "ranges[0].name" },
		{ "{\"ranges\":[]}", "ranges" },
		{ "{\"verify\":\"twice\"}", "verify" },
		{ "{\"method\":\"adb\"}", "method" },
		{ "{\"scatter\":\"x.txt\"}", "scatter" },
		{ "{\"da\":\"x.bin\"}", "da" },
		{ "{\"count\":0}", "count" },
		{ "{\"count\":\"3\"}", "count" },
		{ "{\"meid\":\"xyz\"}", "meid" },
		{ "{\"timeout\":-1}", "timeout" },
		{ "{\"colour\":\"red\"}", "colour" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *call = str_format("{\"request\":%s}", cases[i].request);
		_cleanup_message_ struct json_object *error =
			rig_call(rig, "Submit", call, "io.mtkrbd.Control.InvalidRequest");

		assert_string_equal(message_string(message_member(error, "field")), cases[i].field);
	}
	assert_int_equal(rig_newest_job(rig), 0);
}

static void test_devices(void **state)
{
	struct rig *rig = *state;

	message_unref(rig_call(rig, "Attach", "{\"device\":\"/dev/no-such\"}",
			       "io.mtkrbd.Control.NoSuchPort"));
	message_unref(rig_call(rig, "Attach", "{\"device\":\"/etc/passwd\"}",
			       "io.mtkrbd.Control.InvalidRequest"));
	message_unref(rig_call(rig, "Attach", "{\"device\":\"/dev/null\"}",
			       "io.mtkrbd.Control.InvalidRequest"));
	message_unref(rig_call(rig, "Attach", "{\"device\":\"relative\"}",
			       "org.varlink.service.InvalidParameter"));
	message_unref(rig_call(rig, "Detach", "{\"device\":\"/dev/no-such\"}",
			       "io.mtkrbd.Control.NoSuchPort"));
	message_unref(rig_call(rig, "Cancel", "{\"id\":99}", "io.mtkrbd.Control.NoSuchJob"));
	message_unref(rig_call(rig, "VerifyBackup", "{\"id\":\"../../etc\"}",
			       "io.mtkrbd.Control.NoSuchBackup"));
}

/* ---- the daemon itself ---- */

static void test_second_daemon(void **state)
{
	static const char *const other_socket[] = { "--no-udev", "--socket=/tmp/mtkrb-none", NULL };
	struct rig *rig = *state;

	assert_int_not_equal(rig_start_refused(rig, other_socket), 0);
	assert_true(rig_log_has(rig, "another mtkrbd uses this state directory"));
}

static void test_socket_in_use(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *elsewhere = str_format("--state-directory=%s/other", rig->directory);
	const char *const arguments[] = { "--no-udev", elsewhere, NULL };

	assert_int_not_equal(rig_start_refused(rig, arguments), 0);
	assert_true(rig_log_has(rig, "a daemon answers on this socket already"));
	message_unref(rig_call(rig, "GetStatus", "{}", NULL));
}

/* This status and that of a broken configuration keep systemd from trying again. */
static void test_wrong_command_line(void **state)
{
	static const char *const unknown[] = { "--no-such-option", NULL };
	struct rig *rig = *state;

	assert_int_equal(rig_start_refused(rig, unknown), EX_USAGE);
	assert_true(rig_log_has(rig, "no-such-option"));
}

static void test_broken_configuration(void **state)
{
	static const char *const no_udev[] = { "--no-udev", NULL };
	struct rig *rig = *state;
	FILE *file;

	(void)rig_stop(rig, SIGTERM);
	file = fopen(rig->config, "w");
	assert_non_null(file);
	fputs("[read]\nhandshake-timeout-usb=soon\n", file);
	fclose(file);
	assert_int_equal(rig_start_refused(rig, no_udev), EX_CONFIG);
	assert_true(rig_log_has(rig, "mtkrbd.conf:2: "));
	assert_true(rig_log_has(rig, "handshake-timeout-usb"));
}

static void test_state_directory_that_cannot_be(void **state)
{
	static const char *const file[] = { "--no-udev", "--state-directory=/dev/null", NULL };
	struct rig *rig = *state;

	(void)rig_stop(rig, SIGTERM);
	assert_int_not_equal(rig_start_refused(rig, file), 0);
	assert_true(rig_log_has(rig, "/dev/null: "));
}

static void test_disk_below_the_floor(void **state)
{
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	rig_tear_down(rig);
	rig_set_up(rig, "[automatic]\nenabled=no\n[archive]\nfree-space-floor=900000G\n");
	rig_start(rig);
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	id = rig_submit(rig, "{}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_FAILED, 10);
	assert_int_equal(job.failure.code, FAILURE_NO_SPACE);
	job_clear(&job);
	watch_unplug(&watch);
}

/* A real full disk: three mebibytes for a flash of four. */
static void test_full_disk(void **state)
{
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	rig_tear_down(rig);
	rig_set_up(rig, "[automatic]\nenabled=no\n[archive]\nfree-space-floor=0\n");
	assert_int_equal(mkdir(rig->state, 0750), 0);
	if (mount("mtkrb-test", rig->state, "tmpfs", 0, "size=3M") < 0)
		skip(); /* only root may */
	rig_start(rig);
	watch_plug(rig, &watch, "watch", "--flash", "new:4M", NULL);
	id = rig_submit(rig, "{\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A1");
	job = rig_wait(rig, id, JOB_FAILED, 20);
	assert_int_equal(job.failure.code, FAILURE_NO_SPACE);
	assert_non_null(job.failure.hint);
	job_clear(&job);
	no_backup_is_there(rig);
	/* Others are still served: one that fits. */
	watch_unplug(&watch);
	watch_plug(rig, &watch, "small", "--flash", "new:1M", "--meid",
		   "000102030405060708090a0b0c0d0e0f", NULL);
	id = rig_submit(rig, "{\"verify\":\"none\"}");
	rig_attach(rig, watch.link, "A2");
	job = rig_wait(rig, id, JOB_DONE, 20);
	job_clear(&job);
	watch_unplug(&watch);
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	assert_int_equal(umount(rig->state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_answer, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_needs_an_agent, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_unknown_chip, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_length_beyond_the_flash, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_the_evidence_disagrees, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_answers_ff_to_all, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_lost_and_never_back, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_too_late, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_secure_boot_can_still_be_read, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_requests, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_devices, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_one_device_by_two_names, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_second_daemon, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_socket_in_use, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_command_line, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_broken_configuration, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_state_directory_that_cannot_be, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_disk_below_the_floor, set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_full_disk, set_up, rig_test_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
