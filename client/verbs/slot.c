/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/table.h"
#include "client/output/tint.h"
#include "client/verb.h"
#include "protocol/base/strings.h"
#include "protocol/control/label.h"
#include "protocol/control/message.h"
#include "protocol/control/port.h"

enum { KEY_BEFORE = 1 };

/* ---- Showing ---- */

/* One slot as the daemon tells of it. */
struct row {
	char *name, *path, *rule, *clash;
	bool excluded;
	struct label *labels;
	size_t n_labels;
	struct port port; /* slot NULL: the place is empty */
};

static void row_clear(struct row *row)
{
	free(row->name);
	free(row->path);
	free(row->rule);
	free(row->clash);
	labels_free(row->labels, row->n_labels);
	port_clear(&row->port);
}

static int read_labels(struct json_object *value, void *target, struct problem *problem)
{
	struct row *row = target;

	return labels_from_json(value, &row->labels, &row->n_labels, problem);
}

static int read_port(struct json_object *value, void *target, struct problem *problem)
{
	struct row *row = target;

	return port_from_json(value, &row->port, problem);
}

#define TEXT(name_, flags_)                                                                  \
	{                                                                                    \
		.name = #name_, .type = FIELD_STRING, .offset = offsetof(struct row, name_), \
		.flags = (flags_)                                                            \
	}

static int row_read(struct json_object *object, struct row *ret, struct problem *problem)
{
	static const struct field fields[] = {
		TEXT(name, FIELD_REQUIRED),
		TEXT(path, 0),
		TEXT(rule, 0),
		TEXT(clash, 0),
		{ .name = "excluded",
		  .type = FIELD_BOOL,
		  .offset = offsetof(struct row, excluded),
		  .flags = FIELD_REQUIRED },
		{ .name = "labels", .type = FIELD_CUSTOM, .read = read_labels },
		{ .name = "port", .type = FIELD_CUSTOM, .read = read_port },
	};

	return message_read_known(object, fields, ARRAY_SIZE(fields), ret, problem);
}

static void add_state(struct table *table, const struct row *row)
{
	if (row->port.slot)
		table_add(table, tint_port(row->port.state), port_state_to_string(row->port.state));
	else
		table_add(table, TINT_FAINT, row->excluded ? "excluded" : "empty");
}

static int add_labels(struct table *table, const struct row *row)
{
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < row->n_labels; i++) {
		char *more = str_format("%s%s%s=%s", text ?: "", text ? " " : "",
					row->labels[i].key, row->labels[i].value);

		if (!more)
			return -ENOMEM;
		free(text);
		text = more;
	}
	table_add(table, TINT_NONE, text);
	return 0;
}

static int add_row(struct table *table, const struct row *row)
{
	table_add(table, TINT_NONE, row->name);
	add_state(table, row);
	table_add(table, TINT_NONE, row->port.device);
	if (row->port.job)
		table_addf(table, TINT_NONE, "%" PRId64, row->port.job);
	else
		table_add(table, TINT_NONE, NULL);
	table_add(table, TINT_NONE, row->rule);
	table_add(table, TINT_NONE, row->path);
	return add_labels(table, row);
}

/* All rows, then what the daemon keeps and does not go by. */
static int fill(const struct client *client, struct table *table, struct json_object *slots,
		struct problem *problem)
{
	for (size_t i = 0; i < message_length(slots); i++) {
		_cleanup_(row_clear) struct row row = { 0 };
		int r = row_read(message_at(slots, i), &row, problem);

		if (r >= 0)
			r = add_row(table, &row);
		if (r < 0)
			return r;
		if (row.clash)
			print_note(client, "%s: %s ('mtkrbctl slot forget %s' forgets that)",
				   row.name, row.clash, row.name);
	}
	return 0;
}

static int print_slots(const struct client *client, struct json_object *reply)
{
	static const struct column columns[] = {
		{ "SLOT", .cut = CUT_START },
		{ .title = "STATE" },
		{ "DEVICE", .cut = CUT_START, .drop = 1 },
		{ "JOB", .right = true },
		{ "RULE", .cut = CUT_END },
		{ "PLACE", .cut = CUT_START },
		{ "LABELS", .cut = CUT_END },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	struct json_object *slots = message_member(reply, "slots");
	struct problem problem = { 0 };
	int r;

	if (!message_is_array(slots))
		return client_bad_reply(client, problem_set(&problem, "slots", "must be an array"),
					"ListSlots", &problem);
	if (message_length(slots) == 0) {
		print_note(client, "No slots. Plug in a watch, then name its place: "
				   "mtkrbctl slot name PLACE NAME");
		return STATUS_DONE;
	}
	r = table_new(columns, ARRAY_SIZE(columns), &table);
	if (r >= 0)
		r = fill(client, table, slots, &problem);
	if (r < 0)
		return client_bad_reply(client, r, "ListSlots", &problem);
	return client_status(client, table_print(table, &client->out, stdout));
}

static int slot_list(struct client *client, char **operands _unused_, size_t n _unused_,
		     const char *before _unused_)
{
	_cleanup_message_ struct json_object *reply = NULL;
	int r = client_call(client, "ListSlots", NULL, &reply);

	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	return print_slots(client, reply);
}

/* ---- Changing ---- */

/* One call, which ends with a line of what is true now. Takes parameters. */
static int change(struct client *client, const char *method, struct json_object *parameters,
		  const char *slot, const char *now)
{
	_cleanup_message_ struct json_object *reply = NULL;
	int r = client_call(client, method, parameters, &reply);

	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	if (!client->quiet)
		print_line("%s: %s", slot, now);
	return STATUS_DONE;
}

static int slot_name(struct client *client, char **operands, size_t n _unused_, const char *before)
{
	_cleanup_free_ char *now = str_format("called %s", operands[1]);
	struct json_object *parameters;
	int r = message_build(&parameters,
			      MEMBERS(M_STRING("slot", operands[0]), M_STRING("name", operands[1]),
				      M_STRING_OPT("before", before)));

	if (r < 0 || !now)
		return client_status(client, r < 0 ? r : -ENOMEM);
	return change(client, "SetSlot", parameters, operands[0], now);
}

static int set_excluded(struct client *client, const char *slot, bool excluded)
{
	struct json_object *parameters;
	int r = message_build(&parameters,
			      MEMBERS(M_STRING("slot", slot), M_BOOL("excluded", excluded)));

	if (r < 0)
		return client_status(client, r);
	return change(client, "SetSlot", parameters, slot, excluded ? "excluded" : "included");
}

static int slot_exclude(struct client *client, char **operands, size_t n _unused_,
			const char *before _unused_)
{
	return set_excluded(client, operands[0], true);
}

static int slot_include(struct client *client, char **operands, size_t n _unused_,
			const char *before _unused_)
{
	return set_excluded(client, operands[0], false);
}

static int slot_rule(struct client *client, char **operands, size_t n _unused_,
		     const char *before _unused_)
{
	const char *rule = streq(operands[1], "-") ? "" : operands[1];
	_cleanup_free_ char *now =
		*rule ? str_format("bound to rule %s", rule) : strdup("bound to no rule");
	struct json_object *parameters;
	int r = message_build(&parameters,
			      MEMBERS(M_STRING("slot", operands[0]), M_STRING("rule", rule)));

	if (r < 0 || !now)
		return client_status(client, r < 0 ? r : -ENOMEM);
	return change(client, "SetSlot", parameters, operands[0], now);
}

/* KEY=VALUE into an object of labels; "KEY=" takes one away. Exit status. */
static int add_label(const struct client *client, struct json_object *labels, const char *text)
{
	const char *equals = strchr(text, '=');
	_cleanup_free_ char *key = NULL;

	if (!equals || equals == text) {
		print_failure(client, "%s: not KEY=VALUE", text);
		return STATUS_USAGE;
	}
	key = strndup(text, (size_t)(equals - text));
	if (!key)
		return client_status(client, -ENOMEM);
	return client_status(client, message_add(labels, M_STRING(key, equals + 1)));
}

static int slot_label(struct client *client, char **operands, size_t n, const char *before _unused_)
{
	_cleanup_message_ struct json_object *labels = NULL;
	struct json_object *parameters;
	int r = client_status(client, message_build(&labels, NULL, 0));

	for (size_t i = 1; i < n && r == STATUS_DONE; i++)
		r = add_label(client, labels, operands[i]);
	if (r != STATUS_DONE)
		return r;
	r = message_build(&parameters, MEMBERS(M_STRING("slot", operands[0]),
					       M_OBJECT("labels", TAKE_PTR(labels))));
	if (r < 0)
		return client_status(client, r);
	return change(client, "SetSlot", parameters, operands[0], "labelled");
}

static int slot_forget(struct client *client, char **operands, size_t n _unused_,
		       const char *before _unused_)
{
	struct json_object *parameters;
	int r = message_build(&parameters, MEMBERS(M_STRING("slot", operands[0])));

	if (r < 0)
		return client_status(client, r);
	return change(client, "ForgetSlot", parameters, operands[0], "forgotten");
}

static const struct action {
	const char *name;
	const char *arguments;
	size_t min, max; /* operands behind the name */
	int (*run)(struct client *client, char **operands, size_t n, const char *before);
} actions[] = {
	{ "list", "", 0, 0, slot_list },
	{ "name", "PLACE NAME", 2, 2, slot_name },
	{ "exclude", "SLOT", 1, 1, slot_exclude },
	{ "include", "SLOT", 1, 1, slot_include },
	{ "rule", "SLOT RULE|-", 2, 2, slot_rule },
	{ "label", "SLOT KEY=VALUE...", 2, SIZE_MAX, slot_label },
	{ "forget", "SLOT", 1, 1, slot_forget },
};

static const struct action *find_action(struct arguments *arguments, const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		const struct action *action = &actions[i];

		if (!streq(action->name, name))
			continue;
		if (n >= action->min && n <= action->max)
			return action;
		(void)arguments_wrong(arguments, "slot %s takes %s", name,
				      *action->arguments ? action->arguments : "no arguments");
		return NULL;
	}
	(void)arguments_wrong(arguments,
			      "%s: not one of list, name, exclude, include, rule, label, forget",
			      name);
	return NULL;
}

static int slot_run(struct client *client, struct arguments *arguments)
{
	const char *value, *before = NULL;
	const struct action *action;
	char **operands;
	size_t n;
	int key;

	while ((key = arguments_next(arguments, &value)) > 0)
		before = value;
	if (key < 0 || arguments_operands(arguments, 0, SIZE_MAX, &operands, &n) < 0)
		return arguments->status;
	if (n == 0)
		return slot_list(client, NULL, 0, NULL);
	action = find_action(arguments, operands[0], n - 1);
	if (!action)
		return arguments->status;
	if (before && action->run != slot_name) {
		(void)arguments_wrong(arguments, "--before goes with slot name only");
		return arguments->status;
	}
	return action->run(client, operands + 1, n - 1, before);
}

static const struct verb_option slot_options[] = {
	{ "before", KEY_BEFORE, "SLOT", "name: right before this slot in the order of the bench" },
	{ 0 },
};

const struct verb verb_slot = {
	.name = "slot",
	.group = "Daemon and ports",
	.arguments = "[ACTION ...]",
	.summary = "the places of the bench, in their order; names them, excludes them",
	.details = "list                       all slots, empty ones too (the same as no action)\n"
		   "name PLACE NAME            calls a place NAME; with its own name and --before "
		   "it is moved\n"
		   "exclude SLOT               leaves alone what is plugged in there; a job in it "
		   "waits\n"
		   "include SLOT               uses it again\n"
		   "rule SLOT RULE             its watches get this rule ([rule RULE] in "
		   "mtkrbd.conf); -: none\n"
		   "label SLOT KEY=VALUE...    for rules to match and for its automatic jobs to "
		   "carry; KEY= "
		   "takes\n                           one away\n"
		   "forget SLOT                forgets all of that\n"
		   "\n"
		   "PLACE and SLOT are what 'mtkrbctl ports' shows now (slot or device), or the "
		   "ID_PATH of "
		   "a USB\nport. A slot is not renamed while unfinished jobs ask for it. What "
		   "mtkrbd.conf "
		   "says of a slot\ncannot be changed here.",
	.options = slot_options,
	.run = slot_run,
};
