/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "daemon/manager/manager.h"
#include "daemon/methods/methods.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "protocol/control/failure.h"
#include "protocol/control/limits.h"
#include "protocol/control/manifest.h"
#include "protocol/control/message.h"

static int reply_no_such_backup(struct call *call, const char *id)
{
	struct json_object *error;
	int r = error_no_such_backup(id, &error);

	return r < 0 ? r : call_error(call, ERROR_NO_SUCH_BACKUP, error);
}

static int read_id(struct json_object *parameters, char **ret, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "id",
		  .type = FIELD_STRING,
		  .flags = FIELD_REQUIRED,
		  .min = 1,
		  .max = LIMIT_BACKUP_ID_BYTES },
	};

	return message_read(parameters, fields, ARRAY_SIZE(fields), ret, problem);
}

int method_get_backup(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	_cleanup_free_ char *id = NULL;
	struct json_object *object, *reply;
	struct backup backup = { 0 };
	struct problem problem;
	int r;

	r = read_id(parameters, &id, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = store_get_backup(manager_store(control->manager), id, &backup);
	if (r == -ENOENT)
		return reply_no_such_backup(call, id);
	if (r >= 0)
		r = backup_to_json(&backup, &object);
	backup_clear(&backup);
	if (r >= 0)
		r = message_build(&reply, MEMBERS(M_OBJECT("backup", object)));
	return r < 0 ? r : call_reply(call, reply);
}

static int reply_verdict(struct call *call, bool ok, const char *detail)
{
	struct json_object *reply;
	int r = message_build(&reply, MEMBERS(M_BOOL("ok", ok), M_STRING_OPT("detail", detail)));

	return r < 0 ? r : call_reply(call, reply);
}

/* No verdict: the check itself did not come to its end. */
static int reply_failed(struct call *call, const char *why)
{
	struct json_object *error;
	int r = error_failed(why, &error);

	return r < 0 ? r : call_error(call, ERROR_FAILED, error);
}

static void on_verified(const char *id, enum verdict verdict, const struct failure *failure,
			void *userdata)
{
	_cleanup_(call_unrefp) struct call *call = userdata;

	switch (verdict) {
	case VERDICT_WHOLE:
		(void)reply_verdict(call, true, NULL);
		break;
	case VERDICT_DAMAGED:
		(void)reply_verdict(call, false, failure->message);
		break;
	case VERDICT_GONE:
		(void)reply_no_such_backup(call, id);
		break;
	case VERDICT_NONE:
		(void)reply_failed(call, failure->message ?: "the check did not end");
		break;
	}
}

int method_verify_backup(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	_cleanup_free_ char *id = NULL;
	struct problem problem;
	int r;

	r = read_id(parameters, &id, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r < 0)
		return r;
	if (!backup_id_is_valid(id))
		return reply_no_such_backup(call, id);
	r = manager_verify(control->manager, id, on_verified, call_ref(call));
	if (r < 0)
		call_unref(call);
	if (r == -EDQUOT) {
		struct json_object *error;

		r = error_limit_reached("verifications at a time", LIMIT_VERIFICATIONS, &error);
		return r < 0 ? r : call_error(call, ERROR_LIMIT_REACHED, error);
	}
	return r == -ENOENT ? reply_no_such_backup(call, id) : r;
}

int method_remove_backup(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	_cleanup_free_ char *id = NULL;
	struct problem problem;
	int r;

	r = read_id(parameters, &id, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = backup_id_is_valid(id)
			    ? manager_remove_backup(control->manager, id, call_uid(call))
			    : -ENOENT;
	if (r == -ENOENT)
		return reply_no_such_backup(call, id);
	return r < 0 ? r : call_reply(call, NULL);
}
