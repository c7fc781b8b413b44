/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/table.h"
#include "client/verb.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

enum { KEY_DRY_RUN = 1 };

struct pruned {
	char *backup;
	bool goes;
	bool spare;
	char *reason;
	char *successor; /* NULL: none */
	uint64_t size;
};

static void pruned_clear(struct pruned *pruned)
{
	free(pruned->backup);
	free(pruned->reason);
	free(pruned->successor);
}

#define F(type_, name_, flags_)                                                            \
	{                                                                                  \
		.name = #name_, .type = (type_), .offset = offsetof(struct pruned, name_), \
		.flags = (flags_)                                                          \
	}

static const struct field pruned_fields[] = {
	F(FIELD_STRING, backup, FIELD_REQUIRED | FIELD_CLEAN),
	F(FIELD_BOOL, goes, FIELD_REQUIRED),
	F(FIELD_BOOL, spare, FIELD_REQUIRED),
	F(FIELD_STRING, reason, FIELD_REQUIRED | FIELD_CLEAN),
	F(FIELD_STRING, successor, FIELD_CLEAN),
	F(FIELD_UINT, size, FIELD_REQUIRED),
};

static int prune_add_row(struct table *table, struct json_object *object, bool dry_run,
			 struct problem *problem)
{
	_cleanup_(pruned_clear) struct pruned pruned = { 0 };
	char size[16];
	int r = message_read_known(object, pruned_fields, ARRAY_SIZE(pruned_fields), &pruned,
				   problem);

	if (r < 0)
		return r;
	table_add(table, TINT_NONE, pruned.backup);
	table_add(table, TINT_NONE, format_bytes(pruned.size, size));
	if (!pruned.goes)
		table_add(table, TINT_NONE, pruned.spare ? "spare" : "stays");
	else
		table_add(table, TINT_WARN, dry_run ? "goes" : "removed");
	table_add(table, TINT_NONE, pruned.reason);
	return 0;
}

static int prune_table(const struct term *term, struct json_object *backups, bool dry_run,
		       struct problem *problem)
{
	static const struct column columns[] = {
		{ .title = "BACKUP" },
		{ .title = "SIZE", .right = true, .drop = 1 },
		{ .title = "WHAT" },
		{ .title = "WHY", .cut = CUT_END },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	for (size_t i = 0; r >= 0 && i < message_length(backups); i++)
		r = prune_add_row(table, message_at(backups, i), dry_run, problem);
	return r < 0 ? r : table_print(table, term, stdout);
}

static int prune_print(const struct client *client, struct json_object *reply, bool dry_run)
{
	struct json_object *backups = message_member(reply, "backups");
	struct problem problem = { 0 };
	int r = 0;

	if (!message_is_array(backups))
		r = problem_set(&problem, "backups", "must be an array");
	else if (message_length(backups) == 0)
		print_note(client, dry_run ? "There is no backup of a known watch."
					   : "Nothing was to be removed.");
	else
		r = prune_table(&client->out, backups, dry_run, &problem);
	if (r < 0)
		return client_bad_reply(client, r, "Prune", &problem);
	if (message_member(reply, "more"))
		print_note(client, "There are more than these.");
	return STATUS_DONE;
}

static int prune_run(struct client *client, struct arguments *arguments)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *parameters;
	bool dry_run = false;
	const char *value;
	char **operands;
	size_t n;
	int key, r;

	while ((key = arguments_next(arguments, &value)) > 0)
		dry_run = true;
	if (key < 0 || arguments_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	r = message_build(&parameters, MEMBERS(M_BOOL("dry_run", dry_run)));
	if (r < 0)
		return client_status(client, r);
	r = client_call(client, "Prune", parameters, &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	return prune_print(client, reply, dry_run);
}

static const struct verb_option prune_options[] = {
	{ "dry-run", KEY_DRY_RUN, NULL,
	  "remove nothing: show each backup of a known watch and why it stays or goes" },
	{ 0 },
};

const struct verb verb_prune = {
	.name = "prune",
	.group = "Backups",
	.arguments = "",
	.summary = "remove now what the rules of [retention] let go",
	.details = "The daemon does this by itself after each backup and once a day, where "
		   "mtkrbd.conf\n"
		   "says keep-last. Only root and the daemon's user may remove; anybody may look.\n"
		   "spare: removed only to make room, where mtkrbd.conf says make-room.",
	.options = prune_options,
	.run = prune_run,
};
