/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/varlink.h"

#include <errno.h>

#include "protocol/control/message.h"

/* Absent parameters are an empty object. */
static int complete_parameters(struct json_object **parameters)
{
	return *parameters ? 0 : message_build(parameters, NULL, 0);
}

void varlink_call_clear(struct varlink_call *call)
{
	free(call->method);
	message_unref(call->parameters);
	*call = (struct varlink_call){ 0 };
}

int varlink_call_from_text(const char *text, size_t size, struct varlink_call *ret)
{
	static const struct field fields[] = {
		{ .name = "method",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct varlink_call, method),
		  .flags = FIELD_REQUIRED,
		  .min = 1,
		  .max = 256 },
		{ .name = "parameters",
		  .type = FIELD_OBJECT,
		  .offset = offsetof(struct varlink_call, parameters) },
		{ .name = "more",
		  .type = FIELD_BOOL,
		  .offset = offsetof(struct varlink_call, more) },
		{ .name = "oneway",
		  .type = FIELD_BOOL,
		  .offset = offsetof(struct varlink_call, oneway) },
		{ .name = "upgrade",
		  .type = FIELD_BOOL,
		  .offset = offsetof(struct varlink_call, upgrade) },
	};
	_cleanup_(varlink_call_clear) struct varlink_call call = { 0 };
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = message_parse(text, size, &object);
	if (r < 0)
		return r;
	r = message_read_known(object, fields, ARRAY_SIZE(fields), &call, NULL);
	if (r < 0)
		return r;
	r = complete_parameters(&call.parameters);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(call);
	return 0;
}

/* true, or left out. */
static struct member flag(const char *name, bool value)
{
	return value ? M_BOOL(name, true) : M_NONE;
}

int varlink_call_to_text(const struct varlink_call *call, char **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = message_build(&object, MEMBERS(M_STRING("method", call->method),
					   M_OBJECT("parameters", message_ref(call->parameters)),
					   flag("more", call->more), flag("oneway", call->oneway),
					   flag("upgrade", call->upgrade)));
	return r < 0 ? r : message_to_text(object, ret);
}

void varlink_reply_clear(struct varlink_reply *reply)
{
	free(reply->error);
	message_unref(reply->parameters);
	*reply = (struct varlink_reply){ 0 };
}

int varlink_reply_from_text(const char *text, size_t size, struct varlink_reply *ret)
{
	static const struct field fields[] = {
		{ .name = "error",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct varlink_reply, error),
		  .min = 1,
		  .max = 256 },
		{ .name = "parameters",
		  .type = FIELD_OBJECT,
		  .offset = offsetof(struct varlink_reply, parameters) },
		{ .name = "continues",
		  .type = FIELD_BOOL,
		  .offset = offsetof(struct varlink_reply, continues) },
	};
	_cleanup_(varlink_reply_clear) struct varlink_reply reply = { 0 };
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = message_parse(text, size, &object);
	if (r < 0)
		return r;
	r = message_read_known(object, fields, ARRAY_SIZE(fields), &reply, NULL);
	if (r < 0)
		return r;
	r = complete_parameters(&reply.parameters);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(reply);
	return 0;
}

int varlink_reply_to_text(const struct varlink_reply *reply, char **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r;

	r = message_build(&object, MEMBERS(M_STRING("error", reply->error),
					   M_OBJECT("parameters", message_ref(reply->parameters)),
					   flag("continues", reply->continues)));
	return r < 0 ? r : message_to_text(object, ret);
}
