/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mtkrbctl diff: files without a daemon, backups by their ids. */

#include "tests/integration/catalogue-bench.h"

#define MEID "000000000000000000000000000000aa"

/* A copy of a file with one byte changed. */
static char *change(const struct rig *rig, const char *image, long offset)
{
	_cleanup_free_ char *command = str_format("cp '%s' '%s/changed'", image, rig->directory);

	assert_int_equal(system(command), 0);
	rot(rig->directory, "changed", offset);
	return str_format("%s/changed", rig->directory);
}

static void test_files(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *changed = NULL;
	char image[128];
	struct output output;

	rig_make_image(rig, "image", "4M", image);
	changed = change(rig, image, 0xa000 + 0x7000);
	assert_int_equal(rig_stop(rig, 15), 0); /* no daemon is needed */
	assert_ctl(rig, 0, &output, "diff", image, image, NULL);
	assert_non_null(strstr(output.out, "the same, byte for byte"));
	output_clear(&output);
	assert_ctl(rig, 1, &output, "diff", image, changed, NULL);
	assert_non_null(strstr(output.out, "from +0x7000 to +0x7000"));
	assert_non_null(strstr(output.out, "The images differ: 1 of "));
	output_clear(&output);
	assert_ctl(rig, 1, &output, "diff", "--quiet", image, changed, NULL);
	assert_string_equal(output.out, "");
	output_clear(&output);
	assert_ctl(rig, 2, &output, "diff", image, NULL);
	output_clear(&output);
	assert_ctl(rig, 4, &output, "diff", image, "/nowhere", NULL);
	assert_non_null(strstr(output.err, "no id of a backup either"));
	output_clear(&output);
	rig_start(rig);
}

static void test_json(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *changed = NULL;
	_cleanup_message_ struct json_object *object = NULL;
	struct json_object *regions, *bytes;
	char image[128];
	struct output output;
	int64_t differing = 0;

	rig_make_image(rig, "image", "4M", image);
	changed = change(rig, image, 0xa000 + 0x7000);
	assert_ctl(rig, 1, &output, "diff", "--json", image, changed, NULL);
	assert_int_equal(message_parse(output.out, strcspn(output.out, "\n"), &object), 0);
	output_clear(&output);
	regions = message_member(object, "regions");
	for (size_t i = 0; i < message_length(regions); i++) {
		struct json_object *region = message_at(regions, i);

		if (!streq(message_string(message_member(region, "name")), "ROM"))
			continue;
		bytes = message_member(region, "bytes");
		assert_int_equal(message_int(message_member(bytes, "differing"), &differing), 0);
		assert_string_equal(message_string(message_member(region, "result")), "differs");
	}
	assert_int_equal(differing, 1);
}

static void test_backups(void **state)
{
	struct rig *rig = *state;
	_cleanup_(made_clear) struct made a = { 0 }, b = { 0 }, parts = { 0 };
	_cleanup_free_ char *changed = NULL;
	char image[128];
	struct output output;

	rig_make_image(rig, "image", "1M", image);
	changed = change(rig, image, 70000);
	a = make_backup(rig, image, MEID, "");
	b = make_backup(rig, changed, MEID, "");
	assert_ctl(rig, 1, &output, "diff", a.id, b.id, NULL);
	assert_non_null(strstr(output.out, "MT6261"));
	output_clear(&output);
	assert_ctl(rig, 0, &output, "diff", b.id, changed, NULL);
	output_clear(&output);
	assert_ctl(rig, 4, &output, "diff", a.id, "20260101T000000Z-a-b-1", NULL);
	output_clear(&output);
	parts = make_backup(rig, image, MEID,
			    ",\"ranges\":[{\"start\":0,\"length\":4096},"
			    "{\"start\":8192,\"length\":4096}]");
	assert_ctl(rig, 1, &output, "diff", parts.id, a.id, NULL);
	assert_non_null(strstr(output.err, "of the 2 ranges"));
	output_clear(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files, rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_json, rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_backups, rig_test_set_up, rig_test_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
