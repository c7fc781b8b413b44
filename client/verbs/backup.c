/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/arguments.h"
#include "client/calls/catalogue.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "client/view/backup.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

#define GROUP "Backups"

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
	r = catalogue_call(client, "GetBackup", operands[0], &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	r = backup_from_json(message_member(reply, "backup"), &backup, &problem);
	if (r < 0)
		return client_bad_reply(client, r, "GetBackup", &problem);
	return client_status(client, backup_view_print(&client->out, &backup));
}

static int remove_one(struct client *client, const char *id)
{
	_cleanup_message_ struct json_object *reply = NULL;
	int r = catalogue_call(client, "RemoveBackup", id, &reply);

	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json_line(reply));
	if (!client->quiet)
		print_line("%s: removed", id);
	return STATUS_DONE;
}

static int remove_run(struct client *client, struct arguments *arguments)
{
	int status = STATUS_DONE;
	char **operands;
	size_t n;

	if (arguments_only_operands(arguments, 1, SIZE_MAX, &operands, &n) < 0)
		return arguments->status;
	for (size_t i = 0; i < n && status != STATUS_NO_DAEMON; i++) {
		int r = remove_one(client, operands[i]);

		if (status == STATUS_DONE || r == STATUS_NO_DAEMON)
			status = r;
	}
	return status;
}

const struct verb verb_backup = {
	.name = "backup",
	.group = GROUP,
	.arguments = "ID",
	.summary = "all about one backup: path, digest, files",
	.run = backup_run,
};

const struct verb verb_remove = {
	.name = "remove",
	.group = GROUP,
	.arguments = "ID...",
	.summary = "remove backups for ever, without asking",
	.details = "A backup that is identical to a removed one stays whole.",
	.run = remove_run,
};
