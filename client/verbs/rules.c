/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/table.h"
#include "client/output/when.h"
#include "client/verb.h"
#include "protocol/base/strings.h"
#include "protocol/control/job.h"
#include "protocol/control/message.h"
#include "protocol/control/port.h"

enum { KEY_SLOT = 1, KEY_CHIP, KEY_MODE, KEY_MEID };

/* Appends " what=value" (without the blank at the beginning); false when out of memory. */
_printf_(2, 3) static bool append(char **text, const char *format, ...)
{
	_cleanup_free_ char *more = NULL;
	char *longer;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&more, format, ap);
	va_end(ap);
	if (n < 0) {
		more = NULL;
		return false;
	}
	longer = str_format("%s%s%s", *text ?: "", *text ? " " : "", more);
	if (!longer)
		return false;
	free(*text);
	*text = longer;
	return true;
}

/* ---- The rules ---- */

struct rule {
	char *name, *action, *slot, *chip, *mode, *meid;
	struct label *labels;
	size_t n_labels;
	struct job_request request;
	double repeat_after; /* seconds */
};

static void rule_clear(struct rule *rule)
{
	free(rule->name);
	free(rule->action);
	free(rule->slot);
	free(rule->chip);
	free(rule->mode);
	free(rule->meid);
	labels_free(rule->labels, rule->n_labels);
	job_request_clear(&rule->request);
}

static int read_labels(struct json_object *value, void *target, struct problem *problem)
{
	struct rule *rule = target;

	return labels_from_json(value, &rule->labels, &rule->n_labels, problem);
}

static int read_request(struct json_object *value, void *target, struct problem *problem)
{
	struct rule *rule = target;

	return job_request_from_reply(value, &rule->request, problem);
}

#define TEXT(type_, name_, flags_)                                                      \
	{                                                                               \
		.name = #name_, .type = FIELD_STRING, .offset = offsetof(type_, name_), \
		.flags = (flags_)                                                       \
	}

static int rule_read(struct json_object *object, struct rule *ret, struct problem *problem)
{
	static const struct field fields[] = {
		TEXT(struct rule, name, FIELD_REQUIRED),
		TEXT(struct rule, action, FIELD_REQUIRED),
		TEXT(struct rule, slot, 0),
		TEXT(struct rule, chip, 0),
		TEXT(struct rule, mode, 0),
		TEXT(struct rule, meid, 0),
		{ .name = "labels", .type = FIELD_CUSTOM, .read = read_labels },
		{ .name = "request",
		  .type = FIELD_CUSTOM,
		  .read = read_request,
		  .flags = FIELD_REQUIRED },
		{ .name = "repeat_after",
		  .type = FIELD_REAL,
		  .offset = offsetof(struct rule, repeat_after),
		  .flags = FIELD_REQUIRED },
	};

	return message_read_known(object, fields, ARRAY_SIZE(fields), ret, problem);
}

/* "slot=left,right* chip=MT6261", as the configuration has it. */
static int matches_text(const struct rule *rule, char **ret)
{
	const struct {
		const char *key, *patterns;
	} wishes[] = { { "slot", rule->slot },
		       { "chip", rule->chip },
		       { "mode", rule->mode },
		       { "meid", rule->meid } };
	_cleanup_free_ char *text = NULL;
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		if (!wishes[i].patterns)
			continue;
		ok &= append(&text, "%s=%s", wishes[i].key, wishes[i].patterns);
		/* Commas do as well between patterns, and keep them together here. */
		for (char *c = text ? strrchr(text, '=') : NULL; c && *c; c++)
			if (*c == ' ')
				*c = ',';
	}
	for (size_t i = 0; i < rule->n_labels; i++)
		ok &= append(&text, "label=%s=%s", rule->labels[i].key, rule->labels[i].value);
	if (!ok)
		return -ENOMEM;
	*ret = TAKE_PTR(text);
	return 0;
}

/* What its job has that is no default. */
static int job_text(const struct rule *rule, char **ret)
{
	const struct job_request *request = &rule->request;
	_cleanup_free_ char *text = NULL;
	char span[WHEN_TEXT_SIZE];
	bool ok = true;

	if (request->verify != VERIFY_AUTO)
		ok &= append(&text, "verify=%s", verify_mode_to_string(request->verify));
	if (request->after != AFTER_RESET)
		ok &= append(&text, "after=%s", after_action_to_string(request->after));
	if (request->method != METHOD_AUTO)
		ok &= append(&text, "method=%s", read_method_to_string(request->method));
	if (request->priority)
		ok &= append(&text, "priority=%lld", (long long)request->priority);
	if (!request->rebuild)
		ok &= append(&text, "rebuild=no");
	if (request->identify_flash)
		ok &= append(&text, "identify-flash=yes");
	if (request->timeout > 0)
		ok &= append(&text, "timeout=%gs", request->timeout);
	if (request->da)
		ok &= append(&text, "da=%s", request->da);
	for (size_t i = 0; i < request->n_labels; i++)
		if (!streq(request->labels[i].key, "origin") &&
		    !streq(request->labels[i].key, "rule"))
			ok &= append(&text, "add-label=%s=%s", request->labels[i].key,
				     request->labels[i].value);
	ok &= append(&text, "repeat after %s", when_span(rule->repeat_after, span));
	if (!ok)
		return -ENOMEM;
	*ret = TAKE_PTR(text);
	return 0;
}

static int add_rule(struct table *table, struct json_object *object, struct problem *problem)
{
	_cleanup_(rule_clear) struct rule rule = { 0 };
	_cleanup_free_ char *matches = NULL, *job = NULL;
	bool backup;
	int r = rule_read(object, &rule, problem);

	if (r >= 0)
		r = matches_text(&rule, &matches);
	if (r >= 0)
		r = job_text(&rule, &job);
	if (r < 0)
		return r;
	backup = streq(rule.action, "backup");
	table_add(table, TINT_NONE, rule.name);
	table_add(table, TINT_NONE, matches ?: "everything");
	table_add(table, backup ? TINT_GOOD : TINT_FAINT, rule.action);
	table_add(table, TINT_NONE, backup ? job : NULL);
	return 0;
}

static int print_rules(const struct client *client, struct json_object *rules,
		       struct problem *problem)
{
	static const struct column columns[] = {
		{ .title = "RULE" },
		{ "MATCHES", .cut = CUT_END },
		{ .title = "ACTION" },
		{ "JOB", .cut = CUT_END },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	for (size_t i = 0; i < message_length(rules) && r >= 0; i++)
		r = add_rule(table, message_at(rules, i), problem);
	return r < 0 ? r : table_print(table, &client->out, stdout);
}

/* ---- Which one a watch gets ---- */

struct verdict {
	char *slot, *device, *rule, *action;
	struct json_object *steps;
};

static void verdict_clear(struct verdict *verdict)
{
	free(verdict->slot);
	free(verdict->device);
	free(verdict->rule);
	free(verdict->action);
	message_unref(verdict->steps);
}

static int verdict_read(struct json_object *object, struct verdict *ret, struct problem *problem)
{
	static const struct field fields[] = {
		TEXT(struct verdict, slot, 0),
		TEXT(struct verdict, device, 0),
		TEXT(struct verdict, rule, 0),
		TEXT(struct verdict, action, FIELD_REQUIRED),
		{ .name = "steps",
		  .type = FIELD_ARRAY,
		  .offset = offsetof(struct verdict, steps),
		  .flags = FIELD_REQUIRED },
	};

	return message_read_known(object, fields, ARRAY_SIZE(fields), ret, problem);
}

struct step {
	char *rule, *outcome, *reason;
};

static void step_clear(struct step *step)
{
	free(step->rule);
	free(step->outcome);
	free(step->reason);
}

static int add_step(struct table *table, struct json_object *object, struct problem *problem)
{
	static const struct field fields[] = {
		TEXT(struct step, rule, FIELD_REQUIRED),
		TEXT(struct step, outcome, FIELD_REQUIRED),
		TEXT(struct step, reason, 0),
	};
	_cleanup_(step_clear) struct step step = { 0 };
	enum tint tint;
	int r = message_read_known(object, fields, ARRAY_SIZE(fields), &step, problem);

	if (r < 0)
		return r;
	tint = streq(step.outcome, "taken")       ? TINT_GOOD
	       : streq(step.outcome, "undecided") ? TINT_WARN
						  : TINT_FAINT;
	table_addf(table, TINT_NONE, "  %s", step.rule);
	table_add(table, tint, step.outcome);
	table_add(table, TINT_NONE,
		  step.reason                    ? step.reason
		  : streq(step.outcome, "taken") ? "it matches"
						 : "one before it is taken");
	return 0;
}

/* "left (/dev/ttyACM0): rule slow, backup". */
static void print_heading(const struct verdict *verdict)
{
	const char *slot = verdict->slot ?: "such a watch";
	const char *open = verdict->device ? " (" : "", *close = verdict->device ? ")" : "";
	const char *device = verdict->device ?: "";

	if (verdict->rule)
		print_line("%s%s%s%s: rule %s, %s", slot, open, device, close, verdict->rule,
			   verdict->action);
	else if (streq(verdict->action, "identify"))
		print_line("%s%s%s%s: it depends on what the watch says", slot, open, device,
			   close);
	else
		print_line("%s%s%s%s: no rule, left alone", slot, open, device, close);
}

static int print_verdict(const struct client *client, struct json_object *object,
			 struct problem *problem)
{
	static const struct column columns[] = { { 0 }, { 0 }, { .cut = CUT_END } };
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(verdict_clear) struct verdict verdict = { 0 };
	int r = verdict_read(object, &verdict, problem);

	if (r < 0)
		return r;
	print_heading(&verdict);
	r = table_new(columns, ARRAY_SIZE(columns), &table);
	for (size_t i = 0; i < message_length(verdict.steps) && r >= 0; i++)
		r = add_step(table, message_at(verdict.steps, i), problem);
	return r < 0 ? r : table_print(table, &client->out, stdout);
}

static int print_all(const struct client *client, struct json_object *reply, bool asked)
{
	struct json_object *rules = message_member(reply, "rules");
	struct json_object *verdicts = message_member(reply, "verdicts");
	struct problem problem = { 0 };
	int r;

	if (!message_is_array(rules) || !message_is_array(verdicts))
		return client_bad_reply(client, problem_set(&problem, "rules", "must be an array"),
					"ExplainRules", &problem);
	r = asked ? 0 : print_rules(client, rules, &problem);
	for (size_t i = 0; i < message_length(verdicts) && r >= 0; i++) {
		if (!asked)
			print_line("%s", "");
		r = print_verdict(client, message_at(verdicts, i), &problem);
	}
	return r < 0 ? client_bad_reply(client, r, "ExplainRules", &problem) : STATUS_DONE;
}

static int rules_run(struct client *client, struct arguments *arguments)
{
	_cleanup_message_ struct json_object *reply = NULL;
	const char *given[KEY_MEID + 1] = { 0 }, *value;
	struct json_object *parameters;
	bool asked = false; /* of a watch in particular */
	char **operands;
	size_t n;
	int key, r;

	while ((key = arguments_next(arguments, &value)) > 0) {
		given[key] = value;
		asked = true;
	}
	if (key == 0 && given[KEY_MODE] && !port_mode_is_valid(given[KEY_MODE]))
		key = arguments_wrong(arguments, "--mode=%s: not a port's mode: brom, preloader",
				      given[KEY_MODE]);
	if (key < 0 || arguments_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	r = message_build(&parameters, MEMBERS(M_STRING_OPT("slot", given[KEY_SLOT]),
					       M_STRING_OPT("chip", given[KEY_CHIP]),
					       M_STRING_OPT("mode", given[KEY_MODE]),
					       M_STRING_OPT("meid", given[KEY_MEID])));
	if (r < 0)
		return client_status(client, r);
	r = client_call(client, "ExplainRules", parameters, &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	return print_all(client, reply, asked);
}

static const struct verb_option rules_options[] = {
	{ "slot", KEY_SLOT, "SLOT", "a watch in this slot, empty or not" },
	{ "chip", KEY_CHIP, "CHIP", "a watch with this chip" },
	{ "mode", KEY_MODE, "MODE", "a watch in this mode: brom, preloader" },
	{ "meid", KEY_MEID, "HEX", "a watch with this ME ID" },
	{ 0 },
};

const struct verb verb_rules = {
	.name = "rules",
	.group = "Daemon and ports",
	.arguments = "",
	.summary = "what is done with a watch that no job wants, and why",
	.details = "Lists the rules of mtkrbd.conf in order, then which of them each port would "
		   "get, and\n"
		   "what the others were passed over for. With options: what a watch would get of "
		   "which\n"
		   "that is known.",
	.options = rules_options,
	.run = rules_run,
};
