/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/table.h"
#include "client/output/when.h"
#include "client/verb.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/audit.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

enum { KEY_SINCE = 1, KEY_UNTIL, KEY_ACTION, KEY_OBJECT, KEY_USER, KEY_LIMIT };

struct audit_query {
	char since[TIME_TEXT_SIZE]; /* empty: no bound, so with until */
	char until[TIME_TEXT_SIZE];
	const char *action; /* NULL: any, so with object */
	const char *object;
	int64_t uid; /* negative: any */
	size_t limit;
};

/* ---- Asking ---- */

/* Moves a reply's entries to the end of all; their number. *before goes down from call to call. */
static int audit_collect(struct json_object *reply, struct json_object *all, int64_t *before,
			 struct problem *problem)
{
	struct json_object *entries = message_member(reply, "entries");
	size_t n = MIN_OF(message_length(entries), (size_t)LIMIT_LIST);

	if (!message_is_array(entries))
		return problem_set(problem, "entries", "must be an array");
	for (size_t i = 0; i < n; i++) {
		struct json_object *entry = message_at(entries, i);
		int64_t id;
		int r;

		if (!entry || message_int(message_member(entry, "id"), &id) < 0 || id >= *before)
			return problem_set(problem, "entries", "must be entries, the newest first");
		*before = id;
		r = message_append(all, message_ref(entry));
		if (r < 0)
			return r;
	}
	return (int)n;
}

/* One call for the entries older than before. The exit status, their number in *ret_n. */
static int audit_ask(struct client *client, const struct audit_query *query,
		     struct json_object *all, int64_t *before, size_t *ret_n)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *parameters;
	struct problem problem = { 0 };
	size_t left = query->limit - message_length(all);
	int r = message_build(&parameters,
			      MEMBERS(M_STRING_OPT("since", *query->since ? query->since : NULL),
				      M_STRING_OPT("until", *query->until ? query->until : NULL),
				      M_STRING_OPT("action", query->action),
				      M_STRING_OPT("object", query->object),
				      M_INT_IF(query->uid >= 0, "uid", query->uid),
				      M_INT("limit", MIN_OF(left, (size_t)LIMIT_LIST)),
				      M_INT_IF(*before != INT64_MAX, "before", *before)));

	if (r < 0)
		return client_status(client, r);
	r = client_call(client, "ListAudit", parameters, &reply);
	if (r != STATUS_DONE)
		return r;
	r = audit_collect(reply, all, before, &problem);
	if (r < 0)
		return client_bad_reply(client, r, "ListAudit", &problem);
	*ret_n = (size_t)r;
	return STATUS_DONE;
}

/* All entries of the query, in as many calls as it takes: the daemon cuts a long list. */
static int audit_fetch(struct client *client, const struct audit_query *query,
		       struct json_object *all)
{
	int64_t before = INT64_MAX;
	size_t n = 1;

	while (n > 0 && message_length(all) < query->limit) {
		int r = audit_ask(client, query, all, &before, &n);

		if (r != STATUS_DONE)
			return r;
	}
	return STATUS_DONE;
}

/* ---- Showing ---- */

static int audit_add_row(struct table *table, struct json_object *object, struct problem *problem)
{
	_cleanup_(audit_entry_clear) struct audit_entry entry = { 0 };
	char when[WHEN_TEXT_SIZE];
	const struct passwd *user;
	int r = audit_entry_from_json(object, &entry, problem);

	if (r < 0)
		return r;
	user = getpwuid(entry.uid);
	table_add(table, TINT_NONE, when_local(entry.time, when));
	if (user)
		table_add(table, TINT_NONE, user->pw_name);
	else
		table_addf(table, TINT_NONE, "%u", entry.uid);
	table_add(table, TINT_NONE, audit_action_to_string(entry.action));
	table_add(table, TINT_NONE, entry.object);
	table_add(table, TINT_NONE, entry.detail);
	return 0;
}

static int audit_table(const struct term *term, struct json_object *entries,
		       struct problem *problem)
{
	static const struct column columns[] = {
		{ .title = "TIME" },
		{ .title = "USER" },
		{ .title = "ACTION" },
		{ .title = "OBJECT" },
		{ .title = "DETAIL", .cut = CUT_END },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	for (size_t i = 0; r >= 0 && i < message_length(entries); i++)
		r = audit_add_row(table, message_at(entries, i), problem);
	return r < 0 ? r : table_print(table, term, stdout);
}

static int audit_show(struct client *client, const struct audit_query *query)
{
	_cleanup_message_ struct json_object *all = NULL, *document = NULL;
	struct problem problem = { 0 };
	int r = message_new_array(&all);

	if (r < 0)
		return client_status(client, r);
	r = audit_fetch(client, query, all);
	if (r != STATUS_DONE)
		return r;
	if (client->json) {
		r = message_build(&document, MEMBERS(M_OBJECT("entries", TAKE_PTR(all))));
		return client_status(client, r < 0 ? r : print_json(client, document));
	}
	if (message_length(all) == 0) {
		print_note(client, "No such entries.");
		return STATUS_DONE;
	}
	r = audit_table(&client->out, all, &problem);
	return r < 0 ? client_bad_reply(client, r, "ListAudit", &problem) : STATUS_DONE;
}

/* ---- The command line ---- */

static int audit_user(struct arguments *arguments, const char *value, int64_t *ret)
{
	const struct passwd *user = getpwnam(value);

	if (user)
		*ret = user->pw_uid;
	else if (parse_int(value, 0, UINT32_MAX, ret) < 0)
		return arguments_wrong(arguments, "--user=%s: neither a user nor a user id", value);
	return 0;
}

static int audit_time(struct arguments *arguments, const char *option, const char *value,
		      char ret[TIME_TEXT_SIZE])
{
	uint64_t usec;

	if (when_parse(value, &usec) < 0)
		return arguments_wrong(arguments, "--%s=%s: not " WHEN_FORMS, option, value);
	time_format(usec, ret);
	return 0;
}

static int audit_option(struct arguments *arguments, struct audit_query *query, int key,
			const char *value)
{
	enum audit_action action;
	int64_t limit;

	switch (key) {
	case KEY_SINCE:
		return audit_time(arguments, "since", value, query->since);
	case KEY_UNTIL:
		return audit_time(arguments, "until", value, query->until);
	case KEY_ACTION:
		if (audit_action_from_string(value, &action) < 0)
			return arguments_wrong(arguments, "--action=%s: not an action (see --help)",
					       value);
		query->action = value;
		return 0;
	case KEY_OBJECT:
		query->object = value;
		return 0;
	case KEY_USER:
		return audit_user(arguments, value, &query->uid);
	default:
		if (parse_int(value, 1, INT32_MAX, &limit) < 0)
			return arguments_wrong(arguments, "--limit=%s: not a number above 0",
					       value);
		query->limit = (size_t)limit;
		return 0;
	}
}

static int audit_run(struct client *client, struct arguments *arguments)
{
	struct audit_query query = { .uid = -1, .limit = LIMIT_LIST };
	const char *value;
	char **operands;
	size_t n;
	int key;

	while ((key = arguments_next(arguments, &value)) > 0)
		if (audit_option(arguments, &query, key, value) < 0)
			return arguments->status;
	if (key < 0 || arguments_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	return audit_show(client, &query);
}

static const struct verb_option audit_options[] = {
	{ "since", KEY_SINCE, "TIME", "only newer ones: 2026-11-23, 12h, 7d" },
	{ "until", KEY_UNTIL, "TIME", "only older ones" },
	{ "action", KEY_ACTION, "WORD",
	  "only this: submit, cancel, retry, remove, prune, attach, detach, slot, agent, reload" },
	{ "object", KEY_OBJECT, "NAME", "only of this job (its number), backup, device, slot" },
	{ "user", KEY_USER, "NAME", "only by this user, or user id" },
	{ "limit", KEY_LIMIT, "N", "the newest N (default 1000)" },
	{ 0 },
};

const struct verb verb_audit = {
	.name = "audit",
	.group = "Daemon and ports",
	.arguments = "",
	.summary = "who did what, the newest first",
	.details = "Each submit, cancel, retry and removal, each port attached by hand, each "
		   "change of\n"
		   "slots, download agents and configuration. Nothing is ever removed from it.",
	.options = audit_options,
	.run = audit_run,
};
