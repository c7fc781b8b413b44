/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/calls/catalogue.h"

#include <errno.h>

#include "client/client.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

#define LIST_METHOD "ListBackups"

int catalogue_call(struct client *client, const char *method, const char *id,
		   struct json_object **ret)
{
	struct json_object *parameters;
	int r = message_build(&parameters, MEMBERS(M_STRING("id", id)));

	return r < 0 ? client_status(client, r) : client_call(client, method, parameters, ret);
}

int catalogue_get(struct client *client, const char *id, struct backup *ret)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct problem problem = { 0 };
	int r = catalogue_call(client, "GetBackup", id, &reply);

	if (r != STATUS_DONE)
		return r;
	r = backup_from_json(message_member(reply, "backup"), ret, &problem);
	return r < 0 ? client_bad_reply(client, r, "GetBackup", &problem) : STATUS_DONE;
}

static int ask_quietly(struct client *client, const char *id, struct backup *ret)
{
	_cleanup_message_ struct json_object *reply = NULL;
	_cleanup_complaint_ struct complaint complaint = { 0 };
	struct json_object *parameters;
	int r = message_build(&parameters, MEMBERS(M_STRING("id", id)));

	if (r >= 0)
		r = client_try(client, "GetBackup", parameters, NULL, 0, &reply, &complaint);
	if (r == -ECANCELED && complaint.status == STATUS_NO_DAEMON)
		return -EPIPE;
	return r < 0 ? r : backup_from_json(message_member(reply, "backup"), ret, NULL);
}

char *catalogue_twin(struct client *client, const char *id)
{
	_cleanup_(backup_clear) struct backup backup = { 0 };
	int r = ask_quietly(client, id, &backup);

	/* The daemon may have been restarted since the last call. */
	if (r == -EPIPE)
		r = ask_quietly(client, id, &backup);
	return r < 0 ? NULL : TAKE_PTR(backup.identical_to);
}

void catalogue_query_clear(struct catalogue_query *query)
{
	message_unref(query->labels);
	message_unref(query->words);
	*query = (struct catalogue_query){ 0 };
}

int catalogue_query_add_word(struct catalogue_query *query, const char *word)
{
	int r = query->words ? 0 : message_new_array(&query->words);

	return r < 0 ? r : message_append_string(query->words, word);
}

static const char *known(const char *text)
{
	return *text ? text : NULL;
}

static int query_to_json(const struct catalogue_query *query, struct json_object **ret)
{
	return message_build(
		ret, MEMBERS(M_STRING_OPT("chip", query->chip), M_STRING_OPT("meid", query->meid),
			     M_STRING_OPT("firmware", query->firmware),
			     M_STRING_OPT("sha256", query->sha256),
			     M_OBJECT("labels", message_ref(query->labels)),
			     M_OBJECT("words", message_ref(query->words)),
			     M_STRING_OPT("since", known(query->since)),
			     M_STRING_OPT("until", known(query->until)),
			     M_INT_IF(query->has_min_health, "min_health", query->min_health),
			     M_INT_IF(query->has_max_health, "max_health", query->max_health),
			     query->damaged ? M_BOOL("damaged", true) : M_NONE,
			     M_STRING_OPT("not_verified_since", known(query->not_verified_since)),
			     M_STRING_OPT("before", query->before),
			     M_INT_IF(query->limit > 0, "limit", query->limit)));
}

struct answer {
	struct json_object *backups;
	bool more;
};

static const struct field answer_fields[] = {
	{ .name = "backups",
	  .type = FIELD_ARRAY,
	  .offset = offsetof(struct answer, backups),
	  .flags = FIELD_REQUIRED },
	{ .name = "more", .type = FIELD_BOOL, .offset = offsetof(struct answer, more) },
};

int catalogue_list(struct client *client, const struct catalogue_query *query,
		   struct json_object **ret, bool *ret_more)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *parameters;
	struct problem problem = { 0 };
	struct answer answer = { 0 };
	int r = query_to_json(query, &parameters);

	if (r < 0)
		return client_status(client, r);
	r = client_call(client, LIST_METHOD, parameters, &reply);
	if (r != STATUS_DONE)
		return r;
	r = message_read_known(reply, answer_fields, ARRAY_SIZE(answer_fields), &answer, &problem);
	if (r < 0) {
		message_unref(answer.backups);
		return client_bad_reply(client, r, LIST_METHOD, &problem);
	}
	*ret = answer.backups;
	*ret_more = answer.more;
	return STATUS_DONE;
}

/* Where a list goes on: the id of its last backup, borrowed from it. */
static const char *last_id(struct json_object *backups)
{
	size_t n = message_length(backups);
	struct json_object *last = n > 0 ? message_at(backups, n - 1) : NULL;

	return last ? message_string(message_member(last, "id")) : NULL;
}

int catalogue_list_all(struct client *client, const struct catalogue_query *query,
		       struct json_object **ret)
{
	struct catalogue_query page = *query;
	_cleanup_message_ struct json_object *all = NULL;
	bool more = true;
	int r = message_new_array(&all);

	if (r < 0)
		return client_status(client, r);
	while (more) {
		_cleanup_message_ struct json_object *backups = NULL;

		r = catalogue_list(client, &page, &backups, &more);
		if (r != STATUS_DONE)
			return r;
		for (size_t i = 0; i < message_length(backups); i++) {
			r = message_append(all, message_ref(message_at(backups, i)));
			if (r < 0)
				return client_status(client, r);
		}
		/* Every answer must lead further, or there would be no end. */
		if (more && (!last_id(backups) || streq_ptr(page.before, last_id(backups))))
			return client_bad_reply(client, -EBADMSG, LIST_METHOD, NULL);
		page.before = last_id(all);
	}
	*ret = TAKE_PTR(all);
	return STATUS_DONE;
}
