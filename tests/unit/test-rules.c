/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "daemon/policy/rules.h"
#include "protocol/base/strings.h"

#define MEID_A "00112233445566778899aabbccddeeff"
#define MOST   4

struct rule_case {
	const char *name; /* NULL: no more rules */
	const char *slot, *chip, *mode, *meid, *label, *pattern;
	enum rule_action action;
	enum rule_outcome outcome; /* expected */
	const char *reason;        /* expected, whole; NULL: none */
};

struct verdict_case {
	const char *what;
	struct rule_case rules[MOST];
	enum rule_action automatic; /* and what [automatic] does, and how it fares */
	enum rule_outcome automatic_outcome;
	const char *slot, *bound, *mode, *chip, *meid, *label, *value;
	bool identified;
	const char *expected; /* the rule's name; NULL: none */
	bool identify;
};

#define TAKEN(...)                                 \
	{                                          \
		__VA_ARGS__, .outcome = RULE_TAKEN \
	}
#define PASSED(why, ...)                                                  \
	{                                                                 \
		__VA_ARGS__, .outcome = RULE_PASSED_OVER, .reason = (why) \
	}
#define OPEN(why, ...)                                                  \
	{                                                               \
		__VA_ARGS__, .outcome = RULE_UNDECIDED, .reason = (why) \
	}
#define UNREACHED(...)                                   \
	{                                                \
		__VA_ARGS__, .outcome = RULE_NOT_REACHED \
	}
#define KNOWN(c, m) .identified = true, .chip = (c), .meid = (m)

static const struct verdict_case cases[] = {
	{ "no rules: the automatic one", .slot = "a", .expected = "automatic" },
	{ "no rules, and the automatic one is off", .slot = "a", .automatic = RULE_IGNORE,
	  .expected = "automatic" },
	{ "the first that matches", .rules = { TAKEN("one"), UNREACHED("two") }, .slot = "a",
	  .automatic_outcome = RULE_NOT_REACHED, .expected = "one" },
	{ "a slot's name",
	  .rules = { PASSED("slot left does not match right*", "one", .slot = "right*"),
		     TAKEN("two", .slot = "left") },
	  .slot = "left", .automatic_outcome = RULE_NOT_REACHED, .expected = "two" },
	{ "one of several patterns", .rules = { TAKEN("one", .slot = "a b* c") }, .slot = "bench",
	  .automatic_outcome = RULE_NOT_REACHED, .expected = "one" },
	{ "a slot is compared exactly",
	  .rules = { PASSED("slot left does not match LEFT", "one", .slot = "LEFT") },
	  .slot = "left", .expected = "automatic" },
	{ "a chip, whatever its case", .rules = { TAKEN("one", .chip = "mt626?") }, .slot = "a",
	  KNOWN("MT6261", MEID_A), .automatic_outcome = RULE_NOT_REACHED, .expected = "one" },
	{ "another chip",
	  .rules = { PASSED("chip MT6261 does not match MT6260 MT2502", "one",
			    .chip = "MT6260 MT2502") },
	  .slot = "a", KNOWN("MT6261", MEID_A), .expected = "automatic" },
	{ "a chip that is not known yet",
	  .rules = { OPEN("the chip is not known yet", "one", .chip = "MT6260") }, .slot = "a",
	  .automatic_outcome = RULE_UNDECIDED, .identify = true },
	{ "what is known decides before what is not",
	  .rules = { PASSED("slot a does not match b", "one", .chip = "MT6260", .slot = "b") },
	  .slot = "a", .expected = "automatic" },
	{ "an ME ID, whatever its case", .rules = { TAKEN("one", .meid = "*EEFF") }, .slot = "a",
	  KNOWN("MT6261", MEID_A), .automatic_outcome = RULE_NOT_REACHED, .expected = "one" },
	{ "a watch without ME ID",
	  .rules = { PASSED("the watch has no ME ID", "one", .meid = "*") }, .slot = "a",
	  KNOWN("MT6261", NULL), .expected = "automatic" },
	{ "an ME ID that is not known yet",
	  .rules = { OPEN("the ME ID is not known yet", "one", .meid = "00*") }, .slot = "a",
	  .automatic_outcome = RULE_UNDECIDED, .identify = true },
	{ "a mode",
	  .rules = { PASSED("mode brom does not match preloader", "one", .mode = "preloader") },
	  .slot = "a", .mode = "brom", .expected = "automatic" },
	{ "a port that was attached knows its mode when it is identified",
	  .rules = { OPEN("the mode is not known yet", "one", .mode = "brom") }, .slot = "a",
	  .mode = "auto", .automatic_outcome = RULE_UNDECIDED, .identify = true },
	{ "a label of the slot", .rules = { TAKEN("one", .label = "customer", .pattern = "ac?e*") },
	  .slot = "a", .label = "customer", .value = "acme & sons",
	  .automatic_outcome = RULE_NOT_REACHED, .expected = "one" },
	{ "another label",
	  .rules = { PASSED("label customer=one does not match two", "one", .label = "customer",
			    .pattern = "two") },
	  .slot = "a", .label = "customer", .value = "one", .expected = "automatic" },
	{ "no such label",
	  .rules = { PASSED("the slot has no label customer", "one", .label = "customer",
			    .pattern = "*") },
	  .slot = "a", .expected = "automatic" },
	{ "a label that is missing decides before a chip that is not known",
	  .rules = { PASSED("the slot has no label customer", "one", .chip = "MT6261",
			    .label = "customer", .pattern = "*") },
	  .slot = "a", .expected = "automatic" },
	{ "ignored for sure: nobody asks the watch",
	  .rules = { TAKEN("one", .slot = "a", .action = RULE_IGNORE) }, .slot = "a",
	  .automatic_outcome = RULE_NOT_REACHED, .expected = "one" },
	{ "ignored whatever it says: nobody asks the watch",
	  .rules = { OPEN("the chip is not known yet", "one", .chip = "MT6260",
			  .action = RULE_IGNORE) },
	  .slot = "a", .automatic = RULE_IGNORE, .automatic_outcome = RULE_UNDECIDED,
	  .expected = "automatic" },
	{ "ignored unless it is that chip: it is asked",
	  .rules = { OPEN("the chip is not known yet", "one", .chip = "MT6260") }, .slot = "a",
	  .automatic = RULE_IGNORE, .automatic_outcome = RULE_UNDECIDED, .identify = true },
	{ "a bound slot takes its rule, whatever that asks for",
	  .rules = { PASSED("slot a is bound to rule two", "one"),
		     { "two", .slot = "b", .chip = "MT9999", .outcome = RULE_TAKEN,
		       .reason = "slot a is bound to it" } },
	  .slot = "a", .bound = "two", .automatic_outcome = RULE_NOT_REACHED, .expected = "two" },
	{ "bound to the automatic rule",
	  .rules = { PASSED("slot a is bound to rule automatic", "one") }, .slot = "a",
	  .bound = "automatic", .expected = "automatic" },
	{ "bound to a rule that is not there: left alone",
	  .rules = { PASSED("slot a is bound to rule two, which there is not", "one") },
	  .slot = "a", .bound = "two", .automatic_outcome = RULE_PASSED_OVER },
	{ "a slot that is not known",
	  .rules = { OPEN("the slot is not known yet", "one", .slot = "a") },
	  KNOWN("MT6261", MEID_A), .automatic_outcome = RULE_UNDECIDED, .identify = true },
};

static void make_rule(struct rules *rules, const struct rule_case *from)
{
	struct rule *rule;

	assert_int_equal(rules_add(rules, from->name, &rule), 0);
	assert_int_equal(str_replace(&rule->slot, from->slot), 0);
	assert_int_equal(str_replace(&rule->chip, from->chip), 0);
	assert_int_equal(str_replace(&rule->mode, from->mode), 0);
	assert_int_equal(str_replace(&rule->meid, from->meid), 0);
	if (from->label)
		assert_int_equal(
			labels_add(&rule->labels, &rule->n_labels, from->label, from->pattern), 0);
	rule->action = from->action;
}

static void check_step(const struct verdict_case *c, const struct rule_step *step,
		       enum rule_outcome outcome, const char *reason)
{
	if (step->outcome != outcome)
		fail_msg("%s: rule %s is %s", c->what, step->rule->name,
			 rule_outcome_to_string(step->outcome));
	if (reason && !streq(step->reason, reason))
		fail_msg("%s: rule %s: %s", c->what, step->rule->name, step->reason);
}

static void run_case(const struct verdict_case *c)
{
	_cleanup_(rules_clear) struct rules rules = { 0 };
	const struct label label = { (char *)c->label, (char *)c->value };
	const struct rule_subject subject = {
		.slot = c->slot,
		.bound = c->bound,
		.mode = c->mode,
		.chip = c->chip,
		.meid = c->meid,
		.chip_known = c->identified,
		.labels = &label,
		.n_labels = c->label ? 1 : 0,
		.meid_known = c->identified,
	};
	struct rule_step steps[MOST + 1];
	struct rule_verdict verdict, silent;

	assert_int_equal(rules_init(&rules), 0);
	rules.automatic.action = c->automatic;
	for (size_t i = 0; i < MOST && c->rules[i].name; i++)
		make_rule(&rules, &c->rules[i]);
	verdict = rules_decide(&rules, &subject, steps);
	silent = rules_decide(&rules, &subject, NULL);
	assert_ptr_equal(verdict.rule, silent.rule);
	assert_int_equal(verdict.identify, silent.identify);
	if (!streq_ptr(verdict.rule ? verdict.rule->name : NULL, c->expected) ||
	    verdict.identify != c->identify)
		fail_msg("%s: rule %s%s", c->what, verdict.rule ? verdict.rule->name : "none",
			 verdict.identify ? ", identify" : "");
	for (size_t i = 0; i < rules.n; i++)
		check_step(c, &steps[i], c->rules[i].outcome, c->rules[i].reason ?: "");
	check_step(c, &steps[rules.n], c->automatic_outcome, NULL);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&cases[i]);
}

static void test_patterns(void **state)
{
	_cleanup_free_ char *patterns = NULL;

	(void)state;
	assert_int_equal(rule_patterns(" a*,\tb ,, c", &patterns), 0);
	assert_string_equal(patterns, "a* b c");
	assert_true(rule_patterns_match(patterns, "abc", false));
	assert_true(rule_patterns_match(patterns, "c", false));
	assert_false(rule_patterns_match(patterns, "bc", false));
	assert_false(rule_patterns_match(patterns, "C", false));
	assert_true(rule_patterns_match(patterns, "C", true));
	assert_int_equal(rule_patterns(" , ", &(char *){ NULL }), -EINVAL);
	assert_int_equal(rule_patterns("", &(char *){ NULL }), -EINVAL);
}

/* What a rule does not say, [automatic] says for it. */
static void test_complete(void **state)
{
	_cleanup_(rules_clear) struct rules rules = { 0 };
	struct rule *last, *one;

	(void)state;
	assert_int_equal(rules_init(&rules), 0);
	last = &rules.automatic;
	last->verify = VERIFY_FULL;
	last->after = AFTER_STAY;
	last->timeout = 60;
	last->repeat_after_usec = 7;
	assert_int_equal(str_replace(&last->da, "all.bin"), 0);
	assert_int_equal(labels_add(&last->job_labels, &last->n_job_labels, "bench", "2"), 0);
	assert_int_equal(labels_add(&last->job_labels, &last->n_job_labels, "shelf", "1"), 0);
	assert_int_equal(rules_add(&rules, "one", &one), 0);
	one->said = 1U << RULE_VERIFY | 1U << RULE_REBUILD | 1U << RULE_REPEAT_AFTER;
	one->verify = VERIFY_NONE;
	assert_int_equal(labels_add(&one->job_labels, &one->n_job_labels, "shelf", "3"), 0);
	assert_int_equal(rules_complete(&rules), 0);
	assert_int_equal(one->verify, VERIFY_NONE);
	assert_false(one->rebuild);
	assert_int_equal(one->repeat_after_usec, 0);
	assert_int_equal(one->after, AFTER_STAY);
	assert_true(one->timeout == 60.0);
	assert_string_equal(one->da, "all.bin");
	assert_int_equal(one->n_job_labels, 2);
	assert_string_equal(one->job_labels[0].value, "3");
	assert_string_equal(one->job_labels[1].value, "2");
}

/* The rule's own labels count before the slot's, and nobody says where a job comes from but us. */
static void test_request(void **state)
{
	_cleanup_(rules_clear) struct rules rules = { 0 };
	_cleanup_(job_request_clear) struct job_request request = { 0 };
	const struct label labels[] = {
		{ (char *)"customer", (char *)"two" },
		{ (char *)"origin", (char *)"nowhere" },
		{ (char *)"shelf", (char *)"3" },
	};
	const struct rule_subject subject = { .labels = labels, .n_labels = ARRAY_SIZE(labels) };
	struct rule *one;

	(void)state;
	assert_int_equal(rules_init(&rules), 0);
	assert_int_equal(rules_add(&rules, "one", &one), 0);
	one->priority = -5;
	one->method = METHOD_DA;
	one->identify_flash = true;
	assert_int_equal(labels_add(&one->job_labels, &one->n_job_labels, "customer", "one"), 0);
	assert_int_equal(rule_request(one, &subject, &request), 0);
	assert_int_equal(request.priority, -5);
	assert_int_equal(request.method, METHOD_DA);
	assert_true(request.identify_flash);
	assert_int_equal(request.count, 1);
	assert_int_equal(request.n_ranges, 1);
	assert_int_equal(request.n_labels, 4);
	assert_string_equal(request.labels[0].value, "automatic");
	assert_string_equal(request.labels[1].key, "rule");
	assert_string_equal(request.labels[1].value, "one");
	assert_string_equal(request.labels[2].value, "one");
	assert_string_equal(request.labels[3].value, "3");
}

static void test_find(void **state)
{
	_cleanup_(rules_clear) struct rules rules = { 0 };
	struct rule *one;

	(void)state;
	assert_int_equal(rules_init(&rules), 0);
	assert_int_equal(rules_add(&rules, "one", &one), 0);
	assert_ptr_equal(rules_find(&rules, "one"), one);
	assert_ptr_equal(rules_find(&rules, RULE_AUTOMATIC), &rules.automatic);
	assert_null(rules_find(&rules, "two"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),    cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_complete), cmocka_unit_test(test_request),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
