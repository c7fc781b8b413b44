/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "daemon/manager.h"
#include "daemon/methods.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "protocol/control/manifest.h"
#include "protocol/control/message.h"

#define ID_BYTES_MAX 200 /* of a backup */

static int reply_no_such_backup(struct call *call, const char *id)
{
	struct json_object *error;
	int r = error_no_such_backup(id, &error);

	return r < 0 ? r : call_error(call, ERROR_NO_SUCH_BACKUP, error);
}

/* ---- ListBackups ---- */

struct list_backups {
	char *chip;
	char *meid;
	struct json_object *labels;
	uint64_t since;
	int64_t limit;
};

static void list_backups_clear(struct list_backups *list)
{
	free(list->chip);
	free(list->meid);
	message_unref(list->labels);
}

static int list_as_json(struct manager *manager, void *query, size_t limit,
			struct json_object **ret)
{
	struct backup_filter *filter = query;
	_cleanup_message_ struct json_object *array = NULL;
	struct json_object *object;
	struct backup *backups = NULL;
	size_t n = 0;
	int r;

	filter->limit = limit;
	r = store_list_backups(manager_store(manager), filter, &backups, &n);
	if (r >= 0)
		r = message_new_array(&array);
	for (size_t i = 0; i < n; i++) {
		if (r >= 0)
			r = backup_to_json(&backups[i], &object);
		if (r >= 0)
			r = message_append(array, object);
		backup_clear(&backups[i]);
	}
	free(backups);
	if (r < 0)
		return r;
	return message_build(ret, MEMBERS(M_OBJECT("backups", TAKE_PTR(array)),
					  n == limit ? M_BOOL("more", true) : M_NONE));
}

static int read_labels(struct json_object *object, struct label **ret, size_t *ret_n,
		       struct problem *problem)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!object)
		return 0;
	r = message_to_text(object, &text);
	if (r >= 0)
		r = labels_from_text(text, ret, ret_n);
	return r == -EBADMSG ? problem_set(problem, "labels", "must hold strings by plain names")
			     : r;
}

int method_list_backups(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = {
		{ .name = "chip",
		  .type = FIELD_STRING,
		  .max = LIMIT_NAME_BYTES,
		  .offset = offsetof(struct list_backups, chip) },
		{ .name = "meid",
		  .type = FIELD_STRING,
		  .max = LIMIT_NAME_BYTES,
		  .offset = offsetof(struct list_backups, meid) },
		{ .name = "labels",
		  .type = FIELD_OBJECT,
		  .max = LIMIT_LABELS,
		  .offset = offsetof(struct list_backups, labels) },
		{ .name = "since",
		  .type = FIELD_TIME,
		  .offset = offsetof(struct list_backups, since) },
		{ .name = "limit",
		  .type = FIELD_INT,
		  .min = 1,
		  .max = LIMIT_LIST,
		  .offset = offsetof(struct list_backups, limit) },
	};
	struct control *control = userdata;
	_cleanup_(list_backups_clear) struct list_backups list = { .limit = LIMIT_LIST };
	struct label *labels = NULL;
	struct backup_filter filter;
	struct problem problem;
	size_t n_labels = 0;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &list, &problem);
	if (r >= 0)
		r = read_labels(list.labels, &labels, &n_labels, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r < 0)
		return r;
	filter = (struct backup_filter){ .chip = list.chip,
					 .meid = list.meid,
					 .labels = labels,
					 .n_labels = n_labels,
					 .since = list.since };
	r = methods_reply_list(call, control->manager, list_as_json, &filter, (size_t)list.limit);
	labels_free(labels, n_labels);
	return r;
}

/* ---- one backup ---- */

static int read_id(struct json_object *parameters, char **ret, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "id",
		  .type = FIELD_STRING,
		  .flags = FIELD_REQUIRED,
		  .min = 1,
		  .max = ID_BYTES_MAX },
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

static void on_verified(const struct failure *failure, void *userdata)
{
	_cleanup_(call_unrefp) struct call *call = userdata;
	bool ok = failure->code == FAILURE_NONE;
	struct json_object *reply;

	if (message_build(&reply, MEMBERS(M_BOOL("ok", ok),
					  M_STRING_OPT("detail", ok ? NULL : failure->message))) >=
	    0)
		(void)call_reply(call, reply);
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
