/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/internal.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/control/file-ref.h"
#include "protocol/control/limits.h"

#define REPEAT_MAX_SECS  (365 * 86400.0)
#define TIMEOUT_MAX_SECS (365 * 86400.0)

/* ---- which watches ---- */

static int set_slot(struct rule *rule, const char *value)
{
	free(TAKE_PTR(rule->slot));
	return rule_patterns(value, &rule->slot);
}

static int set_chip(struct rule *rule, const char *value)
{
	free(TAKE_PTR(rule->chip));
	return rule_patterns(value, &rule->chip);
}

/* Another mode is no way in: a rule that asks for it would wait for ever. */
static int set_mode(struct rule *rule, const char *value)
{
	int r;

	free(TAKE_PTR(rule->mode));
	r = rule_patterns(value, &rule->mode);
	if (r < 0)
		return r;
	return rule_patterns_match(rule->mode, "brom", false) ||
			       rule_patterns_match(rule->mode, "preloader", false)
		       ? 0
		       : -EINVAL;
}

static int set_meid(struct rule *rule, const char *value)
{
	free(TAKE_PTR(rule->meid));
	return rule_patterns(value, &rule->meid);
}

static int set_label(struct rule *rule, const char *value)
{
	int r = config_label(value, &rule->labels, &rule->n_labels);

	return r >= 0 && rule->n_labels > LIMIT_SLOT_LABELS ? -ERANGE : r;
}

static int set_action(struct rule *rule, const char *value)
{
	return rule_action_from_string(value, &rule->action);
}

/* ---- what becomes of them ---- */

static int set_enabled(struct rule *rule, const char *value)
{
	bool enabled;
	int r = parse_bool(value, &enabled);

	if (r >= 0)
		rule->action = enabled ? RULE_BACKUP : RULE_IGNORE;
	return r;
}

static int set_verify(struct rule *rule, const char *value)
{
	return verify_mode_from_string(value, &rule->verify);
}

static int set_after(struct rule *rule, const char *value)
{
	return after_action_from_string(value, &rule->after);
}

static int set_method(struct rule *rule, const char *value)
{
	return read_method_from_string(value, &rule->method);
}

static int set_priority(struct rule *rule, const char *value)
{
	return parse_int(value, -LIMIT_PRIORITY, LIMIT_PRIORITY, &rule->priority);
}

static int set_rebuild(struct rule *rule, const char *value)
{
	return parse_bool(value, &rule->rebuild);
}

static int set_identify_flash(struct rule *rule, const char *value)
{
	return parse_bool(value, &rule->identify_flash);
}

static int set_timeout(struct rule *rule, const char *value)
{
	return config_seconds(value, 0, TIMEOUT_MAX_SECS, &rule->timeout);
}

static int set_da(struct rule *rule, const char *value)
{
	if (!is_plain_name(value, LIMIT_NAME_BYTES) || !file_name_is_valid(value))
		return -EINVAL;
	return str_replace(&rule->da, value);
}

static int set_repeat_after(struct rule *rule, const char *value)
{
	return config_usec(value, REPEAT_MAX_SECS, &rule->repeat_after_usec);
}

/* These two say where a job comes from; nothing else may. */
static int set_job_label(struct rule *rule, const char *value)
{
	int r;

	if (strafter(value, "origin=") || strafter(value, "rule="))
		return -EINVAL;
	r = config_label(value, &rule->job_labels, &rule->n_job_labels);
	return r >= 0 && rule->n_job_labels > LIMIT_RULE_LABELS ? -ERANGE : r;
}

struct key {
	const char *name;
	const char *allowed;
	int (*set)(struct rule *rule, const char *value);
	enum rule_term term; /* _RULE_TERM_MAX: nothing that [automatic] could say for it */
};

#define PATTERNS "shell patterns with blanks or commas between them"

static const struct key match_keys[] = {
	{ "slot", PATTERNS, set_slot, _RULE_TERM_MAX },
	{ "chip", PATTERNS, set_chip, _RULE_TERM_MAX },
	{ "mode", PATTERNS " that match brom or preloader", set_mode, _RULE_TERM_MAX },
	{ "meid", PATTERNS, set_meid, _RULE_TERM_MAX },
	{ "label", "KEY=PATTERN, up to 8 of them", set_label, _RULE_TERM_MAX },
	{ "action", "backup, ignore", set_action, _RULE_TERM_MAX },
};

static const struct key automatic_keys[] = {
	{ "enabled", "yes, no", set_enabled, _RULE_TERM_MAX },
};

static const struct key job_keys[] = {
	{ "verify", "auto, none, sample, full", set_verify, RULE_VERIFY },
	{ "after", "reset, off, stay", set_after, RULE_AFTER },
	{ "method", "auto, brom, da", set_method, RULE_METHOD },
	{ "priority", "-1000 to 1000", set_priority, RULE_PRIORITY },
	{ "rebuild", "yes, no", set_rebuild, RULE_REBUILD },
	{ "identify-flash", "yes, no", set_identify_flash, RULE_IDENTIFY_FLASH },
	{ "timeout", "0 (none) to 365d, as 30s, 10min, 2h, 1d", set_timeout, RULE_TIMEOUT },
	{ "da", "the name of an agent that `mtkrbctl da` lists", set_da, RULE_DA },
	{ "repeat-after", "0 to 365d, as 30s, 10min, 2h, 1d", set_repeat_after, RULE_REPEAT_AFTER },
	{ "add-label", "KEY=VALUE, up to 8 of them, not origin or rule", set_job_label,
	  _RULE_TERM_MAX },
};

static const struct key *find_key(const struct key *keys, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(keys[i].name, name))
			return &keys[i];
	return NULL;
}

/* key: of the tables that this section has beside job_keys, NULL when it is in none of them. */
static int set_key(struct config_parser *parser, const char *section, struct rule *rule,
		   const struct key *key, const char *name, const char *value)
{
	int r;

	if (!key)
		key = find_key(job_keys, ARRAY_SIZE(job_keys), name);
	if (!key)
		return config_fail(parser, -EINVAL, section, name, "unknown key", NULL);
	r = key->set(rule, value);
	if (r < 0)
		return config_refuse(parser, r, section, name, key->allowed);
	if (key->term != _RULE_TERM_MAX)
		rule->said |= 1U << key->term;
	if (rule->da && rule->method == METHOD_BROM)
		return config_fail(parser, -EINVAL, section, name, "method=brom has no use for da",
				   NULL);
	return 0;
}

/* ---- the sections ---- */

static int find_or_add(struct config_parser *parser, const char *section, const char *name,
		       struct rule **ret)
{
	struct rules *rules = &parser->config->rules;

	if (!is_plain_name(name, LIMIT_NAME_BYTES) || streq(name, RULE_AUTOMATIC))
		return config_fail(parser, -EINVAL, section, NULL, "not a rule's name",
				   "names of letters, digits and ._+-, but not automatic");
	*ret = rules_find(rules, name);
	if (!*ret && rules_add(rules, name, ret) < 0)
		return config_refuse(parser, -ENOMEM, section, NULL, NULL);
	return 0;
}

int config_rule_begin(struct config_parser *parser, const char *section, const char *name)
{
	struct rule *rule;

	return find_or_add(parser, section, name, &rule);
}

int config_rule_set(struct config_parser *parser, const char *section, const char *name,
		    const char *key, const char *value)
{
	struct rule *rule = NULL;
	int r = find_or_add(parser, section, name, &rule);

	return rule ? set_key(parser, section, rule,
			      find_key(match_keys, ARRAY_SIZE(match_keys), key), key, value)
		    : r;
}

int config_automatic_set(struct config_parser *parser, const char *section,
			 _unused_ const char *no_name, const char *key, const char *value)
{
	return set_key(parser, section, &parser->config->rules.automatic,
		       find_key(automatic_keys, ARRAY_SIZE(automatic_keys), key), key, value);
}
