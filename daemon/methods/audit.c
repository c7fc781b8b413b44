/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "daemon/manager/manager.h"
#include "daemon/methods/methods.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

struct list_audit {
	uint64_t since;
	uint64_t until;
	char *action;
	char *object;
	int64_t uid; /* negative: any */
	int64_t limit;
	int64_t before;
};

static void list_audit_clear(struct list_audit *list)
{
	free(list->action);
	free(list->object);
}

static int list_as_json(struct manager *manager, void *query, size_t limit,
			struct json_object **ret)
{
	struct audit_filter *filter = query;
	_cleanup_message_ struct json_object *array = NULL;
	struct json_object *object;
	struct audit_entry *entries = NULL;
	size_t n = 0;
	int r;

	filter->limit = limit;
	r = store_list_audit(manager_store(manager), filter, &entries, &n);
	if (r >= 0)
		r = message_new_array(&array);
	for (size_t i = 0; i < n; i++) {
		if (r >= 0)
			r = audit_entry_to_json(&entries[i], &object);
		if (r >= 0)
			r = message_append(array, object);
		audit_entry_clear(&entries[i]);
	}
	free(entries);
	if (r < 0)
		return r;
	return message_build(ret, MEMBERS(M_OBJECT("entries", TAKE_PTR(array)),
					  n == limit ? M_BOOL("more", true) : M_NONE));
}

static int make_filter(const struct list_audit *list, struct audit_filter *ret,
		       struct problem *problem)
{
	*ret = (struct audit_filter){ .since = list->since,
				      .until = list->until,
				      .before = list->before,
				      .has_action = list->action,
				      .has_uid = list->uid >= 0,
				      .uid = (uid_t)list->uid,
				      .object = list->object };
	if (list->action && audit_action_from_string(list->action, &ret->action) < 0)
		return problem_set(problem, "action", "must be an action that the audit knows");
	return 0;
}

int method_list_audit(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = {
		{ .name = "since",
		  .type = FIELD_TIME,
		  .offset = offsetof(struct list_audit, since) },
		{ .name = "until",
		  .type = FIELD_TIME,
		  .offset = offsetof(struct list_audit, until) },
		{ .name = "action",
		  .type = FIELD_STRING,
		  .max = LIMIT_NAME_BYTES,
		  .offset = offsetof(struct list_audit, action) },
		{ .name = "object",
		  .type = FIELD_STRING,
		  .max = LIMIT_DEVICE_BYTES,
		  .offset = offsetof(struct list_audit, object) },
		{ .name = "uid",
		  .type = FIELD_INT,
		  .min = 0,
		  .max = UINT32_MAX,
		  .offset = offsetof(struct list_audit, uid) },
		{ .name = "limit",
		  .type = FIELD_INT,
		  .min = 1,
		  .max = LIMIT_LIST,
		  .offset = offsetof(struct list_audit, limit) },
		{ .name = "before",
		  .type = FIELD_INT,
		  .min = 1,
		  .max = INT64_MAX,
		  .offset = offsetof(struct list_audit, before) },
	};
	struct control *control = userdata;
	_cleanup_(list_audit_clear) struct list_audit list = { .limit = LIMIT_LIST, .uid = -1 };
	struct audit_filter filter;
	struct problem problem;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &list, &problem);
	if (r >= 0)
		r = make_filter(&list, &filter, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r < 0)
		return r;
	return methods_reply_list(call, control->manager, list_as_json, &filter,
				  (size_t)list.limit);
}
