/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Download agents: what is in a file, what the daemon keeps. */

#include "tests/integration/file-bench.h"

static void test_add_list_remove(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output added = { 0 }, again = { 0 }, listed = { 0 };
	_cleanup_(output_clear) struct output removed = { 0 }, missing = { 0 };
	_cleanup_free_ char *kept = str_format("%s/da/agents.bin", rig->state);
	struct json_object *reply;
	struct stat st;
	char path[160];

	make_container(rig, "agents.bin", path);
	added = rig_ctl(rig, "da", "add", path, NULL);
	assert_int_equal(added.status, 0);
	assert_true(same_content(kept, path));
	assert_int_equal(stat(kept, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	again = rig_ctl(rig, "da", "add", path, NULL);
	assert_int_equal(again.status, 0);

	assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
	rig_start(rig);
	reply = rig_call(rig, "ListAgents", "{}", NULL);
	assert_int_equal(message_length(message_member(reply, "agents")), 1);
	message_unref(reply);
	listed = rig_ctl(rig, "da", NULL);
	assert_int_equal(listed.status, 0);
	assert_non_null(strstr(listed.out, "agents.bin"));
	assert_non_null(strstr(listed.out, "8.0 KiB"));

	removed = rig_ctl(rig, "da", "remove", "agents.bin", NULL);
	assert_int_equal(removed.status, 0);
	assert_false(file_exists(kept));
	missing = rig_ctl(rig, "da", "remove", "agents.bin", NULL);
	assert_int_equal(missing.status, 4);
	assert_non_null(strstr(missing.err, "no such download agent: agents.bin"));
}

static void test_another_of_that_name(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output first = { 0 }, second = { 0 };
	_cleanup_free_ char *kept = str_format("%s/da/agents.bin", rig->state);
	char path[160], other[160];

	make_container(rig, "agents.bin", path);
	make_container(rig, "other.bin", other);
	assert_int_equal(truncate(other, 0x3000), 0);
	first = rig_ctl(rig, "da", "add", path, NULL);
	assert_int_equal(first.status, 0);
	second = rig_ctl(rig, "da", "add", other, "--name=agents.bin", NULL);
	assert_int_equal(second.status, 6);
	assert_non_null(strstr(second.err, "remove that first"));
	assert_true(same_content(kept, path));
}

static void test_list_a_file(void **state)
{
	struct rig *rig = *state;
	_cleanup_(output_clear) struct output table = { 0 }, json = { 0 }, broken = { 0 };
	_cleanup_message_ struct json_object *object = NULL;
	struct json_object *agents, *regions;
	int64_t address;
	char path[160];

	make_container(rig, "agents.bin", path);
	/* No daemon is needed. */
	(void)rig_stop(rig, SIGTERM);
	table = rig_ctl(rig, "da", "list", path, NULL);
	assert_int_equal(table.status, 0);
	assert_non_null(strstr(table.out, "MTK_AllInOne_DA_v5.test"));
	assert_non_null(strstr(table.out, "MT6261"));
	assert_non_null(strstr(table.out, "da1 70007000+0x718"));
	assert_non_null(strstr(table.out, "nor-table 4 rows"));
	json = rig_ctl(rig, "da", "list", path, "--json", NULL);
	assert_int_equal(json.status, 0);
	assert_int_equal(message_parse(json.out, strlen(json.out), &object), 0);
	agents = message_member(object, "agents");
	assert_int_equal(message_length(agents), 1);
	regions = message_member(message_at(agents, 0), "regions");
	assert_int_equal(message_length(regions), 5);
	assert_int_equal(
		message_int(message_member(message_at(regions, 3), "load_address"), &address), 0);
	assert_int_equal(address, 0x10020000);

	assert_int_equal(truncate(path, 0x1C10), 0);
	broken = rig_ctl(rig, "da", "list", path, NULL);
	assert_int_equal(broken.status, 1);
	assert_non_null(strstr(broken.err, "entry 0 (chip 6261), region 4"));
	rig_start(rig);
}

static void test_add_refused(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *large = str_format("%s/large", rig->directory);
	_cleanup_free_ char *escaped = str_format("%s/escaped", rig->state);
	_cleanup_close_ int big = open(large, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	_cleanup_close_ int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int blind = open(large, O_WRONLY | O_CLOEXEC);
	static const char *const names[] = { "..", ".hidden", "a/b", "../escaped", "", "fd:0" };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	expect_refusal(rig, "AddAgent", "{\"name\":\"x\"}", &big, 1, OURS "InvalidRequest",
		       "empty");
	expect_refusal(rig, "AddAgent", "{\"name\":\"x\"}", &folder, 1, OURS "InvalidRequest",
		       "regular file");
	expect_refusal(rig, "AddAgent", "{\"name\":\"x\"}", &fds[0], 1, OURS "InvalidRequest",
		       "regular file");
	expect_refusal(rig, "AddAgent", "{\"name\":\"x\"}", &blind, 1, OURS "InvalidRequest",
		       "open for reading");
	message_unref(rig_call(rig, "AddAgent", "{\"name\":\"x\"}", OURS "InvalidRequest"));
	assert_int_equal(ftruncate(big, (off_t)LIMIT_AGENT_BYTES + 1), 0);
	expect_refusal(rig, "AddAgent", "{\"name\":\"x\"}", &big, 1, OURS "InvalidRequest",
		       "larger than 16.0 MiB");
	assert_int_equal(ftruncate(big, 10), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *parameters = str_format("{\"name\":\"%s\"}", names[i]);

		expect_refusal(rig, "AddAgent", parameters, &big, 1,
			       "org.varlink.service.InvalidParameter", "name");
	}
	assert_false(file_exists(escaped));
	assert_false(in_state(rig, "da/.incoming"));
	fd_close(fds[0]);
	fd_close(fds[1]);
}

static void test_too_many(void **state)
{
	struct rig *rig = *state;
	_cleanup_close_ int fd = memfd_create("agent", 0);

	assert_int_equal(ftruncate(fd, 100), 0);
	for (unsigned int i = 0; i < LIMIT_AGENTS; i++) {
		_cleanup_free_ char *parameters = str_format("{\"name\":\"agent-%u\"}", i);
		struct varlink_reply reply = call_with(rig, "AddAgent", parameters, &fd, 1);

		assert_null(reply.error);
		varlink_reply_clear(&reply);
	}
	expect_refusal(rig, "AddAgent", "{\"name\":\"one-more\"}", &fd, 1, OURS "LimitReached",
		       "download agents");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_test_set_up, rig_test_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_add_list_remove), TEST(test_another_of_that_name),
		TEST(test_list_a_file),     TEST(test_add_refused),
		TEST(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
