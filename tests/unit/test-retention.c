/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which backups go: by table. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

#include "daemon/policy/retention.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define NOW  (20000ULL * 86400 * USEC_PER_SEC)
#define MEID "00112233445566778899aabbccddeeff"

/* A backup of the watch, days old; size in MB. */
struct one {
	int days;
	uint64_t size;
	const char *label; /* value of "ticket", NULL: none */
	bool damaged;
	int health;
};

/* L: label, y: young, n: no successor, l: among the last, s: spare, G: goes, u: unknown watch. */
static const char letters[_RETENTION_VERDICT_MAX] = {
	[RETENTION_UNKNOWN_WATCH] = 'u', [RETENTION_LABEL] = 'L',      [RETENTION_YOUNG] = 'y',
	[RETENTION_NO_SUCCESSOR] = 'n',  [RETENTION_AMONG_LAST] = 'l', [RETENTION_SPARE] = 's',
	[RETENTION_BEYOND_LAST] = 'G',
};

static struct label any_ticket = { (char *)"ticket", NULL };
static struct label open_ticket = { (char *)"ticket", (char *)"open" };

static const struct {
	const char *what;
	struct retention_rules rules;
	struct one backups[6]; /* the newest first, ended by size 0 */
	const char *expected;
} cases[] = {
	{ "no rules: nothing goes",
	  { 0 },
	  { { 1, 4, NULL, false, 90 }, { 2, 4, NULL, false, 90 }, { 3, 4, NULL, false, 90 } },
	  "nss" },
	{ "the last two stay",
	  { .keep_last = 2 },
	  { { 1, 4, NULL, false, 90 },
	    { 2, 4, NULL, false, 90 },
	    { 3, 4, NULL, false, 90 },
	    { 4, 4, NULL, false, 90 } },
	  "nlGG" },
	{ "keep-last=1",
	  { .keep_last = 1 },
	  { { 1, 4, NULL, false, 90 }, { 2, 4, NULL, false, 90 } },
	  "nG" },
	{ "the only one stays", { .keep_last = 1 }, { { 900, 4, NULL, false, 90 } }, "n" },
	{ "a part does not stand for the whole",
	  { .keep_last = 1 },
	  { { 1, 1, NULL, false, 90 }, { 2, 4, NULL, false, 90 }, { 3, 4, NULL, false, 90 } },
	  "nnG" },
	{ "nor do many parts",
	  { .keep_last = 2 },
	  { { 1, 1, NULL, false, 90 },
	    { 2, 1, NULL, false, 90 },
	    { 3, 1, NULL, false, 90 },
	    { 4, 4, NULL, false, 90 },
	    { 5, 4, NULL, false, 90 } },
	  "nlGnl" },
	{ "the whole stands for a part",
	  { .keep_last = 1 },
	  { { 1, 4, NULL, false, 90 }, { 2, 1, NULL, false, 90 } },
	  "nG" },
	{ "what is damaged stands for nothing",
	  { .keep_last = 1 },
	  { { 1, 4, NULL, true, 90 }, { 2, 4, NULL, false, 90 }, { 3, 4, NULL, false, 90 } },
	  "nnG" },
	{ "what is damaged may go",
	  { .keep_last = 1 },
	  { { 1, 4, NULL, false, 90 }, { 2, 4, NULL, true, 90 } },
	  "nG" },
	{ "a watch that broke does not stand for the one that it was",
	  { .keep_last = 1 },
	  { { 1, 4, NULL, false, 30 }, { 2, 4, NULL, false, 20 }, { 3, 4, NULL, false, 100 } },
	  "nGn" },
	{ "nor does one whose health is not known",
	  { .keep_last = 1 },
	  { { 1, 4, NULL, false, -1 }, { 2, 4, NULL, false, 0 }, { 3, 4, NULL, false, -1 } },
	  "nnG" },
	{ "what is young stays",
	  { .keep_last = 1, .keep_for_usec = 3 * 86400 * USEC_PER_SEC },
	  { { 1, 4, NULL, false, 90 },
	    { 2, 4, NULL, false, 90 },
	    { 3, 4, NULL, false, 90 },
	    { 4, 4, NULL, false, 90 } },
	  "yyGG" },
	{ "the future is young",
	  { .keep_last = 1, .keep_for_usec = 86400 * USEC_PER_SEC },
	  { { -5, 4, NULL, false, 90 }, { -6, 4, NULL, false, 90 }, { 2, 4, NULL, false, 90 } },
	  "yyG" },
	{ "a label keeps, whatever its value",
	  { .keep_last = 1, .keep_labels = &any_ticket, .n_keep_labels = 1 },
	  { { 1, 4, NULL, false, 90 },
	    { 2, 4, "open", false, 90 },
	    { 3, 4, "closed", false, 90 },
	    { 4, 4, NULL, false, 90 } },
	  "nLLG" },
	{ "a label keeps with its value",
	  { .keep_last = 1, .keep_labels = &open_ticket, .n_keep_labels = 1 },
	  { { 1, 4, NULL, false, 90 }, { 2, 4, "open", false, 90 }, { 3, 4, "closed", false, 90 } },
	  "nLG" },
	{ "what a label keeps counts as one of the last",
	  { .keep_last = 1, .keep_labels = &any_ticket, .n_keep_labels = 1 },
	  { { 1, 4, "open", false, 90 }, { 2, 4, NULL, false, 90 } },
	  "LG" },
	{ "without keep-last the rest is spare",
	  { .make_room = true, .keep_for_usec = 2 * 86400 * USEC_PER_SEC },
	  { { 1, 4, NULL, false, 90 }, { 3, 4, NULL, false, 90 }, { 4, 8, NULL, false, 90 } },
	  "ysn" },
};

static size_t make_backups(const struct one *ones, const char *meid, struct backup *backups,
			   struct label *labels)
{
	size_t n = 0;

	for (; n < 6 && ones[n].size; n++) {
		labels[n] = (struct label){ (char *)"ticket", (char *)ones[n].label };
		backups[n] = (struct backup){
			.meid = (char *)meid,
			.created = NOW - (uint64_t)((int64_t)ones[n].days * 86400 * 1000000),
			.size = ones[n].size << 20,
			.labels = &labels[n],
			.n_labels = ones[n].label ? 1 : 0,
			.damaged = ones[n].damaged,
			.health = ones[n].health,
		};
	}
	return n;
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct retention_decision decisions[6] = { 0 };
		struct backup backups[6] = { 0 };
		struct label labels[6];
		char found[7] = "";
		size_t n = make_backups(cases[i].backups, MEID, backups, labels);

		retention_decide(backups, n, &cases[i].rules, NOW, decisions);
		for (size_t k = 0; k < n; k++) {
			found[k] = letters[decisions[k].verdict];
			/* Whatever may go has something that stands for it. */
			if (retention_may_go(decisions[k].verdict)) {
				assert_non_null(decisions[k].successor);
				assert_true(decisions[k].successor < &backups[k]);
				assert_true(decisions[k].successor->size >= backups[k].size);
			}
		}
		if (!streq(found, cases[i].expected))
			fail_msg("%s: %s, not %s", cases[i].what, found, cases[i].expected);
	}
}

static void test_unknown_watch(void **state)
{
	static const struct one ones[6] = { { 1, 4, NULL, false, 90 }, { 2, 4, NULL, false, 90 } };
	struct retention_rules rules = { .keep_last = 1, .make_room = true };
	struct retention_decision decisions[2];
	struct backup backups[6];
	struct label labels[6];

	(void)state;
	retention_decide(backups, make_backups(ones, NULL, backups, labels), &rules, NOW,
			 decisions);
	assert_int_equal(decisions[0].verdict, RETENTION_UNKNOWN_WATCH);
	assert_int_equal(decisions[1].verdict, RETENTION_UNKNOWN_WATCH);
	assert_false(retention_may_go(decisions[1].verdict));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_unknown_watch),
	};

	return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
