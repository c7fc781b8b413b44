/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looking for backups, and reading them again: the real daemon, its store and the client. */

#include "tests/integration/catalogue-bench.h"

#define MEID_A "000000000000000000000000000000aa"
#define MEID_B "000000000000000000000000000000bb"

/* The ids that a search finds, a line each, as `backups` prints them. */
static char *find(struct rig *rig, const char *const *arguments)
{
	struct output output;
	char *ids = strdup("");
	char *rest, *line;

	output = rig_ctl(rig, "backups", "--quiet", arguments[0],
			 arguments[0] ? arguments[1] : NULL, NULL);
	assert_int_equal(output.status, 0);
	rest = output.out;
	while ((line = strsep(&rest, "\n"))) {
		char *longer;

		if (!strstr(line, "Z-MT6261-"))
			continue;
		line[strcspn(line, " ")] = '\0';
		longer = str_format("%s%s\n", ids, line);
		free(ids);
		ids = longer;
	}
	output_clear(&output);
	return ids;
}

static void assert_found(struct rig *rig, const char *a, const char *b, const char *const *ids,
			 size_t n)
{
	_cleanup_free_ char *found = find(rig, (const char *const[]){ a, b });
	_cleanup_free_ char *expected = strdup("");

	for (size_t i = 0; i < n; i++) {
		char *longer = str_format("%s%s\n", expected, ids[i]);

		free(expected);
		expected = longer;
	}
	if (!streq(found, expected))
		fail_msg("%s %s found:\n%snot:\n%s", a ? a : "", b ? b : "", found, expected);
}
#define FOUND(a, b, ...)                                              \
	assert_found(rig, a, b, (const char *const[]){ __VA_ARGS__ }, \
		     sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))
#define NOT_FOUND(a, b) assert_found(rig, a, b, NULL, 0)

static char *member_of(struct rig *rig, const char *id, const char *name)
{
	_cleanup_free_ char *parameters = str_format("{\"id\":\"%s\"}", id);
	_cleanup_message_ struct json_object *reply = rig_call(rig, "GetBackup", parameters, NULL);
	const char *value = message_string(message_member(message_member(reply, "backup"), name));

	return value ? strdup(value) : NULL;
}

static void test_search(void **state)
{
	struct rig *rig = *state;
	_cleanup_(made_clear) struct made a = { 0 }, b = { 0 };
	_cleanup_free_ char *firmware = NULL, *digest = NULL, *option = NULL;
	char image[128];

	rig_make_image(rig, "image", "1M", image);
	a = make_backup(rig, image, MEID_A, ",\"labels\":{\"ticket\":\"4711\",\"shop\":\"a_b\"}");
	sleep_ms(1100); /* an id has whole seconds */
	b = make_backup(rig, "new:2M", MEID_B, ",\"labels\":{\"ticket\":\"4712\"}");

	FOUND(NULL, NULL, b.id, a.id);
	FOUND("--ticket=4711", NULL, a.id);
	FOUND("--label=ticket=4712", NULL, b.id);
	FOUND("--meid=" MEID_B, NULL, b.id);
	FOUND("--chip=mt6261", "--limit=1", b.id);
	FOUND("--before", b.id, a.id);
	NOT_FOUND("--before", a.id);
	FOUND("--since=1h", "--all", b.id, a.id);
	NOT_FOUND("--until=1h", NULL);
	NOT_FOUND("--max-health=1", NULL);
	FOUND("--min-health=2", "4712", b.id);
	FOUND("a_", "47", a.id);
	NOT_FOUND("a%b", NULL);
	NOT_FOUND("--damaged", NULL);

	/* The firmware's own name is in the manifest, the row and the search. */
	firmware = member_of(rig, a.id, "firmware");
	assert_non_null(firmware);
	FOUND("--firmware", firmware, b.id, a.id);
	digest = member_of(rig, a.id, "sha256");
	option = str_format("--digest=%.8s", digest);
	FOUND(option, NULL, a.id);
}

/* What makes no sense is refused by the name of the member. */
static void test_refused_searches(void **state)
{
	struct rig *rig = *state;
	static const struct {
		const char *parameters, *word;
	} wrong[] = {
		{ "{\"sha256\":\"1234567\"}", "sha256" },
		{ "{\"sha256\":\"123456789g\"}", "sha256" },
		{ "{\"min_health\":101}", "min_health" },
		{ "{\"words\":[\"\"]}", "words" },
		{ "{\"words\":[1]}", "words" },
		{ "{\"words\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}", "words" },
		{ "{\"before\":\"../../etc\"}", "before" },
		{ "{\"before\":\"x\",\"not_verified_since\":\"2026-11-25\"}", "before" },
		{ "{\"until\":\"soon\"}", "until" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_message_ struct json_object *error =
			rig_call(rig, "ListBackups", wrong[i].parameters,
				 "org.varlink.service.InvalidParameter");

		assert_string_equal(message_string(message_member(error, "parameter")),
				    wrong[i].word);
	}
}

static void test_verify(void **state)
{
	struct rig *rig = *state;
	_cleanup_(made_clear) struct made a = { 0 }, b = { 0 };
	_cleanup_free_ char *first = NULL, *second = NULL;
	struct output output;

	a = make_backup(rig, "new:1M", MEID_A, "");
	b = make_backup(rig, "new:2M", MEID_B, "");
	/* It was read back by a second process when it was made. */
	first = member_of(rig, a.id, "verified");
	assert_non_null(first);
	assert_ctl(rig, 0, &output, "verify", "--older-than=1h", NULL);
	assert_string_equal(output.out, "");
	assert_non_null(strstr(output.err, "0 verified, 0 damaged."));
	output_clear(&output);

	sleep_ms(1100);
	rot(a.path, "ROM_0", 70000);
	assert_ctl(rig, 1, &output, "verify", "--all", NULL);
	assert_non_null(strstr(output.out, b.id));
	assert_null(strstr(output.out, a.id));
	assert_non_null(strstr(output.err, "2 verified, 1 damaged."));
	output_clear(&output);
	second = member_of(rig, b.id, "verified");
	assert_true(strcmp(second, first) > 0);
	FOUND("--damaged", NULL, a.id);

	/* The catalogue says so also after a restart, until a verification finds it whole. */
	assert_int_equal(rig_stop(rig, 15), 0);
	rig_start(rig);
	assert_ctl(rig, 0, &output, "backups", NULL);
	assert_non_null(strstr(output.out, "DAMAGED"));
	output_clear(&output);
	rot(a.path, "ROM_0", 70000);
	assert_ctl(rig, 0, &output, "verify", a.id, NULL);
	output_clear(&output);
	NOT_FOUND("--damaged", NULL);
}

/* The longest unverified first, and no more than asked for. */
static void test_verify_a_few(void **state)
{
	struct rig *rig = *state;
	_cleanup_(made_clear) struct made a = { 0 }, b = { 0 };
	struct output output;

	a = make_backup(rig, "new:1M", MEID_A, "");
	sleep_ms(1100);
	b = make_backup(rig, "new:1M", MEID_B, "");
	sleep_ms(1100);
	assert_ctl(rig, 0, &output, "verify", "--all", "--limit=1", "--json", NULL);
	assert_non_null(strstr(output.out, a.id));
	assert_null(strstr(output.out, b.id));
	output_clear(&output);
	assert_ctl(rig, 0, &output, "verify", "--all", "--limit=1", NULL);
	assert_non_null(strstr(output.out, b.id));
	output_clear(&output);
	assert_ctl(rig, 2, &output, "verify", "--limit=1", a.id, NULL);
	output_clear(&output);
	assert_ctl(rig, 2, &output, "verify", "--all", a.id, NULL);
	output_clear(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_search, rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_refused_searches, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_verify, rig_test_set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_verify_a_few, rig_test_set_up,
						rig_test_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
