/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/audit.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/message.h"

static const char *const action_words[] = {
	[AUDIT_SUBMIT] = "submit", [AUDIT_CANCEL] = "cancel", [AUDIT_RETRY] = "retry",
	[AUDIT_REMOVE] = "remove", [AUDIT_PRUNE] = "prune",   [AUDIT_ATTACH] = "attach",
	[AUDIT_DETACH] = "detach", [AUDIT_SLOT] = "slot",     [AUDIT_AGENT] = "agent",
	[AUDIT_RELOAD] = "reload",
};

const char *audit_action_to_string(enum audit_action action)
{
	return action_words[action];
}

int audit_action_from_string(const char *s, enum audit_action *ret)
{
	int index = word_find(action_words, ARRAY_SIZE(action_words), s);

	if (index < 0)
		return index;
	*ret = (enum audit_action)index;
	return 0;
}

void audit_entry_clear(struct audit_entry *entry)
{
	free(entry->object);
	free(entry->detail);
	*entry = (struct audit_entry){ 0 };
}

int audit_entry_to_json(const struct audit_entry *entry, struct json_object **ret)
{
	char time[TIME_TEXT_SIZE];

	return message_build(ret, MEMBERS(M_INT("id", entry->id),
					  M_STRING("time", time_format(entry->time, time)),
					  M_INT("uid", entry->uid),
					  M_STRING("action", audit_action_to_string(entry->action)),
					  M_STRING_OPT("object", entry->object),
					  M_STRING_OPT("detail", entry->detail)));
}

static const struct field fields[] = {
	{ .name = "id",
	  .type = FIELD_INT,
	  .offset = offsetof(struct audit_entry, id),
	  .flags = FIELD_REQUIRED,
	  .min = 1,
	  .max = INT64_MAX },
	{ .name = "time",
	  .type = FIELD_TIME,
	  .offset = offsetof(struct audit_entry, time),
	  .flags = FIELD_REQUIRED },
	{ .name = "uid",
	  .type = FIELD_UINT32,
	  .offset = offsetof(struct audit_entry, uid),
	  .flags = FIELD_REQUIRED },
	{ .name = "action",
	  .type = FIELD_WORD,
	  .offset = offsetof(struct audit_entry, action),
	  .flags = FIELD_REQUIRED,
	  .words = action_words,
	  .n_words = ARRAY_SIZE(action_words) },
	{ .name = "object",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct audit_entry, object),
	  .flags = FIELD_CLEAN },
	{ .name = "detail",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct audit_entry, detail),
	  .flags = FIELD_CLEAN },
};

int audit_entry_from_json(struct json_object *object, struct audit_entry *ret,
			  struct problem *problem)
{
	_cleanup_(audit_entry_clear) struct audit_entry entry = { 0 };
	int r = message_read_known(object, fields, ARRAY_SIZE(fields), &entry, problem);

	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(entry);
	return 0;
}
