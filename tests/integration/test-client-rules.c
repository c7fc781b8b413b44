/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mtkrbctl rules: what it asks, and what it makes of the answers. */
#include "tests/integration/client-bench.h"

#define RULES                                                                                     \
	"[{\"name\":\"slow\",\"action\":\"backup\",\"slot\":\"left right*\",\"chip\":\"MT6261\"," \
	"\"labels\":{\"customer\":\"a*\"},\"request\":{\"verify\":\"full\",\"after\":\"off\","    \
	"\"method\":\"da\",\"priority\":-5,\"rebuild\":false,\"identify_flash\":true,"            \
	"\"timeout\":60.0,\"da\":\"all.bin\",\"labels\":{\"origin\":\"automatic\","               \
	"\"rule\":\"slow\",\"bench\":\"2\"}},\"repeat_after\":86400.0},"                          \
	"{\"name\":\"off\",\"action\":\"ignore\",\"mode\":\"preloader\",\"meid\":\"00*\","        \
	"\"request\":{},\"repeat_after\":600.0},"                                                 \
	"{\"name\":\"automatic\",\"action\":\"backup\",\"request\":{\"later\":1},"                \
	"\"repeat_after\":600.0}]"
#define STEP(rule, outcome, more) "{\"rule\":\"" rule "\",\"outcome\":\"" outcome "\"" more "}"
#define TAKES_SLOW                                                          \
	"{\"slot\":\"left\",\"device\":\"/dev/ttyACM0\",\"rule\":\"slow\"," \
	"\"action\":\"backup\",\"steps\":[" STEP("slow", "taken",           \
						 "") "," STEP("off", "not-reached", "") "]}"
#define OPEN                                                            \
	"{\"slot\":\"right\",\"action\":\"identify\",\"steps\":[" STEP( \
		"slow", "undecided", ",\"reason\":\"the chip is not known yet\"") "]}"
#define BOUND_TO_NONE                                                        \
	"{\"slot\":\"far\",\"action\":\"ignore\",\"steps\":[" STEP(          \
		"slow", "passed-over",                                       \
		",\"reason\":\"slot far is bound to rule x, which there is " \
		"not\"") "]}"

static void test_all(void **state)
{
	static const struct step steps[] = {
		{ "ExplainRules", "{}",
		  .replies = { PARAMETERS("{\"rules\":" RULES ",\"verdicts\":[" TAKES_SLOW "," OPEN
					  "," BOUND_TO_NONE "]}") } },
		{ 0 },
	};

	expect(state, steps, "rules", 0,
	       "RULE       MATCHES                                         ACTION  JOB\n"
	       "slow       slot=left,right* chip=MT6261 label=customer=a*  backup  "
	       "verify=full after=off method=da priority=-5 rebuild=no identify-flash=yes "
	       "timeout=60s da=all.bin add-label=bench=2 repeat after 1 d\n"
	       "off        mode=preloader meid=00*                         ignore  -\n"
	       "automatic  everything                                      backup  "
	       "repeat after 10 min\n"
	       "\n"
	       "left (/dev/ttyACM0): rule slow, backup\n"
	       "  slow  taken        it matches\n"
	       "  off   not-reached  one before it is taken\n"
	       "\n"
	       "right: it depends on what the watch says\n"
	       "  slow  undecided  the chip is not known yet\n"
	       "\n"
	       "far: no rule, left alone\n"
	       "  slow  passed-over  slot far is bound to rule x, which there is not\n",
	       NULL);
}

static void test_one_watch(void **state)
{
	static const struct step steps[] = {
		{ "ExplainRules",
		  "{\"slot\":\"left\",\"chip\":\"MT6261\",\"mode\":\"brom\",\"meid\":\"00\"}",
		  .replies = { PARAMETERS("{\"rules\":" RULES ",\"verdicts\":[" OPEN "]}") } },
		{ 0 },
	};

	expect(state, steps, "rules --slot=left --chip=MT6261 --mode=brom --meid=00", 0,
	       "right: it depends on what the watch says\n"
	       "  slow  undecided  the chip is not known yet\n",
	       NULL);
}

static void test_json(void **state)
{
	static const struct step steps[] = {
		{ "ExplainRules", "{}",
		  .replies = { PARAMETERS("{\"rules\":" RULES ",\"verdicts\":[]}") } },
		{ 0 },
	};

	expect(state, steps, "rules --json", 0, "{\"rules\":" RULES ",\"verdicts\":[]}\n", NULL);
}

static void test_bad_answer(void **state)
{
	static const struct step steps[] = {
		{ "ExplainRules", "{}", .replies = { PARAMETERS("{\"rules\":[{}]}") } },
		{ 0 },
	};
	_cleanup_(outcome_clear) struct outcome outcome = { 0 };

	bench_start(*state, steps);
	outcome = client_run(*state, "rules");
	assert_int_not_equal(outcome.status, 0);
	assert_contains(outcome.err, "ExplainRules");
	bench_finish(*state);
}

static void test_wrong_mode(void **state)
{
	static const struct step steps[] = { { 0 } };

	expect(state, steps, "rules --mode=bootrom", 2, "", "--mode=bootrom: not a port's mode");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_all),        BENCH_TEST(test_one_watch),  BENCH_TEST(test_json),
		BENCH_TEST(test_bad_answer), BENCH_TEST(test_wrong_mode),
	};

	if (!getenv("MTKRB_BIN_DIR")) {
		fputs("MTKRB_BIN_DIR must name the folder of mtkrbctl\n", stderr);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
