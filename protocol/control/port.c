/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/port.h"

#include <errno.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

static const char *const states[_PORT_STATE_MAX] = {
	[PORT_IDLE] = "idle",       [PORT_IDENTIFYING] = "identifying", [PORT_BUSY] = "busy",
	[PORT_WAITING] = "waiting", [PORT_FAILED] = "failed", [PORT_EXCLUDED] = "excluded",
};

static const char *const modes[] = { "auto", "brom", "preloader", "da", "com" };

const char *port_state_to_string(enum port_state state)
{
	return (size_t)state < ARRAY_SIZE(states) ? states[state] : NULL;
}

int port_state_from_string(const char *s, enum port_state *ret)
{
	int index = word_find(states, ARRAY_SIZE(states), s);

	if (index < 0)
		return index;
	*ret = (enum port_state)index;
	return 0;
}

bool port_mode_is_valid(const char *mode)
{
	return word_find(modes, ARRAY_SIZE(modes), mode) >= 0;
}

void port_clear(struct port *port)
{
	free(port->slot);
	free(port->device);
	free(port->mode);
	free(port->chip);
	free(port->meid);
	failure_clear(&port->failure);
	*port = (struct port){ 0 };
}

int port_copy(const struct port *from, struct port *ret)
{
	_cleanup_(port_clear) struct port copy = { .state = from->state, .job = from->job };
	int r;

	r = str_replace(&copy.slot, from->slot);
	if (r == 0)
		r = str_replace(&copy.device, from->device);
	if (r == 0)
		r = str_replace(&copy.mode, from->mode);
	if (r == 0)
		r = str_replace(&copy.chip, from->chip);
	if (r == 0)
		r = str_replace(&copy.meid, from->meid);
	if (r == 0)
		r = failure_copy(&from->failure, &copy.failure);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(copy);
	return 0;
}

int port_to_json(const struct port *port, struct json_object **ret)
{
	struct json_object *failure;
	int r;

	r = failure_to_json(&port->failure, &failure);
	if (r < 0)
		return r;
	return message_build(
		ret,
		MEMBERS(M_STRING("slot", port->slot), M_STRING("device", port->device),
			M_STRING("mode", port->mode),
			M_STRING("state", port_state_to_string(port->state)),
			M_STRING_OPT("chip", port->chip), M_STRING_OPT("meid", port->meid),
			M_INT_IF(port->job > 0, "job", port->job), M_OBJECT("failure", failure)));
}

static int read_failure(struct json_object *value, void *target, struct problem *problem)
{
	return failure_from_json(value, target, problem);
}

static const struct field fields[] = {
	{ .name = "slot",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct port, slot),
	  .flags = FIELD_REQUIRED | FIELD_CLEAN,
	  .min = 1,
	  .max = LIMIT_DEVICE_BYTES },
	{ .name = "device",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct port, device),
	  .flags = FIELD_REQUIRED | FIELD_CLEAN,
	  .min = 1,
	  .max = LIMIT_DEVICE_BYTES },
	{ .name = "mode",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct port, mode),
	  .flags = FIELD_REQUIRED,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "state",
	  .type = FIELD_WORD,
	  .offset = offsetof(struct port, state),
	  .flags = FIELD_REQUIRED,
	  .words = states,
	  .n_words = ARRAY_SIZE(states) },
	{ .name = "chip",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct port, chip),
	  .flags = FIELD_CLEAN,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "meid",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct port, meid),
	  .flags = FIELD_CLEAN,
	  .min = 1,
	  .max = LIMIT_NAME_BYTES },
	{ .name = "job",
	  .type = FIELD_INT,
	  .offset = offsetof(struct port, job),
	  .min = 1,
	  .max = INT64_MAX },
	{ .name = "failure",
	  .type = FIELD_CUSTOM,
	  .offset = offsetof(struct port, failure),
	  .read = read_failure },
};

int port_from_json(struct json_object *object, struct port *ret, struct problem *problem)
{
	_cleanup_(port_clear) struct port port = { 0 };
	int r;

	r = message_read_known(object, fields, ARRAY_SIZE(fields), &port, problem);
	if (r < 0)
		return r;
	if (!port_mode_is_valid(port.mode))
		return problem_set(problem, "mode", "is no mode of a port");
	*ret = TAKE_STRUCT(port);
	return 0;
}

int port_to_text(const struct port *port, char **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = port_to_json(port, &object);
	return r < 0 ? r : message_to_text(object, ret);
}

int port_from_text(const char *text, struct port *ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = message_parse(text, strlen(text), &object);
	return r < 0 ? r : port_from_json(object, ret, NULL);
}
