/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "daemon/manager/manager.h"
#include "daemon/methods/methods.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

static int rule_to_json(const struct rule *rule, struct json_object **ret)
{
	_cleanup_message_ struct json_object *labels = NULL, *object = NULL;
	const struct rule_subject nobody = { 0 };
	struct job_request request = { 0 };
	int r = 0;

	if (rule->n_labels > 0)
		r = labels_to_json(rule->labels, rule->n_labels, &labels);
	if (r >= 0)
		r = rule_request(rule, &nobody, &request);
	if (r >= 0)
		r = job_request_to_json(&request, &object);
	job_request_clear(&request);
	if (r < 0)
		return r;
	return message_build(
		ret,
		MEMBERS(M_STRING("name", rule->name),
			M_STRING("action", rule_action_to_string(rule->action)),
			M_STRING_OPT("slot", rule->slot), M_STRING_OPT("chip", rule->chip),
			M_STRING_OPT("mode", rule->mode), M_STRING_OPT("meid", rule->meid),
			M_OBJECT("labels", TAKE_PTR(labels)), M_OBJECT("request", TAKE_PTR(object)),
			M_REAL("repeat_after",
			       (double)rule->repeat_after_usec / (double)USEC_PER_SEC)));
}

static int rules_to_json(const struct rules *rules, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	struct json_object *object;
	int r = message_new_array(&array);

	for (size_t i = 0; i <= rules->n && r >= 0; i++) {
		r = rule_to_json(i < rules->n ? &rules->list[i] : &rules->automatic, &object);
		if (r >= 0)
			r = message_append(array, object);
	}
	if (r >= 0)
		*ret = TAKE_PTR(array);
	return r;
}

static int steps_to_json(const struct rule_step *steps, size_t n, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	struct json_object *object;
	int r = message_new_array(&array);

	for (size_t i = 0; i < n && r >= 0; i++) {
		const char *reason = *steps[i].reason ? steps[i].reason : NULL;

		r = message_build(
			&object,
			MEMBERS(M_STRING("rule", steps[i].rule->name),
				M_STRING("outcome", rule_outcome_to_string(steps[i].outcome)),
				M_STRING_OPT("reason", reason)));
		if (r >= 0)
			r = message_append(array, object);
	}
	if (r >= 0)
		*ret = TAKE_PTR(array);
	return r;
}

static const char *action_of(const struct rule_verdict *verdict)
{
	if (verdict->identify)
		return "identify";
	return rule_action_to_string(verdict->rule ? verdict->rule->action : RULE_IGNORE);
}

/* Adds to verdicts which rule a watch gets; device NULL: it is on no port. */
static int add_verdict(const struct rules *rules, const struct rule_subject *subject,
		       const char *device, struct json_object *verdicts)
{
	_cleanup_free_ struct rule_step *steps = calloc(rules->n + 1, sizeof(*steps));
	struct json_object *array, *object;
	struct rule_verdict verdict;
	int r;

	if (!steps)
		return -ENOMEM;
	verdict = rules_decide(rules, subject, steps);
	r = steps_to_json(steps, rules->n + 1, &array);
	if (r < 0)
		return r;
	r = message_build(
		&object,
		MEMBERS(M_STRING_OPT("slot", subject->slot), M_STRING_OPT("device", device),
			M_STRING_OPT("mode", subject->mode), M_STRING_OPT("chip", subject->chip),
			M_STRING_OPT("meid", subject->meid),
			M_STRING_OPT("rule", verdict.rule ? verdict.rule->name : NULL),
			M_STRING("action", action_of(&verdict)), M_OBJECT("steps", array)));
	return r < 0 ? r : message_append(verdicts, object);
}

static int judge_ports(const struct manager *manager, struct json_object *verdicts)
{
	const struct bench *bench = manager_bench(manager);
	int r = 0;

	for (size_t i = 0; i < bench->n && r >= 0; i++) {
		const struct bench_port *port = bench->ports[i];
		struct rule_subject subject = manager_subject(manager, port);

		if (!port->gone && !port->excluded)
			r = add_verdict(manager_rules(manager), &subject, port->port.device,
					verdicts);
	}
	return r;
}

struct explain {
	char *slot, *chip, *mode, *meid;
};

static void explain_clear(struct explain *explain)
{
	free(explain->slot);
	free(explain->chip);
	free(explain->mode);
	free(explain->meid);
}

/* A watch that somebody thinks of: what was not said is not known. */
static int judge_thought(const struct manager *manager, const struct explain *explain,
			 struct json_object *verdicts)
{
	struct rule_subject subject = {
		.slot = explain->slot,
		.mode = explain->mode,
		.chip = explain->chip,
		.meid = explain->meid,
		.chip_known = explain->chip,
		.meid_known = explain->meid,
	};
	_cleanup_(slots_clear) struct slots slots = { 0 };
	const struct slot *slot;
	int r;

	r = manager_list_slots(manager, &slots);
	if (r < 0)
		return r;
	slot = explain->slot ? slots_of(&slots, explain->slot) : NULL;
	if (slot) {
		subject.slot = slot->name;
		subject.bound = slot->rule;
		subject.labels = slot->labels;
		subject.n_labels = slot->n_labels;
	}
	return add_verdict(manager_rules(manager), &subject, NULL, verdicts);
}

#define TEXT(name_)                                                                   \
	{                                                                             \
		.name = #name_, .type = FIELD_STRING, .flags = FIELD_CLEAN, .min = 1, \
		.max = LIMIT_DEVICE_BYTES, .offset = offsetof(struct explain, name_)  \
	}

int method_explain_rules(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = { TEXT(slot), TEXT(chip), TEXT(mode), TEXT(meid) };
	struct control *control = userdata;
	_cleanup_message_ struct json_object *rules = NULL, *verdicts = NULL;
	_cleanup_(explain_clear) struct explain explain = { 0 };
	struct json_object *reply;
	struct problem problem;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &explain, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = rules_to_json(manager_rules(control->manager), &rules);
	if (r >= 0)
		r = message_new_array(&verdicts);
	if (r >= 0)
		r = explain.slot || explain.chip || explain.mode || explain.meid
			    ? judge_thought(control->manager, &explain, verdicts)
			    : judge_ports(control->manager, verdicts);
	if (r >= 0)
		r = message_build(&reply, MEMBERS(M_OBJECT("rules", TAKE_PTR(rules)),
						  M_OBJECT("verdicts", TAKE_PTR(verdicts))));
	return r < 0 ? r : call_reply(call, reply);
}
