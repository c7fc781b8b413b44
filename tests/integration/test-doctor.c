/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * mtkrbctl doctor with devices that umockdev makes: what it finds in a real /sys and /dev. Causes
 * that need other processes, udev's own files or the kernel's log have a unit test.
 */

#include "tests/integration/rig.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>

#include <umockdev.h>

#include "protocol/base/strings.h"

#define HUB "/devices/pci0000:00/0000:00:14.0/usb1/1-2"

struct bench {
	UMockdevTestbed *testbed;
	struct rig rig;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->testbed = umockdev_testbed_new();
	rig_set_up(&bench->rig, "[automatic]\nenabled=no\n");
	rig_start(&bench->rig);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	rig_tear_down(&bench->rig);
	g_object_unref(bench->testbed);
	free(bench);
	return 0;
}

static void add(const struct bench *bench, const char *description)
{
	GError *error = NULL;

	if (!umockdev_testbed_add_from_string(bench->testbed, description, &error))
		fail_msg("umockdev: %s", error->message);
}

static void plug_device(const struct bench *bench, const char *product, const char *more)
{
	_cleanup_free_ char *text =
		str_format("P: " HUB "\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\n"
			   "A: idVendor=0e8d\nA: idProduct=%s\nA: devnum=7\n%s",
			   product, more);

	add(bench, text);
}

static void plug_port(const struct bench *bench, const char *properties)
{
	_cleanup_free_ char *text =
		str_format("P: " HUB "/1-2:1.1/tty/ttyACM0\nN: ttyACM0\nE: SUBSYSTEM=tty\n"
			   "E: DEVNAME=/dev/ttyACM0\nE: MAJOR=166\nE: MINOR=0\nA: dev=166:0\n%s",
			   properties);

	add(bench, text);
}

/* Runs it with one more option or NULL; the parsed answer, which the caller frees. */
static struct json_object *examine(const struct bench *bench, const char *option, int *ret_status)
{
	_cleanup_free_ char *command =
		str_format("exec \"$MTKRB_BIN_DIR/mtkrbctl\" --json --socket='%s' doctor %s",
			   bench->rig.socket, option ?: "");
	struct json_object *answer = NULL;
	char text[16384];
	FILE *pipe = popen(command, "r");
	size_t n;

	assert_non_null(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	*ret_status = WEXITSTATUS(pclose(pipe));
	text[n] = '\0';
	if (message_parse(text, n, &answer) < 0)
		fail_msg("not JSON: %s", text);
	return answer;
}

/* All causes but "rules-missing": whether our rules are installed here is the machine's affair. */
static void expect(const struct bench *bench, const char *option, const char *causes)
{
	int status;
	_cleanup_message_ struct json_object *answer = examine(bench, option, &status);
	struct json_object *findings = message_member(answer, "findings");
	char found[256] = "";

	for (size_t i = 0; i < message_length(findings); i++) {
		const char *cause =
			message_string(message_member(message_at(findings, i), "cause"));

		assert_non_null(message_string(message_member(message_at(findings, i), "what")));
		assert_non_null(message_string(message_member(message_at(findings, i), "advice")));
		if (streq(cause, "rules-missing"))
			continue;
		strcat(found, *found ? " " : "");
		strcat(found, cause);
	}
	if (!streq(found, causes))
		fail_msg("found: %s", found);
	assert_int_equal(status, message_length(findings) > 0 ? 1 : 0);
}

static void test_healthy(void **state)
{
	struct bench *bench = *state;
	int status;
	struct json_object *answer;

	plug_device(bench, "0003",
		    "A: bNumConfigurations=1\nA: authorized=1\nA: power/control=on\n");
	plug_port(bench, "E: MTKRB_MODE=brom\nE: ID_MM_DEVICE_IGNORE=1\n");
	expect(bench, NULL, "");
	answer = examine(bench, NULL, &status);
	assert_int_equal(status, 0);
	message_unref(answer);
}

static void test_no_device(void **state)
{
	expect(*state, NULL, "no-device");
}

static void test_no_driver(void **state)
{
	plug_device(*state, "0003", "A: bNumConfigurations=1\n");
	expect(*state, NULL, "no-driver");
}

static void test_unauthorized(void **state)
{
	plug_device(*state, "0003", "A: bNumConfigurations=1\nA: authorized=0\n");
	expect(*state, NULL, "usb-unauthorized");
}

static void test_mass_storage(void **state)
{
	plug_device(*state, "0002", "A: bNumConfigurations=1\n");
	expect(*state, NULL, "mass-storage");
}

static void test_com_mode(void **state)
{
	plug_device(*state, "0003", "A: bNumConfigurations=3\nA: product=Phone\n");
	plug_port(*state, "E: MTKRB_MODE=com\n");
	expect(*state, NULL, "com-mode");
}

/* A modem set of running firmware, and an agent of another tool. */
static void test_other_mode(void **state)
{
	plug_device(*state, "0023", "A: bNumConfigurations=1\n");
	expect(*state, NULL, "other-mode");
}

static void test_foreign_agent(void **state)
{
	plug_device(*state, "2001", "A: bNumConfigurations=1\n");
	plug_port(*state, "E: MTKRB_MODE=da\nE: ID_MM_DEVICE_IGNORE=1\n");
	expect(*state, NULL, "other-mode");
}

static void test_autosuspend(void **state)
{
	plug_device(*state, "0003", "A: bNumConfigurations=1\nA: power/control=auto\n");
	plug_port(*state, "E: MTKRB_MODE=brom\nE: ID_MM_DEVICE_IGNORE=1\n");
	expect(*state, NULL, "autosuspend");
}

static void test_daemon_down(void **state)
{
	struct bench *bench = *state;

	plug_device(bench, "0003", "A: bNumConfigurations=1\n");
	plug_port(bench, "E: MTKRB_MODE=brom\nE: ID_MM_DEVICE_IGNORE=1\n");
	assert_int_equal(rig_stop(&bench->rig, SIGTERM), 0);
	expect(bench, NULL, "daemon-down");
}

static void *come_and_go(void *userdata)
{
	const struct bench *bench = userdata;

	for (int i = 0; i < 3; i++) {
		sleep_ms(300);
		plug_device(bench, "0003", "A: bNumConfigurations=1\n");
		sleep_ms(300);
		umockdev_testbed_remove_device(bench->testbed, "/sys" HUB);
	}
	return NULL;
}

/* A watch in its boot ROM that nobody speaks to. */
static void test_watched(void **state)
{
	struct bench *bench = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, come_and_go, bench), 0);
	expect(bench, "--watch=3", "window-missed no-device");
	assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_healthy),      TEST(test_no_device),     TEST(test_no_driver),
		TEST(test_unauthorized), TEST(test_mass_storage),  TEST(test_com_mode),
		TEST(test_autosuspend),  TEST(test_daemon_down),   TEST(test_watched),
		TEST(test_other_mode),   TEST(test_foreign_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
