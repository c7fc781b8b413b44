/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What happens when a watch arrives that no queued job wants: the rules of the configuration, the
 * first that matches counts, and [automatic] comes last and matches everything. Pure: rules and what
 * is known of a watch in, a verdict out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"
#include "protocol/control/label.h"

#define RULE_AUTOMATIC "automatic" /* what the last rule is called */

enum rule_action { RULE_BACKUP, RULE_IGNORE, _RULE_ACTION_MAX };

/* What a rule may say of its jobs; what it does not say, it takes from [automatic]. */
enum rule_term {
	RULE_VERIFY,
	RULE_AFTER,
	RULE_METHOD,
	RULE_PRIORITY,
	RULE_REBUILD,
	RULE_IDENTIFY_FLASH,
	RULE_TIMEOUT,
	RULE_DA,
	RULE_REPEAT_AFTER,
	_RULE_TERM_MAX,
};

struct rule {
	char *name;
	/*
	 * Shell patterns with blanks between them, of which one must match; NULL: anything. Chip and ME
	 * ID are compared whatever their case.
	 */
	char *slot, *chip, *mode, *meid;
	struct label *labels; /* that the slot must have; each value is one pattern */
	size_t n_labels;
	enum rule_action action;

	unsigned int said; /* bit per enum rule_term */
	enum verify_mode verify;
	enum after_action after;
	enum read_method method;
	int64_t priority;
	bool rebuild;
	bool identify_flash;
	double timeout;             /* seconds, 0: none */
	char *da;                   /* an agent that the daemon keeps; NULL: none in particular */
	uint64_t repeat_after_usec; /* not the same watch again sooner */
	struct label *job_labels;   /* that its jobs carry */
	size_t n_job_labels;
};

struct rules {
	struct rule *list; /* in the order of the files */
	size_t n;
	struct rule automatic;
};

/* Without rules, and with the defaults of [automatic]: everything is backed up. -ENOMEM. */
_must_check_ int rules_init(struct rules *ret);
void rules_clear(struct rules *rules);

/* The rule of that name, [automatic] too; NULL when there is none. */
struct rule *rules_find(const struct rules *rules, const char *name);

/* Adds one at the end that says nothing yet. *ret lasts until the next. -ENOMEM. */
_must_check_ int rules_add(struct rules *rules, const char *name, struct rule **ret);

/* When all is said: each rule takes from [automatic] what it did not say itself. -ENOMEM, -E2BIG. */
_must_check_ int rules_complete(struct rules *rules);

/* A watch in a slot, as far as it is known. */
struct rule_subject {
	const char *slot;  /* NULL: not known */
	const char *bound; /* the rule that the slot is bound to, NULL: to none */
	const struct label *labels;
	size_t n_labels;
	const char *mode; /* NULL or "auto": not known yet */
	const char *chip; /* NULL: not known */
	const char *meid; /* NULL: not known, or it has none */
	bool chip_known, meid_known;
};

enum rule_outcome {
	RULE_TAKEN,
	RULE_PASSED_OVER,
	RULE_UNDECIDED,   /* the watch must be identified first */
	RULE_NOT_REACHED, /* one before it was taken */
	_RULE_OUTCOME_MAX,
};

struct rule_step {
	const struct rule *rule;
	enum rule_outcome outcome;
	char reason[200]; /* the first thing that did not match or is not known; empty: none */
};

struct rule_verdict {
	const struct rule *rule; /* the one that is taken; NULL: none, see identify */
	/*
	 * True when that depends on what only the watch can tell. False and no rule: the slot is bound to
	 * one that is not there, and its watches are left alone.
	 */
	bool identify;
};

/* steps: NULL, or room for rules->n + 1, one for each rule in order, [automatic] last. */
struct rule_verdict rules_decide(const struct rules *rules, const struct rule_subject *subject,
				 struct rule_step *steps);

/* The job that a rule makes, without slot and ME ID. -ENOMEM, -E2BIG. */
_must_check_ int rule_request(const struct rule *rule, const struct rule_subject *subject,
			      struct job_request *ret);

const char *rule_action_to_string(enum rule_action action);
_must_check_ int rule_action_from_string(const char *s, enum rule_action *ret);
const char *rule_outcome_to_string(enum rule_outcome outcome);

/* Brings patterns into the form above: "left*, right*" to "left* right*". -EINVAL for none, -ENOMEM. */
_must_check_ int rule_patterns(const char *text, char **ret);

/* True when one of the patterns matches s. */
bool rule_patterns_match(const char *patterns, const char *s, bool fold_case);
