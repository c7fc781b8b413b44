/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/rules.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/message.h"

#define SEPARATORS    " \t,"
#define PATTERN_BYTES 256 /* one pattern; a line of the configuration is shorter */

static const char *const action_words[_RULE_ACTION_MAX] = {
	[RULE_BACKUP] = "backup",
	[RULE_IGNORE] = "ignore",
};

static const char *const outcome_words[_RULE_OUTCOME_MAX] = {
	[RULE_TAKEN] = "taken",
	[RULE_PASSED_OVER] = "passed-over",
	[RULE_UNDECIDED] = "undecided",
	[RULE_NOT_REACHED] = "not-reached",
};

const char *rule_action_to_string(enum rule_action action)
{
	return action_words[action];
}

int rule_action_from_string(const char *s, enum rule_action *ret)
{
	int index = word_find(action_words, ARRAY_SIZE(action_words), s);

	if (index < 0)
		return index;
	*ret = (enum rule_action)index;
	return 0;
}

const char *rule_outcome_to_string(enum rule_outcome outcome)
{
	return outcome_words[outcome];
}

/* ---- the list ---- */

static void rule_clear(struct rule *rule)
{
	free(rule->name);
	free(rule->slot);
	free(rule->chip);
	free(rule->mode);
	free(rule->meid);
	labels_free(rule->labels, rule->n_labels);
	free(rule->da);
	labels_free(rule->job_labels, rule->n_job_labels);
	*rule = (struct rule){ 0 };
}

int rules_init(struct rules *ret)
{
	struct rules rules = {
		.automatic = { .rebuild = true, .repeat_after_usec = 600 * USEC_PER_SEC },
	};

	if (str_replace(&rules.automatic.name, RULE_AUTOMATIC) < 0)
		return -ENOMEM;
	*ret = rules;
	return 0;
}

void rules_clear(struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		rule_clear(&rules->list[i]);
	free(rules->list);
	rule_clear(&rules->automatic);
	*rules = (struct rules){ 0 };
}

struct rule *rules_find(const struct rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->n; i++)
		if (streq(rules->list[i].name, name))
			return &rules->list[i];
	return streq(name, RULE_AUTOMATIC) ? (struct rule *)&rules->automatic : NULL;
}

int rules_add(struct rules *rules, const char *name, struct rule **ret)
{
	struct rule *grown, rule = { 0 };

	grown = reallocarray(rules->list, rules->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	rules->list = grown;
	if (str_replace(&rule.name, name) < 0)
		return -ENOMEM;
	grown[rules->n] = rule;
	*ret = &grown[rules->n++];
	return 0;
}

/* Adds those whose key is not there yet. */
static int take_labels(struct label **labels, size_t *n, const struct label *more, size_t n_more)
{
	for (size_t i = 0; i < n_more; i++) {
		int r = 0;

		if (!labels_get(*labels, *n, more[i].key))
			r = labels_add(labels, n, more[i].key, more[i].value);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool says(const struct rule *rule, enum rule_term term)
{
	return rule->said & (1U << term);
}

static int complete(struct rule *rule, const struct rule *from)
{
	if (!says(rule, RULE_VERIFY))
		rule->verify = from->verify;
	if (!says(rule, RULE_AFTER))
		rule->after = from->after;
	if (!says(rule, RULE_METHOD))
		rule->method = from->method;
	if (!says(rule, RULE_PRIORITY))
		rule->priority = from->priority;
	if (!says(rule, RULE_REBUILD))
		rule->rebuild = from->rebuild;
	if (!says(rule, RULE_IDENTIFY_FLASH))
		rule->identify_flash = from->identify_flash;
	if (!says(rule, RULE_TIMEOUT))
		rule->timeout = from->timeout;
	if (!says(rule, RULE_REPEAT_AFTER))
		rule->repeat_after_usec = from->repeat_after_usec;
	if (!says(rule, RULE_DA) && str_replace(&rule->da, from->da) < 0)
		return -ENOMEM;
	return take_labels(&rule->job_labels, &rule->n_job_labels, from->job_labels,
			   from->n_job_labels);
}

int rules_complete(struct rules *rules)
{
	int r = 0;

	for (size_t i = 0; i < rules->n && r >= 0; i++)
		r = complete(&rules->list[i], &rules->automatic);
	return r;
}

/* ---- matching ---- */

int rule_patterns(const char *text, char **ret)
{
	_cleanup_free_ char *patterns = strdup(text);
	char *end = patterns;
	const char *p = text;

	if (!patterns)
		return -ENOMEM;
	for (p += strspn(p, SEPARATORS); *p; p += strspn(p, SEPARATORS)) {
		size_t n = strcspn(p, SEPARATORS);

		if (end > patterns)
			*end++ = ' ';
		memcpy(end, p, n);
		end += n;
		p += n;
	}
	*end = '\0';
	if (!*patterns)
		return -EINVAL;
	*ret = TAKE_PTR(patterns);
	return 0;
}

bool rule_patterns_match(const char *patterns, const char *s, bool fold_case)
{
	char pattern[PATTERN_BYTES];

	for (const char *p = patterns; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		if (n < sizeof(pattern)) {
			memcpy(pattern, p, n);
			pattern[n] = '\0';
			if (fnmatch(pattern, s, fold_case ? FNM_CASEFOLD : 0) == 0)
				return true;
		}
		p += n;
	}
	return false;
}

_printf_(3, 4) static enum rule_outcome
	because(struct rule_step *step, enum rule_outcome outcome, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(step->reason, sizeof(step->reason), format, ap);
	va_end(ap);
	return outcome;
}

/* What a rule asks of a watch, and what is known of it. */
struct wish {
	const char *what, *patterns, *value;
	bool known, fold_case;
};

/* RULE_TAKEN also for what is not asked for, or not known. */
static enum rule_outcome judge_wish(const struct wish *wish, struct rule_step *step)
{
	if (!wish->patterns || !wish->known)
		return RULE_TAKEN;
	if (!wish->value)
		return because(step, RULE_PASSED_OVER, "the watch has no %s", wish->what);
	if (!rule_patterns_match(wish->patterns, wish->value, wish->fold_case))
		return because(step, RULE_PASSED_OVER, "%s %s does not match %s", wish->what,
			       wish->value, wish->patterns);
	return RULE_TAKEN;
}

static enum rule_outcome judge_label(const struct label *wanted, const struct rule_subject *subject,
				     struct rule_step *step)
{
	const char *value = labels_get(subject->labels, subject->n_labels, wanted->key);

	if (!value)
		return because(step, RULE_PASSED_OVER, "the slot has no label %s", wanted->key);
	if (fnmatch(wanted->value, value, 0) != 0)
		return because(step, RULE_PASSED_OVER, "label %s=%s does not match %s", wanted->key,
			       value, wanted->value);
	return RULE_TAKEN;
}

/* The first thing that does not match, else the first that is not known yet. */
static enum rule_outcome judge(const struct rule *rule, const struct rule_subject *subject,
			       struct rule_step *step)
{
	const bool mode_known = subject->mode && !streq(subject->mode, "auto");
	const struct wish wishes[] = {
		{ "slot", rule->slot, subject->slot, subject->slot, false },
		{ "mode", rule->mode, subject->mode, mode_known, false },
		{ "chip", rule->chip, subject->chip, subject->chip_known, true },
		{ "ME ID", rule->meid, subject->meid, subject->meid_known, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++)
		if (judge_wish(&wishes[i], step) == RULE_PASSED_OVER)
			return RULE_PASSED_OVER;
	for (size_t i = 0; i < rule->n_labels; i++)
		if (judge_label(&rule->labels[i], subject, step) == RULE_PASSED_OVER)
			return RULE_PASSED_OVER;
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++)
		if (wishes[i].patterns && !wishes[i].known)
			return because(step, RULE_UNDECIDED, "the %s is not known yet",
				       wishes[i].what);
	return RULE_TAKEN;
}

/* The slot is bound: no other rule counts, and that one counts whatever it asks for. */
static enum rule_outcome judge_bound(const struct rules *rules, const struct rule *rule,
				     const struct rule_subject *subject, struct rule_step *step)
{
	if (streq(rule->name, subject->bound))
		return because(step, RULE_TAKEN, "slot %s is bound to it", subject->slot);
	return because(step, RULE_PASSED_OVER, "slot %s is bound to rule %s%s", subject->slot,
		       subject->bound,
		       rules_find(rules, subject->bound) ? "" : ", which there is not");
}

struct rule_verdict rules_decide(const struct rules *rules, const struct rule_subject *subject,
				 struct rule_step *steps)
{
	struct rule_verdict verdict = { 0 };
	bool undecided = false, backup = false;

	for (size_t i = 0; i <= rules->n; i++) {
		const struct rule *rule = i < rules->n ? &rules->list[i] : &rules->automatic;
		struct rule_step own = { 0 }, *step = steps ? &steps[i] : &own;

		*step = (struct rule_step){ .rule = rule, .outcome = RULE_NOT_REACHED };
		if (verdict.rule)
			continue;
		step->outcome = subject->bound ? judge_bound(rules, rule, subject, step)
					       : judge(rule, subject, step);
		if (step->outcome == RULE_PASSED_OVER)
			continue;
		backup |= rule->action == RULE_BACKUP;
		if (step->outcome == RULE_TAKEN)
			verdict.rule = rule;
		if (step->outcome == RULE_TAKEN && undecided)
			step->outcome = because(step, RULE_UNDECIDED, "taken if none before it is");
		undecided |= step->outcome == RULE_UNDECIDED;
	}
	/* Nobody asks the watch when it would be left alone whatever it says. */
	verdict.identify = undecided && backup;
	if (verdict.identify)
		verdict.rule = NULL;
	return verdict;
}

/* ---- its job ---- */

int rule_request(const struct rule *rule, const struct rule_subject *subject,
		 struct job_request *ret)
{
	_cleanup_(job_request_clear) struct job_request request = { 0 };
	int r;

	r = job_request_init(&request);
	if (r < 0)
		return r;
	request.verify = rule->verify;
	request.after = rule->after;
	request.method = rule->method;
	request.priority = rule->priority;
	request.rebuild = rule->rebuild;
	request.identify_flash = rule->identify_flash;
	request.timeout = rule->timeout;
	r = str_replace(&request.da, rule->da);
	if (r >= 0)
		r = job_request_add_label(&request, "origin", "automatic");
	if (r >= 0)
		r = job_request_add_label(&request, "rule", rule->name);
	if (r >= 0)
		r = take_labels(&request.labels, &request.n_labels, rule->job_labels,
				rule->n_job_labels);
	if (r >= 0)
		r = take_labels(&request.labels, &request.n_labels, subject->labels,
				subject->n_labels);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(request);
	return 0;
}
