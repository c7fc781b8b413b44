/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mtkrbctl slot: what it asks, and what it makes of the answers. */
#include "tests/integration/client-bench.h"

#define USB "pci-0000:00:14.0-usb-0:"
#define SLOTS                                                                                \
	"{\"slots\":[{\"name\":\"left\",\"path\":\"" USB "1\",\"excluded\":false,"           \
	"\"origin\":\"configuration\",\"port\":" PORT ",\"rule\":\"slow\","                  \
	"\"clash\":\"the configuration calls it so, not links as stored\"},"                 \
	"{\"name\":\"right\",\"path\":\"" USB "2\",\"excluded\":true,\"origin\":\"named\"}," \
	"{\"name\":\"" USB "3\",\"path\":\"" USB "3\",\"excluded\":false,"                   \
	"\"origin\":\"named\",\"labels\":{\"customer\":\"one\",\"shelf\":\"3\"}}]}"

static void test_list(void **state)
{
	static const struct step steps[] = {
		{ "ListSlots", "{}", .replies = { PARAMETERS(SLOTS) } },
		{ 0 },
	};

	expect(state, steps, "slot", 0,
	       "SLOT                      STATE     DEVICE        JOB  RULE  PLACE                "
	       "     LABELS\n"
	       "left                      busy      /dev/ttyACM0    7  slow  " USB "1  -\n"
	       "right                     excluded  -               -  -     " USB "2  -\n" USB
	       "3  empty     -               -  -     " USB "3  customer=one shelf=3\n",
	       "left: the configuration calls it so, not links as stored "
	       "('mtkrbctl slot forget left' forgets that)");
}

static void test_json(void **state)
{
	static const struct step steps[] = {
		{ "ListSlots", "{}", .replies = { PARAMETERS(SLOTS) } },
		{ 0 },
	};

	expect(state, steps, "slot list --json", 0, SLOTS "\n", NULL);
}

static void test_no_slots(void **state)
{
	static const struct step steps[] = {
		{ "ListSlots", "{}", .replies = { PARAMETERS("{\"slots\":[]}") } },
		{ 0 },
	};

	expect(state, steps, "slot list", 0, "", "mtkrbctl slot name PLACE NAME");
}

static void test_changes(void **state)
{
	static const struct {
		const char *arguments, *method, *parameters, *said;
	} cases[] = {
		{ "slot name " USB "1 left", "SetSlot", "{\"slot\":\"" USB "1\",\"name\":\"left\"}",
		  USB "1: called left\n" },
		{ "slot name a b --before=c", "SetSlot",
		  "{\"slot\":\"a\",\"name\":\"b\",\"before\":\"c\"}", "a: called b\n" },
		{ "slot exclude a", "SetSlot", "{\"slot\":\"a\",\"excluded\":true}",
		  "a: excluded\n" },
		{ "slot include a", "SetSlot", "{\"slot\":\"a\",\"excluded\":false}",
		  "a: included\n" },
		{ "slot rule a slow", "SetSlot", "{\"slot\":\"a\",\"rule\":\"slow\"}",
		  "a: bound to rule slow\n" },
		{ "slot rule a -", "SetSlot", "{\"slot\":\"a\",\"rule\":\"\"}",
		  "a: bound to no rule\n" },
		{ "slot label a k=v l= m=x=y", "SetSlot",
		  "{\"slot\":\"a\",\"labels\":{\"k\":\"v\",\"l\":\"\",\"m\":\"x=y\"}}",
		  "a: labelled\n" },
		{ "slot forget a", "ForgetSlot", "{\"slot\":\"a\"}", "a: forgotten\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct step steps[] = {
			{ cases[i].method, cases[i].parameters, .replies = { PARAMETERS("{}") } },
			{ 0 },
		};

		expect(state, steps, cases[i].arguments, 0, cases[i].said, NULL);
	}
}

static void test_refusals(void **state)
{
	static const struct step unknown[] = {
		{ "SetSlot", "{\"slot\":\"a\",\"excluded\":true}",
		  .replies = { ERROR(OURS("NoSuchSlot"), "{\"slot\":\"a\"}") } },
		{ 0 },
	};
	static const struct step refused[] = {
		{ "SetSlot", "{\"slot\":\"a\",\"name\":\"b\"}",
		  .replies = { ERROR(OURS("InvalidRequest"),
				     "{\"field\":\"name\",\"message\":\"is the name of c "
				     "already\"}") } },
		{ 0 },
	};

	expect(state, unknown, "slot exclude a", 4, "", "no such slot: a");
	expect(state, refused, "slot name a b", 6, "", "name: is the name of c already");
}

static void test_usage(void **state)
{
	static const struct {
		const char *arguments, *message;
	} cases[] = {
		{ "slot rename a b", "rename: not one of list, name, exclude" },
		{ "slot name a", "slot name takes PLACE NAME" },
		{ "slot forget", "slot forget takes SLOT" },
		{ "slot list a", "slot list takes no arguments" },
		{ "slot exclude a --before=b", "--before goes with slot name only" },
		{ "slot label a key", "key: not KEY=VALUE" },
		{ "slot label a =v", "=v: not KEY=VALUE" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(outcome_clear) struct outcome outcome =
			client_run(*state, cases[i].arguments);

		assert_int_equal(outcome.status, 2);
		assert_string_equal(outcome.out, "");
		assert_contains(outcome.err, cases[i].message);
	}
}

static void test_excluded_in_status(void **state)
{
	static const struct step steps[] = {
		{ "GetStatus", "{}",
		  .replies = { PARAMETERS("{\"version\":\"1\",\"uptime\":5.0,\"ports\":3,"
					  "\"excluded\":1,\"jobs\":{},\"free\":0}") } },
		{ 0 },
	};
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };

	bench_start(*state, steps);
	outcome = client_run(*state, "status");
	assert_int_equal(outcome.status, 0);
	assert_contains(outcome.out, " ports  3 (1 excluded)\n");
	bench_finish(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_list),
		BENCH_TEST(test_json),
		BENCH_TEST(test_no_slots),
		BENCH_TEST(test_changes),
		BENCH_TEST(test_refusals),
		BENCH_TEST(test_usage),
		BENCH_TEST(test_excluded_in_status),
	};

	if (!getenv("MTKRB_BIN_DIR")) {
		fputs("MTKRB_BIN_DIR must name the folder of mtkrbctl\n", stderr);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
