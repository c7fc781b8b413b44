/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/error.h"

#include "protocol/control/message.h"

int error_no_such_job(int64_t id, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_INT("id", id)));
}

int error_no_such_backup(const char *id, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_STRING("id", id)));
}

int error_no_such_port(const char *device, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_STRING("device", device)));
}

int error_no_such_agent(const char *name, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_STRING("name", name)));
}

int error_no_such_slot(const char *slot, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_STRING("slot", slot)));
}

int error_invalid_request(const struct problem *problem, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_STRING("field", problem->field),
					  M_STRING("message", problem->reason)));
}

int error_wrong_state(int64_t id, const char *state, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_INT("id", id), M_STRING("state", state)));
}

int error_limit_reached(const char *limit, int64_t value, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_STRING("limit", limit), M_INT("value", value)));
}

int error_failed(const char *message, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_STRING("message", message)));
}

int error_invalid_parameter(const char *parameter, struct json_object **ret)
{
	return message_build(ret, MEMBERS(M_STRING("parameter", parameter)));
}
