/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/backup-view.h"
#include "client/client.h"
#include "client/print.h"
#include "client/query.h"
#include "client/verb.h"
#include "client/when.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define GROUP "Backups"

enum { KEY_LABEL = 1, KEY_CHIP, KEY_MEID, KEY_SINCE, KEY_LIMIT };

struct backups_query {
	const char *chip; /* NULL: any, so with meid */
	const char *meid;
	struct json_object *labels; /* NULL: none */
	char since[TIME_TEXT_SIZE]; /* empty: no bound */
	int64_t limit;              /* 0: the daemon's */
};

static void backups_query_clear(struct backups_query *query)
{
	message_unref(query->labels);
}

static int backups_call(struct client *client, const struct backups_query *query,
			struct json_object **ret)
{
	struct json_object *parameters;
	int r = message_build(&parameters,
			      MEMBERS(M_STRING_OPT("chip", query->chip),
				      M_STRING_OPT("meid", query->meid),
				      M_OBJECT("labels", message_ref(query->labels)),
				      M_STRING_OPT("since", *query->since ? query->since : NULL),
				      M_INT_IF(query->limit > 0, "limit", query->limit)));

	if (r < 0)
		return client_status(client, r);
	return client_call(client, "ListBackups", parameters, ret);
}

static int backups_option(struct arguments *arguments, struct backups_query *query, int key,
			  const char *value)
{
	uint64_t since;

	switch (key) {
	case KEY_LABEL:
		return query_add_label(arguments, &query->labels, value);
	case KEY_CHIP:
		query->chip = value;
		return 0;
	case KEY_MEID:
		query->meid = value;
		return 0;
	case KEY_SINCE:
		if (when_parse(value, &since) < 0)
			return arguments_wrong(arguments, "--since=%s: not " WHEN_FORMS, value);
		time_format(since, query->since);
		return 0;
	default:
		if (parse_int(value, 1, LIMIT_LIST, &query->limit) < 0)
			return arguments_wrong(arguments, "--limit=%s: not a number from 1 to %u",
					       value, LIMIT_LIST);
		return 0;
	}
}

static int backups_print(const struct client *client, struct json_object *reply)
{
	struct json_object *backups = message_member(reply, "backups");
	struct problem problem = { 0 };
	int r = 0;

	if (!message_is_array(backups))
		r = problem_set(&problem, "backups", "must be an array");
	else if (message_length(backups) == 0)
		print_note(client, "No such backups.");
	else
		r = backup_view_table(&client->out, backups, &problem);
	return r < 0 ? client_bad_reply(client, r, "ListBackups", &problem) : STATUS_DONE;
}

static int backups_run(struct client *client, struct arguments *arguments)
{
	_cleanup_(backups_query_clear) struct backups_query query = { 0 };
	_cleanup_message_ struct json_object *reply = NULL;
	const char *value;
	char **operands;
	size_t n;
	int key, r;

	while ((key = arguments_next(arguments, &value)) > 0)
		if (backups_option(arguments, &query, key, value) < 0)
			return arguments->status;
	if (key < 0 || arguments_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	r = backups_call(client, &query, &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	return backups_print(client, reply);
}

/* Calls method for one backup; the exit status. */
static int backup_call(struct client *client, const char *method, const char *id,
		       struct json_object **ret)
{
	struct json_object *parameters;
	int r = message_build(&parameters, MEMBERS(M_STRING("id", id)));

	return r < 0 ? client_status(client, r) : client_call(client, method, parameters, ret);
}

static int backup_run(struct client *client, struct arguments *arguments)
{
	_cleanup_message_ struct json_object *reply = NULL;
	_cleanup_(backup_clear) struct backup backup = { 0 };
	struct problem problem = { 0 };
	char **operands;
	size_t n;
	int r;

	if (arguments_only_operands(arguments, 1, 1, &operands, &n) < 0)
		return arguments->status;
	r = backup_call(client, "GetBackup", operands[0], &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	r = backup_from_json(message_member(reply, "backup"), &backup, &problem);
	if (r < 0)
		return client_bad_reply(client, r, "GetBackup", &problem);
	return client_status(client, backup_view_print(&client->out, &backup));
}

struct verdict {
	bool ok;
	char *detail;
};

static void verdict_clear(struct verdict *verdict)
{
	free(verdict->detail);
}

static const struct field verdict_fields[] = {
	{ .name = "ok",
	  .type = FIELD_BOOL,
	  .offset = offsetof(struct verdict, ok),
	  .flags = FIELD_REQUIRED },
	{ .name = "detail", .type = FIELD_STRING, .offset = offsetof(struct verdict, detail) },
};

static int verify_one(struct client *client, const char *id)
{
	_cleanup_message_ struct json_object *reply = NULL;
	_cleanup_(verdict_clear) struct verdict verdict = { 0 };
	struct problem problem = { 0 };
	int r = backup_call(client, "VerifyBackup", id, &reply);

	if (r != STATUS_DONE)
		return r;
	r = message_read_known(reply, verdict_fields, ARRAY_SIZE(verdict_fields), &verdict,
			       &problem);
	if (r < 0)
		return client_bad_reply(client, r, "VerifyBackup", &problem);
	r = client->json ? print_json_line(reply) : 0;
	if (r < 0)
		return client_status(client, r);
	if (verdict.ok) {
		if (!client->json && !client->quiet)
			print_line("%s: ok", id);
		return STATUS_DONE;
	}
	print_failure(client, "backup %s is damaged: %s", id,
		      verdict.detail ? verdict.detail : "its files are not what was read");
	print_hint(client,
		   "read the watch again; 'mtkrbctl backup %s' names the damaged files' "
		   "place",
		   id);
	return STATUS_FAILED;
}

static int verify_run(struct client *client, struct arguments *arguments)
{
	int status = STATUS_DONE;
	char **operands;
	size_t n;

	if (arguments_only_operands(arguments, 1, SIZE_MAX, &operands, &n) < 0)
		return arguments->status;
	for (size_t i = 0; i < n; i++) {
		int r = verify_one(client, operands[i]);

		if (status == STATUS_DONE)
			status = r;
		if (r == STATUS_NO_DAEMON)
			break;
	}
	return status;
}

static int remove_run(struct client *client, struct arguments *arguments)
{
	_cleanup_message_ struct json_object *reply = NULL;
	char **operands;
	size_t n;
	int r;

	if (arguments_only_operands(arguments, 1, 1, &operands, &n) < 0)
		return arguments->status;
	r = backup_call(client, "RemoveBackup", operands[0], &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	if (!client->quiet)
		print_line("%s: removed", operands[0]);
	return STATUS_DONE;
}

static const struct verb_option backups_options[] = {
	{ "label", KEY_LABEL, "KEY=VALUE", "only those with this label; repeatable" },
	{ "chip", KEY_CHIP, "NAME", "only of watches with this chip" },
	{ "meid", KEY_MEID, "HEX", "only of the watch with this ME ID" },
	{ "since", KEY_SINCE, "TIME", "only newer ones: 2026-11-23, 12h, 7d" },
	{ "limit", KEY_LIMIT, "N", "the newest N (default 1000)" },
	{ 0 },
};

const struct verb verb_backups = {
	.name = "backups",
	.group = GROUP,
	.arguments = "",
	.summary = "list the backups, the newest first",
	.options = backups_options,
	.run = backups_run,
};

const struct verb verb_backup = {
	.name = "backup",
	.group = GROUP,
	.arguments = "ID",
	.summary = "all about one backup: path, digest, files",
	.run = backup_run,
};

const struct verb verb_verify = {
	.name = "verify",
	.group = GROUP,
	.arguments = "ID...",
	.summary = "read backups again and compare the digests",
	.details = "Exit status 0 when all are as they were made, 1 when one is damaged.",
	.run = verify_run,
};

const struct verb verb_remove = {
	.name = "remove",
	.group = GROUP,
	.arguments = "ID",
	.summary = "remove a backup for ever, without asking",
	.run = remove_run,
};
