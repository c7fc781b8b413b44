/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who did what, as the client shows it, over a kill of the daemon. */

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/control/audit.h"
#include "tests/integration/file-bench.h"

static struct json_object *list(const struct rig *rig, const char *parameters)
{
	return rig_call(rig, "ListAudit", parameters, NULL);
}

static void assert_entry(struct json_object *reply, size_t index, enum audit_action action,
			 const char *object, const char *detail)
{
	struct json_object *entries = message_member(reply, "entries");
	struct audit_entry entry = { 0 };
	struct problem problem;

	assert_int_equal(audit_entry_from_json(message_at(entries, index), &entry, &problem), 0);
	assert_string_equal(audit_action_to_string(entry.action), audit_action_to_string(action));
	assert_int_equal(entry.uid, getuid());
	assert_string_equal(entry.object ?: "", object);
	assert_string_equal(entry.detail ?: "", detail);
	audit_entry_clear(&entry);
}

/* The reload is answered by nobody: its entry is what says that it was done. */
static void wait_for_reload(const struct rig *rig)
{
	size_t n = 0;

	for (int i = 0; i < 200 && n == 0; i++) {
		struct json_object *reply = list(rig, "{\"action\":\"reload\"}");

		n = message_length(message_member(reply, "entries"));
		message_unref(reply);
		if (n == 0)
			sleep_ms(50);
	}
	assert_int_equal(n, 1);
}

static void test_all_deeds(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output added = { 0 };
	_cleanup_message_ struct json_object *reply = NULL, *of_job = NULL;
	struct watch watch;
	struct json_object *ignored;
	char path[160];
	int64_t id;

	id = rig_submit(rig, "{\"slot\":\"nowhere\"}");
	assert_int_equal(id, 1);
	message_unref(rig_call(rig, "Cancel", "{\"id\":1}", NULL));
	message_unref(rig_call(rig, "Retry", "{\"id\":1}", NULL));
	make_container(rig, "agents.bin", path);
	added = rig_ctl(rig, "da", "add", path, NULL);
	assert_int_equal(added.status, 0);
	watch_plug(rig, &watch, "a", "--flash=new:1M", NULL);
	rig_attach(rig, watch.link, "left");
	{
		_cleanup_free_ char *parameters = str_format("{\"device\":\"%s\"}", watch.link);

		ignored = rig_call(rig, "Detach", parameters, NULL);
		message_unref(ignored);
	}
	assert_int_equal(kill(rig->daemon, SIGHUP), 0);
	wait_for_reload(rig);
	assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
	rig_start(rig);

	reply = list(rig, "{}");
	assert_int_equal(message_length(message_member(reply, "entries")), 7);
	assert_entry(reply, 0, AUDIT_RELOAD, "", "");
	assert_entry(reply, 1, AUDIT_DETACH, watch.link, "");
	assert_entry(reply, 2, AUDIT_ATTACH, watch.link, "left");
	assert_entry(reply, 3, AUDIT_AGENT, "agents.bin", "added");
	assert_entry(reply, 4, AUDIT_RETRY, "1", "");
	assert_entry(reply, 5, AUDIT_CANCEL, "1", "");
	assert_entry(reply, 6, AUDIT_SUBMIT, "1", "");
	of_job = list(rig, "{\"object\":\"1\",\"limit\":2}");
	assert_int_equal(message_length(message_member(of_job, "entries")), 2);
	assert_entry(of_job, 1, AUDIT_CANCEL, "1", "");
	watch_unplug(&watch);
}

static void test_a_removed_backup(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output removed = { 0 }, table = { 0 };
	_cleanup_message_ struct json_object *reply = NULL;
	const struct passwd *user = getpwuid(getuid());
	struct watch watch;
	struct job job;
	int64_t id;

	watch_plug(rig, &watch, "a", "--flash=new:1M", NULL);
	rig_attach(rig, watch.link, "left");
	id = rig_submit(rig, "{}");
	job = rig_wait(rig, id, JOB_DONE, 60);
	removed = rig_ctl(rig, "remove", job.backup, NULL);
	assert_int_equal(removed.status, 0);
	reply = list(rig, "{\"action\":\"remove\"}");
	assert_entry(reply, 0, AUDIT_REMOVE, job.backup, "");

	table = rig_ctl(rig, "audit", "--action=remove", "--since=1h", NULL);
	assert_int_equal(table.status, 0);
	assert_non_null(strstr(table.out, job.backup));
	assert_non_null(user);
	assert_non_null(strstr(table.out, user->pw_name));
	assert_null(strstr(table.out, "submit"));
	job_clear(&job);
	watch_unplug(&watch);
}

/* More than one answer holds: the client asks again until it has what it wants. */
static void test_a_long_list(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output json = { 0 }, wrong = { 0 };
	_cleanup_message_ struct json_object *document = NULL;
	struct json_object *entries;
	int64_t first, last;

	(void)rig_submit(rig, "{\"slot\":\"nowhere\",\"count\":1000}");
	(void)rig_submit(rig, "{\"slot\":\"nowhere\",\"count\":500}");
	json = rig_ctl(rig, "--json", "audit", "--limit=1200", NULL);
	assert_int_equal(json.status, 0);
	assert_int_equal(message_parse(json.out, strlen(json.out), &document), 0);
	entries = message_member(document, "entries");
	assert_int_equal(message_length(entries), 1200);
	assert_int_equal(message_int(message_member(message_at(entries, 0), "id"), &first), 0);
	assert_int_equal(message_int(message_member(message_at(entries, 1199), "id"), &last), 0);
	assert_int_equal(first - last, 1199);

	wrong = rig_ctl(rig, "audit", "--action=steal", NULL);
	assert_int_equal(wrong.status, 2);
	assert_non_null(strstr(wrong.err, "--action=steal"));
	message_unref(rig_call(rig, "ListAudit", "{\"action\":\"steal\"}",
			       "org.varlink.service.InvalidParameter"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_deeds, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_a_removed_backup, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_a_long_list, rig_test_set_up,
						rig_test_tear_down),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
