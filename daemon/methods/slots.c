/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "daemon/log.h"
#include "daemon/manager/manager.h"
#include "daemon/methods/methods.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

static int slot_to_json(const struct manager *manager, const struct slot *slot,
			struct json_object **ret)
{
	_cleanup_message_ struct json_object *labels = NULL, *port = NULL;
	const struct port *present = manager_port_in(manager, slot);
	int r = 0;

	if (slot->n_labels > 0)
		r = labels_to_json(slot->labels, slot->n_labels, &labels);
	if (r >= 0 && present)
		r = port_to_json(present, &port);
	if (r < 0)
		return r;
	return message_build(
		ret, MEMBERS(M_STRING("name", slot->name), M_STRING_OPT("path", slot_path(slot)),
			     M_BOOL("excluded", slot->excluded), M_STRING_OPT("rule", slot->rule),
			     M_OBJECT("labels", TAKE_PTR(labels)),
			     M_STRING("origin", slot_origin_to_string(slot->origin)),
			     M_OBJECT("port", TAKE_PTR(port)), M_STRING_OPT("clash", slot->clash)));
}

int method_list_slots(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	_cleanup_message_ struct json_object *array = NULL;
	_cleanup_(slots_clear) struct slots slots = { 0 };
	struct json_object *object, *reply;
	struct problem problem;
	int r;

	if (message_read(parameters, NULL, 0, NULL, &problem) < 0)
		return call_invalid(call, &problem);
	r = manager_list_slots(control->manager, &slots);
	if (r >= 0)
		r = message_new_array(&array);
	for (size_t i = 0; i < slots.n && r >= 0; i++) {
		r = slot_to_json(control->manager, &slots.list[i], &object);
		if (r >= 0)
			r = message_append(array, object);
	}
	if (r >= 0)
		r = message_build(&reply, MEMBERS(M_OBJECT("slots", TAKE_PTR(array))));
	return r < 0 ? r : call_reply(call, reply);
}

/* What SetSlot and ForgetSlot can be refused for; an error of the daemon itself is handed on. */
static int refuse(struct call *call, struct manager *manager, const char *slot,
		  const struct problem *problem, int error)
{
	struct json_object *object;
	int r;

	if (error == -ENOENT) {
		r = error_no_such_slot(slot, &object);
		return r < 0 ? r : call_error(call, ERROR_NO_SUCH_SLOT, object);
	}
	if (error == -EBADMSG) {
		r = error_invalid_request(problem, &object);
		return r < 0 ? r : call_error(call, ERROR_INVALID_REQUEST, object);
	}
	log_error("slot %s cannot be stored: %s", slot, store_error_text(manager_store(manager)));
	return error;
}

static int reply_slot(struct call *call, const struct manager *manager, const char *name)
{
	_cleanup_(slots_clear) struct slots slots = { 0 };
	struct json_object *object, *reply;
	const struct slot *slot;
	int r;

	r = manager_list_slots(manager, &slots);
	if (r < 0)
		return r;
	slot = slots_by_name(&slots, name);
	if (!slot)
		return call_reply(call, NULL);
	r = slot_to_json(manager, slot, &object);
	if (r >= 0)
		r = message_build(&reply, MEMBERS(M_OBJECT("slot", object)));
	return r < 0 ? r : call_reply(call, reply);
}

/* ---- SetSlot ---- */

struct set_slot {
	char *slot;
	char *name;
	char *rule;
	char *before;
	bool excluded;
	struct label *labels;
	size_t n_labels;
};

static void set_slot_clear(struct set_slot *set)
{
	free(set->slot);
	free(set->name);
	free(set->rule);
	free(set->before);
	labels_free(set->labels, set->n_labels);
}

static int read_labels(struct json_object *value, void *target, struct problem *problem)
{
	struct set_slot *set = target;

	return labels_from_json(value, &set->labels, &set->n_labels, problem);
}

#define SET(name_, min_, max_)                                                                    \
	{                                                                                         \
		.name = #name_, .type = FIELD_STRING, .offset = offsetof(struct set_slot, name_), \
		.min = (min_), .max = (max_)                                                      \
	}

static int read_set_slot(struct json_object *parameters, struct set_slot *ret,
			 struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "slot",
		  .type = FIELD_STRING,
		  .flags = FIELD_REQUIRED | FIELD_CLEAN,
		  .min = 1,
		  .max = LIMIT_DEVICE_BYTES,
		  .offset = offsetof(struct set_slot, slot) },
		SET(name, 1, LIMIT_DEVICE_BYTES),
		SET(rule, 0, LIMIT_NAME_BYTES),
		SET(before, 1, LIMIT_DEVICE_BYTES),
		{ .name = "excluded",
		  .type = FIELD_BOOL,
		  .offset = offsetof(struct set_slot, excluded) },
		{ .name = "labels", .type = FIELD_CUSTOM, .read = read_labels },
	};

	return message_read(parameters, fields, ARRAY_SIZE(fields), ret, problem);
}

int method_set_slot(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	_cleanup_(set_slot_clear) struct set_slot set = { 0 };
	_cleanup_free_ char *name = NULL;
	struct slot_change change;
	struct problem problem;
	int r;

	r = read_set_slot(parameters, &set, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r < 0)
		return r;
	change = (struct slot_change){
		.name = set.name,
		.excluded = message_member(parameters, "excluded") ? &set.excluded : NULL,
		.rule = set.rule,
		.before = set.before,
		.labels = set.labels,
		.n_labels = set.n_labels,
	};
	r = manager_set_slot(control->manager, set.slot, &change, call_uid(call), &name, &problem);
	if (r < 0)
		return refuse(call, control->manager, set.slot, &problem, r);
	return reply_slot(call, control->manager, name);
}

/* ---- ForgetSlot ---- */

int method_forget_slot(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = {
		{ .name = "slot",
		  .type = FIELD_STRING,
		  .flags = FIELD_REQUIRED | FIELD_CLEAN,
		  .min = 1,
		  .max = LIMIT_DEVICE_BYTES },
	};
	struct control *control = userdata;
	_cleanup_free_ char *slot = NULL;
	struct problem problem;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &slot, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = manager_forget_slot(control->manager, slot, call_uid(call), &problem);
	if (r < 0)
		return refuse(call, control->manager, slot, &problem, r);
	return call_reply(call, NULL);
}
