/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "daemon/manager/manager.h"
#include "daemon/methods/methods.h"
#include "protocol/control/batch.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

static int list_as_json(struct manager *manager, void *query _unused_, size_t limit,
			struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	struct json_object *object;
	struct batch *batches = NULL;
	size_t n = 0;
	int r;

	r = store_list_batches(manager_store(manager), limit, &batches, &n);
	if (r >= 0)
		r = message_new_array(&array);
	for (size_t i = 0; i < n; i++) {
		if (r >= 0)
			r = batch_to_json(&batches[i], &object);
		if (r >= 0)
			r = message_append(array, object);
		batch_clear(&batches[i]);
	}
	free(batches);
	if (r < 0)
		return r;
	return message_build(ret, MEMBERS(M_OBJECT("batches", TAKE_PTR(array)),
					  n == limit ? M_BOOL("more", true) : M_NONE));
}

int method_list_batches(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = {
		{ .name = "limit", .type = FIELD_INT, .min = 1, .max = LIMIT_LIST },
	};
	struct control *control = userdata;
	int64_t limit = LIMIT_LIST;
	struct problem problem;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &limit, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r < 0)
		return r;
	return methods_reply_list(call, control->manager, list_as_json, NULL, (size_t)limit);
}
