/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mtkrbctl explain: no daemon, stable exit statuses, everything that a number may mean. */

#include "tests/integration/rig.h"

#include "protocol/base/strings.h"

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_set_up(rig, NULL);
	*state = rig;
	return 0;
}

static void expect(const struct output *output, int status, const char *out, const char *err)
{
	if (output->status != status || !strstr(output->out, out) || !strstr(output->err, err))
		fail_msg("%d: %s%s", output->status, output->out, output->err);
}

static void test_people(void **state)
{
	struct rig *rig = *state;
	struct output output = rig_ctl(rig, "explain", "1D0D", NULL);

	expect(&output, 0, "authentication-required", "");
	expect(&output, 0, "seen from a device", "");
	output_clear(&output);
	output = rig_ctl(rig, "explain", "2001", NULL);
	expect(&output, 0, "S_BROM_SET_FLASHTOOL_REG_FAIL", "");
	expect(&output, 0, "signature-wrong", "");
	output_clear(&output);
	output = rig_ctl(rig, "explain", "unsupported-chip", NULL);
	expect(&output, 0, "MT6261", "");
	output_clear(&output);
	output = rig_ctl(rig, "explain", NULL);
	expect(&output, 0, "handshake-timeout", "");
	expect(&output, 0, "6010 to 6019", "");
	output_clear(&output);
}

static void test_unknown(void **state)
{
	struct rig *rig = *state;
	struct output output = rig_ctl(rig, "explain", "handshake-timout", "1D0D", NULL);

	expect(&output, 4, "authentication-required", "hint: did you mean handshake-timeout?");
	output_clear(&output);
	output = rig_ctl(rig, "explain", "0xDEAD", NULL);
	expect(&output, 4, "", "no such code or symbol: 0xDEAD");
	output_clear(&output);
}

static void test_json(void **state)
{
	struct rig *rig = *state;
	struct output output = rig_ctl(rig, "--json", "explain", "6012", "cancelled", NULL);
	struct json_object *answer = NULL, *list, *first;
	int64_t code;

	expect(&output, 0, "", "");
	assert_int_equal(message_parse(output.out, strlen(output.out), &answer), 0);
	list = message_member(answer, "explanations");
	assert_int_equal(message_length(list), 3);
	first = message_at(list, 0);
	assert_string_equal(message_string(message_member(first, "family")), "FlashTool");
	assert_int_equal(message_int(message_member(first, "code"), &code), 0);
	assert_int_equal(code, 6010);
	assert_int_equal(message_int(message_member(first, "last"), &code), 0);
	assert_int_equal(code, 6019);
	assert_string_equal(message_string(message_member(message_at(list, 2), "name")),
			    "cancelled");
	message_unref(answer);
	output_clear(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_people, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_unknown, set_up, rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_json, set_up, rig_test_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
