/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "daemon/archive/agents.h"
#include "daemon/log.h"
#include "daemon/manager/manager.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/submission.h"
#include "protocol/base/fd.h"
#include "protocol/control/error.h"
#include "protocol/control/file-ref.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

static int append_agent(const struct agent *agent, void *userdata)
{
	struct json_object *array = userdata, *object;
	int r;

	r = message_build(&object,
			  MEMBERS(M_STRING("name", agent->name), M_INT("size", agent->size),
				  M_STRING("sha256", agent->sha256)));
	return r < 0 ? r : message_append(array, object);
}

int method_list_agents(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	_cleanup_message_ struct json_object *array = NULL;
	struct json_object *reply;
	struct problem problem;
	int r;

	r = message_read(parameters, NULL, 0, NULL, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = message_new_array(&array);
	if (r >= 0)
		r = agents_list(manager_agents(control->manager), append_agent, array);
	if (r >= 0)
		r = message_build(&reply, MEMBERS(M_OBJECT("agents", TAKE_PTR(array))));
	return r < 0 ? r : call_reply(call, reply);
}

static void name_free(char **name)
{
	free(*name);
}

static int read_name(struct json_object *parameters, char **ret, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "name",
		  .type = FIELD_STRING,
		  .flags = FIELD_REQUIRED | FIELD_NAME,
		  .min = 1,
		  .max = LIMIT_NAME_BYTES },
	};

	return message_read(parameters, fields, ARRAY_SIZE(fields), ret, problem);
}

/* What AddAgent ended with, as the caller reads it; an error of the daemon itself is handed on. */
static int refuse_agent(struct call *call, const char *name, int error)
{
	struct problem problem;
	struct json_object *object;
	int r;

	if (error == -EDQUOT) {
		r = error_limit_reached("download agents", LIMIT_AGENTS, &object);
		return r < 0 ? r : call_error(call, ERROR_LIMIT_REACHED, object);
	}
	if (error == -EEXIST)
		r = problem_set(&problem, "name", "another file %s is there: remove that first",
				name);
	else
		r = submission_explain(error, "file", LIMIT_AGENT_BYTES, &problem);
	if (r != -EBADMSG)
		return r;
	r = error_invalid_request(&problem, &object);
	return r < 0 ? r : call_error(call, ERROR_INVALID_REQUEST, object);
}

int method_add_agent(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	_cleanup_(name_free) char *name = NULL;
	_cleanup_close_ int fd = call_take_fd(call, 0);
	struct json_object *reply;
	struct problem problem;
	int r;

	r = read_name(parameters, &name, &problem);
	if (r >= 0 && !file_name_is_valid(name))
		r = problem_set(&problem, "name", "must not begin with fd:");
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r < 0)
		return r;
	r = fd < 0 ? -EBADF : agents_add(manager_agents(control->manager), name, fd);
	if (r < 0)
		return refuse_agent(call, name, r);
	log_notice("download agent %s added by user %u", name, call_uid(call));
	manager_audit(control->manager, call_uid(call), AUDIT_AGENT, name, "added");
	r = message_build(&reply, MEMBERS(M_STRING("name", name)));
	return r < 0 ? r : call_reply(call, reply);
}

int method_remove_agent(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	_cleanup_(name_free) char *name = NULL;
	struct json_object *error;
	struct problem problem;
	int r;

	r = read_name(parameters, &name, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = agents_remove(manager_agents(control->manager), name);
	if (r == -ENOENT) {
		r = error_no_such_agent(name, &error);
		return r < 0 ? r : call_error(call, ERROR_NO_SUCH_AGENT, error);
	}
	if (r < 0)
		return r;
	log_notice("download agent %s removed by user %u", name, call_uid(call));
	manager_audit(control->manager, call_uid(call), AUDIT_AGENT, name, "removed");
	return call_reply(call, NULL);
}
