/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Slots of a bench: named, moved, excluded, over restarts and reloads of the daemon. */

#include "tests/integration/rig.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define USB(port) "pci-0000:00:14.0-usb-0:" port

static void set_slot(const struct rig *rig, const char *parameters)
{
	message_unref(rig_call(rig, "SetSlot", parameters, NULL));
}

/* SetSlot is refused for this field; the reason has these words. */
static void refused(const struct rig *rig, const char *method, const char *parameters,
		    const char *field, const char *words)
{
	_cleanup_message_ struct json_object *error =
		rig_call(rig, method, parameters, "io.mtkrbd.Control.InvalidRequest");
	const char *reason = message_string(message_member(error, "message"));

	assert_string_equal(message_string(message_member(error, "field")), field);
	if (!strstr(reason, words))
		fail_msg("expected %s, got %s", words, reason);
}

/* The slot of that name; the caller unrefs it. NULL: there is none. */
static struct json_object *slot_called(const struct rig *rig, const char *name)
{
	_cleanup_message_ struct json_object *reply = rig_call(rig, "ListSlots", "{}", NULL);
	struct json_object *slots = message_member(reply, "slots");

	for (size_t i = 0; i < message_length(slots); i++)
		if (streq(message_string(message_member(message_at(slots, i), "name")), name))
			return message_ref(message_at(slots, i));
	return NULL;
}

static void expect_member(const struct rig *rig, const char *slot, const char *member,
			  const char *value)
{
	_cleanup_message_ struct json_object *object = slot_called(rig, slot);

	assert_non_null(object);
	if (!streq_ptr(message_string(message_member(object, member)), value))
		fail_msg("slot %s: %s is %s instead of %s", slot, member,
			 message_string(message_member(object, member)) ?: "absent",
			 value ?: "absent");
}

/* All names in bench order, with one blank between. */
static void expect_order(const struct rig *rig, const char *names)
{
	_cleanup_message_ struct json_object *reply = rig_call(rig, "ListSlots", "{}", NULL);
	struct json_object *slots = message_member(reply, "slots");
	char text[512] = "";

	for (size_t i = 0; i < message_length(slots); i++) {
		size_t used = strlen(text);

		(void)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
			       message_string(message_member(message_at(slots, i), "name")));
	}
	assert_string_equal(text, names);
}

/* The only port of the bench. */
static void expect_port(const struct rig *rig, const char *slot, const char *state)
{
	_cleanup_message_ struct json_object *reply = rig_call(rig, "ListPorts", "{}", NULL);
	struct json_object *port = message_at(message_member(reply, "ports"), 0);

	assert_string_equal(message_string(message_member(port, "slot")), slot);
	assert_string_equal(message_string(message_member(port, "state")), state);
}

static void wait_for_port(const struct rig *rig, const char *slot, const char *state)
{
	for (int i = 0; i < 500; i++) {
		_cleanup_message_ struct json_object *reply =
			rig_call(rig, "ListPorts", "{}", NULL);
		struct json_object *port = message_at(message_member(reply, "ports"), 0);

		if (streq(message_string(message_member(port, "state")), state))
			break;
		sleep_ms(10);
	}
	expect_port(rig, slot, state);
}

static void configure(const struct rig *rig, const char *text)
{
	assert_int_equal(fd_replace_file(AT_FDCWD, rig->config, text, strlen(text), 0600), 0);
}

static void reload(const struct rig *rig, const char *text)
{
	configure(rig, text);
	assert_int_equal(kill(rig->daemon, SIGHUP), 0);
}

static void test_names_last(void **state)
{
	struct rig *rig = *state;

	expect_order(rig, "");
	set_slot(rig, "{\"slot\":\"" USB("2:1.0") "\",\"name\":\"right\"}");
	set_slot(rig, "{\"slot\":\"" USB("1") "\",\"name\":\"left\",\"before\":\"right\"}");
	set_slot(rig, "{\"slot\":\"left\",\"labels\":{\"customer\":\"one\"}}");
	set_slot(rig, "{\"slot\":\"" USB("7") "\",\"excluded\":true}");
	expect_order(rig, "left right " USB("7"));
	assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
	rig_start(rig);
	expect_order(rig, "left right " USB("7"));
	expect_member(rig, "left", "path", USB("1"));
	expect_member(rig, "left", "origin", "named");

	message_unref(rig_call(rig, "ForgetSlot", "{\"slot\":\"left\"}", NULL));
	message_unref(
		rig_call(rig, "SetSlot", "{\"slot\":\"" USB("7") "\",\"excluded\":false}", NULL));
	expect_order(rig, "right");
	message_unref(
		rig_call(rig, "ForgetSlot", "{\"slot\":\"left\"}", "io.mtkrbd.Control.NoSuchSlot"));
	message_unref(rig_call(rig, "SetSlot", "{\"slot\":\"lfet\",\"excluded\":true}",
			       "io.mtkrbd.Control.NoSuchSlot"));
}

static void test_configuration_wins(void **state)
{
	struct rig *rig = *state;

	set_slot(rig, "{\"slot\":\"" USB("1") "\",\"name\":\"links\"}");
	set_slot(rig, "{\"slot\":\"" USB("2") "\",\"name\":\"rechts\"}");
	reload(rig, "[slots]\nleft=" USB("1") "\nmiddle=" USB("5") "\n");
	for (int i = 0; i < 500 && !rig_log_has(rig, "configuration read again"); i++)
		sleep_ms(10);
	expect_order(rig, "left middle rechts");
	expect_member(rig, "left", "clash", "the configuration calls it so, not links as stored");
	assert_true(rig_log_has(rig, "the configuration calls it so, not links as stored"));
	refused(rig, "SetSlot", "{\"slot\":\"left\",\"name\":\"links\"}", "name",
		"given by the configuration");
	refused(rig, "ForgetSlot", "{\"slot\":\"middle\"}", "slot", "is of the configuration");
	message_unref(rig_call(rig, "ForgetSlot", "{\"slot\":\"left\"}", NULL));
	expect_member(rig, "left", "clash", NULL);
	expect_order(rig, "left middle rechts");
}

/* An excluded slot's watch is not touched; what was named keeps its port. */
static void test_excluded_is_not_touched(void **state)
{
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	set_slot(rig, "{\"slot\":\"" USB("1") "\",\"name\":\"left\",\"excluded\":true}");
	rig_attach(rig, watch.link, "left");
	expect_port(rig, "left", "excluded");
	refused(rig, "Submit", "{\"request\":{\"slot\":\"left\"}}", "slot",
		"mtkrbctl slot include left");
	id = rig_submit(rig, "{\"verify\":\"none\"}");
	sleep_ms(500);
	job = rig_job(rig, id);
	assert_int_equal(job.state, JOB_QUEUED);
	job_clear(&job);
	assert_false(watch_log_has(&watch, "handshake"));
	expect_port(rig, "left", "excluded");

	set_slot(rig, "{\"slot\":\"left\",\"excluded\":false}");
	job = rig_wait(rig, id, JOB_DONE, 60);
	job_clear(&job);
	assert_true(watch_log_has(&watch, "handshake"));
	watch_unplug(&watch);
}

/* The job stops when its slot is excluded, and goes on where it stopped when that is over. */
static void test_excluded_in_the_middle(void **state)
{
	struct rig *rig = *state;
	char image[128], directory[512], file[600];
	struct watch watch;
	struct job job;
	uint64_t read;
	int64_t id;

	rig_make_image(rig, "image", "2M", image);
	watch_plug(rig, &watch, "watch", "--flash", image, "--rate", "1000000", NULL);
	rig_attach(rig, watch.link, "left");
	id = rig_submit(rig, "{\"verify\":\"none\"}");
	for (int i = 0; i < 1000 && watch_bytes_read(&watch) < 256 * 1024; i++)
		sleep_ms(10);
	set_slot(rig, "{\"slot\":\"left\",\"excluded\":true}");
	job = rig_wait(rig, id, JOB_WAITING, 30);
	assert_string_equal(job.failure.message, "slot left was excluded in the middle of the job");
	assert_non_null(strstr(job.failure.hint, "mtkrbctl slot include"));
	job_clear(&job);
	wait_for_port(rig, "left", "excluded");
	read = watch_bytes_read(&watch);
	sleep_ms(300);
	assert_int_equal(watch_bytes_read(&watch), read);

	/* A watch that stopped in the middle of an answer is replugged, as on a real bench. */
	watch_unplug(&watch);
	watch_plug(rig, &watch, "watch", "--flash", image, NULL);
	set_slot(rig, "{\"slot\":\"left\",\"excluded\":false}");
	job = rig_wait(rig, id, JOB_DONE, 60);
	assert_int_equal(job.attempts, 2);
	job_clear(&job);
	rig_backup_path(rig, id, directory);
	(void)snprintf(file, sizeof(file), "%s/ROM_0", directory);
	assert_true(same_content(file, image));
	watch_unplug(&watch);
}

/* A new name is the port's at once, but not while a job knows the slot by its old one. */
static void test_renamed_with_a_port(void **state)
{
	struct rig *rig = *state;
	struct watch watch;
	char text[64];
	int64_t id;

	id = rig_submit(rig, "{\"slot\":\"left\",\"chip\":\"MT6260\"}");
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "left");
	(void)snprintf(text, sizeof(text), "have ended or are cancelled: %" PRId64, id);
	refused(rig, "SetSlot", "{\"slot\":\"left\",\"name\":\"links\"}", "slot", text);
	expect_member(rig, "left", "origin", "present");
	(void)snprintf(text, sizeof(text), "{\"id\":%" PRId64 "}", id);
	message_unref(rig_call(rig, "Cancel", text, NULL));
	wait_for_port(rig, "left", "idle");
	set_slot(rig, "{\"slot\":\"left\",\"name\":\"links\"}");
	expect_port(rig, "links", "idle");
	expect_order(rig, "links");
	watch_unplug(&watch);
}

/* What a reload says of a slot holds at once for the port in it. */
static void test_reload(void **state)
{
	struct rig *rig = *state;
	struct watch watch;

	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "left");
	wait_for_port(rig, "left", "idle");
	reload(rig, "[automatic]\nenabled=no\n[slot left]\nexcluded=yes\n");
	wait_for_port(rig, "left", "excluded");
	refused(rig, "SetSlot", "{\"slot\":\"left\",\"excluded\":false}", "excluded",
		"the configuration says it");
	reload(rig, "[automatic]\nenabled=no\n");
	wait_for_port(rig, "left", "idle");
	watch_unplug(&watch);
}

/* The configuration gives another name, whatever jobs say; they are told of in the log. */
static void test_renamed_by_a_reload(void **state)
{
	struct rig *rig = *state;
	struct watch watch;
	struct job job;
	int64_t id;

	id = rig_submit(rig, "{\"slot\":\"left\",\"chip\":\"MT6260\"}");
	watch_plug(rig, &watch, "watch", "--flash", "new:1M", NULL);
	rig_attach(rig, watch.link, "left");
	wait_for_port(rig, "left", "idle");
	reload(rig, "[automatic]\nenabled=no\n[slots]\nlinks=left\n");
	for (int i = 0; i < 500 && !rig_log_has(rig, "configuration read again"); i++)
		sleep_ms(10);
	expect_port(rig, "links", "idle");
	assert_true(rig_log_has(rig, "it needs a slot that is not called so any more"));
	job = rig_job(rig, id);
	assert_int_equal(job.state, JOB_QUEUED);
	job_clear(&job);
	watch_unplug(&watch);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_test_set_up, rig_test_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_names_last),
		TEST(test_configuration_wins),
		TEST(test_excluded_is_not_touched),
		TEST(test_excluded_in_the_middle),
		TEST(test_renamed_with_a_port),
		TEST(test_reload),
		TEST(test_renamed_by_a_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
