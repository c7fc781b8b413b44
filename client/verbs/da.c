/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/table.h"
#include "client/user-file.h"
#include "client/verb.h"
#include "client/view/agent.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/file-ref.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"
#include "protocol/device/da-file.h"

#define DIGEST_SHOWN 16 /* digits in a table; enough to compare by eye */
#define HINT_BARE                                                                      \
	"a job that uses it has to say where its parts lie: mtkrbctl submit --da=... " \
	"--da-layout=da1=OFFSET:LENGTH:ADDRESS,da2=OFFSET:LENGTH:ADDRESS,table=OFFSET:LENGTH"

enum { KEY_LAYOUT = 1, KEY_NAME };

struct da_options {
	const char *layout; /* NULL: none */
	const char *name;
};

/* Opens path and looks at what it is; *ret_fd must outlive *ret. Exit status. */
static int da_open(const struct client *client, const char *path, const char *layout, int *ret_fd,
		   struct da_file **ret)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_close_ int fd = -1;
	char why[DA_WHY_SIZE];
	int r = user_file_open(path, &fd, &complaint);

	if (r < 0)
		return client_complain(client, r, &complaint);
	r = da_file_open(fd, layout, ret, why);
	if (r < 0) {
		print_failure(client, "%s: %s", path, why);
		if (r == -EINVAL && !layout)
			print_hint(client, "name them with --layout=da1=OFFSET:LENGTH:ADDRESS,"
					   "da2=OFFSET:LENGTH:ADDRESS,table=OFFSET:LENGTH");
		return STATUS_FAILED;
	}
	*ret_fd = TAKE_FD(fd);
	return STATUS_DONE;
}

static int da_list(struct client *client, const char *path, const struct da_options *options)
{
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	_cleanup_message_ struct json_object *object = NULL;
	_cleanup_close_ int fd = -1;
	int r = da_open(client, path, options->layout, &fd, &file);

	if (r != STATUS_DONE)
		return r;
	if (!client->json)
		return client_status(client, agent_view_print(&client->out, file));
	r = agent_view_to_json(file, path, &object);
	return client_status(client, r < 0 ? r : print_json(client, object));
}

/* A broken container is refused here; bare parts are kept, and said to be that. */
static int da_check(const struct client *client, const char *path, int fd)
{
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	char why[DA_WHY_SIZE];
	int r = da_file_open(fd, NULL, &file, why);

	if (r == -EINVAL) {
		print_note(client, "%s: %s", path, why);
		print_hint(client, "%s", HINT_BARE);
		return STATUS_DONE;
	}
	if (r < 0) {
		print_failure(client, "%s: %s", path, why);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

static int da_send(struct client *client, const char *name, int *fd)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *parameters;
	int passed, r = message_build(&parameters, MEMBERS(M_STRING("name", name)));

	if (r < 0)
		return client_status(client, r);
	passed = TAKE_FD(*fd);
	r = client_call_with_fds(client, "AddAgent", parameters, &passed, 1, &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	if (!client->quiet)
		print_line("%s: added", name);
	return STATUS_DONE;
}

static int da_add(struct client *client, const char *path, const struct da_options *options)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	_cleanup_close_ int fd = -1;
	const char *name = options->name ? options->name : user_file_name(path);
	int r = user_file_open(path, &fd, &complaint);

	if (r < 0)
		return client_complain(client, r, &complaint);
	if (!file_name_is_valid(name)) {
		print_failure(client, "the daemon cannot keep a file called '%s'", name);
		print_hint(client, "give it another name with --name=NAME: letters, digits and "
				   "._:+-, at most 64");
		return STATUS_USAGE;
	}
	r = da_check(client, path, fd);
	return r == STATUS_DONE ? da_send(client, name, &fd) : r;
}

static int da_remove(struct client *client, const char *name,
		     const struct da_options *options _unused_)
{
	_cleanup_message_ struct json_object *reply = NULL;
	struct json_object *parameters;
	int r;

	if (!is_plain_name(name, LIMIT_NAME_BYTES)) {
		print_failure(client, "no such download agent: %s", name);
		return STATUS_NOT_FOUND;
	}
	r = message_build(&parameters, MEMBERS(M_STRING("name", name)));
	if (r < 0)
		return client_status(client, r);
	r = client_call(client, "RemoveAgent", parameters, &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	if (!client->quiet)
		print_line("%s: removed", name);
	return STATUS_DONE;
}

/* ---- What the daemon keeps ---- */

struct agent_row {
	char *name, *sha256;
	uint64_t size;
};

static void agent_row_clear(struct agent_row *row)
{
	free(row->name);
	free(row->sha256);
}

static int add_kept(struct table *table, struct json_object *object, struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "name",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct agent_row, name),
		  .flags = FIELD_REQUIRED },
		{ .name = "size",
		  .type = FIELD_UINT,
		  .offset = offsetof(struct agent_row, size),
		  .flags = FIELD_REQUIRED },
		{ .name = "sha256",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct agent_row, sha256),
		  .flags = FIELD_REQUIRED },
	};
	_cleanup_(agent_row_clear) struct agent_row row = { 0 };
	char size[16];
	int r = message_read_known(object, fields, ARRAY_SIZE(fields), &row, problem);

	if (r < 0)
		return r;
	table_add(table, TINT_NONE, row.name);
	table_add(table, TINT_NONE, format_bytes(row.size, size));
	table_addf(table, TINT_NONE, "%.*s", DIGEST_SHOWN, row.sha256);
	return 0;
}

static int print_kept(const struct client *client, struct json_object *reply)
{
	static const struct column columns[] = {
		{ "NAME", .cut = CUT_END },
		{ "SIZE", .right = true },
		{ .title = "SHA-256" },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	struct json_object *agents = message_member(reply, "agents");
	struct problem problem = { 0 };
	int r;

	if (!message_is_array(agents))
		return client_bad_reply(client, problem_set(&problem, "agents", "must be an array"),
					"ListAgents", &problem);
	if (message_length(agents) == 0) {
		print_note(client, "No download agents. To add a file: mtkrbctl da add FILE");
		return STATUS_DONE;
	}
	r = table_new(columns, ARRAY_SIZE(columns), &table);
	for (size_t i = 0; r >= 0 && i < message_length(agents); i++)
		r = add_kept(table, message_at(agents, i), &problem);
	if (r < 0)
		return client_bad_reply(client, r, "ListAgents", &problem);
	return client_status(client, table_print(table, &client->out, stdout));
}

static int da_kept(struct client *client)
{
	_cleanup_message_ struct json_object *reply = NULL;
	int r = client_call(client, "ListAgents", NULL, &reply);

	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	return print_kept(client, reply);
}

static int da_run(struct client *client, struct arguments *arguments)
{
	static const struct {
		const char *name;
		enum verb_host host;
		int (*run)(struct client *client, const char *operand,
			   const struct da_options *options);
	} actions[] = { { "list", HOST_REFUSED, da_list },
			{ "add", HOST_ASKED, da_add },
			{ "remove", HOST_ASKED, da_remove } };
	struct da_options options = { 0 };
	const char *value;
	char **operands;
	size_t n;
	int key;

	while ((key = arguments_next(arguments, &value)) > 0)
		*(key == KEY_LAYOUT ? &options.layout : &options.name) = value;
	if (key < 0 || arguments_operands(arguments, 0, 2, &operands, &n) < 0)
		return arguments->status;
	if (n == 0)
		return da_kept(client);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (streq(operands[0], actions[i].name) && n == 2)
			return arguments_allow_host(arguments, actions[i].host, "da list") < 0
				       ? arguments->status
				       : actions[i].run(client, operands[1], &options);
	(void)arguments_wrong(arguments, "%s: not list FILE, add FILE or remove NAME", operands[0]);
	return arguments->status;
}

static const struct verb_option da_options[] = {
	{ "layout", KEY_LAYOUT, "PARTS", "list: where the parts of a file with no head lie" },
	{ "name", KEY_NAME, "NAME",
	  "add: what the daemon is to call it (default: as it is called)" },
	{ 0 },
};

const struct verb verb_da = {
	.name = "da",
	.group = "Download agents",
	.arguments = "[list FILE | add FILE | remove NAME]",
	.summary = "download agents: what is in a file, what the daemon keeps",
	.details =
		"list FILE shows what a file holds, and needs no daemon. add FILE gives one to "
		"the\ndaemon, which looks through what it keeps for a watch that needs an agent; "
		"remove\nNAME takes it away. Without any: what the daemon keeps.",
	.options = da_options,
	.run = da_run,
};
