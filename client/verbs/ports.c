/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/output/table.h"
#include "client/output/text.h"
#include "client/output/tint.h"
#include "client/verb.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"
#include "protocol/control/port.h"

#define GROUP "Daemon and ports"

enum { KEY_FULL = 1, KEY_MODE, KEY_SLOT };

static void ports_add(struct table *table, const struct port *port, bool full)
{
	table_add(table, TINT_NONE, port->slot);
	table_add(table, TINT_NONE, port->device);
	table_add(table, TINT_NONE, port->mode);
	table_add(table, tint_port(port->state), port_state_to_string(port->state));
	table_add(table, TINT_NONE, port->chip);
	table_add(table, TINT_NONE, port->meid && !full ? text_meid(port->meid) : port->meid);
	if (port->job)
		table_addf(table, TINT_NONE, "%" PRId64, port->job);
	else
		table_add(table, TINT_NONE, NULL);
}

/* Rows of all ports; -EBADMSG with *problem. */
static int ports_fill(struct table *table, struct json_object *ports, bool full,
		      struct problem *problem)
{
	for (size_t i = 0; i < message_length(ports); i++) {
		_cleanup_(port_clear) struct port port = { 0 };
		int r = port_from_json(message_at(ports, i), &port, problem);

		if (r < 0)
			return r;
		ports_add(table, &port, full);
	}
	return 0;
}

static int ports_print(const struct client *client, struct json_object *reply, bool full)
{
	static const struct column columns[] = {
		{ "SLOT", .cut = CUT_START }, { "DEVICE", .cut = CUT_START }, { .title = "MODE" },
		{ .title = "STATE" },         { "CHIP", .cut = CUT_END },     { .title = "ME ID" },
		{ "JOB", .right = true },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	struct json_object *ports = message_member(reply, "ports");
	struct problem problem = { 0 };
	int r;

	if (!message_is_array(ports))
		return client_bad_reply(client, problem_set(&problem, "ports", "must be an array"),
					"ListPorts", &problem);
	if (message_length(ports) == 0) {
		print_note(client, "No ports. Plug in a watch that is switched off, or attach a "
				   "UART adapter: mtkrbctl attach DEVICE");
		return STATUS_DONE;
	}
	r = table_new(columns, ARRAY_SIZE(columns), &table);
	if (r < 0)
		return client_status(client, r);
	r = ports_fill(table, ports, full, &problem);
	if (r < 0)
		return client_bad_reply(client, r, "ListPorts", &problem);
	return client_status(client, table_print(table, &client->out, stdout));
}

static int ports_run(struct client *client, struct arguments *arguments)
{
	_cleanup_message_ struct json_object *reply = NULL;
	const char *value;
	char **operands;
	bool full = false;
	size_t n;
	int r;

	while ((r = arguments_next(arguments, &value)) > 0)
		full = true;
	if (r < 0 || arguments_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	r = client_call(client, "ListPorts", NULL, &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	return ports_print(client, reply, full);
}

/* The daemon has another working directory: a relative path is made absolute. */
static int device_path(const char *device, char **ret)
{
	_cleanup_free_ char *folder = NULL;
	char *path;

	if (*device == '/') {
		path = strdup(device);
	} else {
		folder = getcwd(NULL, 0);
		if (!folder)
			return -errno;
		path = str_format("%s/%s", folder, device);
	}
	if (!path)
		return -ENOMEM;
	*ret = path;
	return 0;
}

static int attach_print(const struct client *client, struct json_object *reply)
{
	_cleanup_(port_clear) struct port port = { 0 };
	struct problem problem = { 0 };
	int r = port_from_json(message_member(reply, "port"), &port, &problem);

	if (r < 0)
		return client_bad_reply(client, r, "Attach", &problem);
	if (!client->quiet)
		print_line("%s attached as %s", port.device, port.slot);
	return STATUS_DONE;
}

static int attach_call(struct client *client, const char *device, const char *mode,
		       const char *slot)
{
	_cleanup_message_ struct json_object *reply = NULL;
	_cleanup_free_ char *path = NULL;
	struct json_object *parameters;
	int r = device_path(device, &path);

	if (r < 0)
		return client_status(client, r);
	r = message_build(&parameters, MEMBERS(M_STRING("device", path), M_STRING_OPT("mode", mode),
					       M_STRING_OPT("slot", slot)));
	if (r < 0)
		return client_status(client, r);
	r = client_call(client, "Attach", parameters, &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	return attach_print(client, reply);
}

static int attach_run(struct client *client, struct arguments *arguments)
{
	const char *value, *mode = NULL, *slot = NULL;
	char **operands;
	size_t n;
	int key;

	while ((key = arguments_next(arguments, &value)) > 0) {
		if (key == KEY_SLOT)
			slot = value;
		else
			mode = value;
	}
	if (key < 0 || arguments_operands(arguments, 1, 1, &operands, &n) < 0)
		return arguments->status;
	if (mode && !streq(mode, "auto") && !streq(mode, "brom") && !streq(mode, "preloader")) {
		(void)arguments_wrong(arguments, "--mode=%s: not one of auto, brom, preloader",
				      mode);
		return arguments->status;
	}
	return attach_call(client, operands[0], mode, slot);
}

static int detach_run(struct client *client, struct arguments *arguments)
{
	_cleanup_message_ struct json_object *reply = NULL;
	_cleanup_free_ char *path = NULL;
	struct json_object *parameters;
	char **operands;
	size_t n;
	int r;

	if (arguments_only_operands(arguments, 1, 1, &operands, &n) < 0)
		return arguments->status;
	r = device_path(operands[0], &path);
	if (r < 0)
		return client_status(client, r);
	r = message_build(&parameters, MEMBERS(M_STRING("device", path)));
	if (r < 0)
		return client_status(client, r);
	r = client_call(client, "Detach", parameters, &reply);
	if (r != STATUS_DONE)
		return r;
	if (client->json)
		return client_status(client, print_json(client, reply));
	if (!client->quiet)
		print_line("%s detached", path);
	return STATUS_DONE;
}

static const struct verb_option ports_options[] = {
	{ "full", KEY_FULL, NULL, "whole ME IDs" },
	{ 0 },
};

static const struct verb_option attach_options[] = {
	{ "mode", KEY_MODE, "MODE", "auto (the default), brom or preloader" },
	{ "slot", KEY_SLOT, "NAME", "what this port is called from now on" },
	{ 0 },
};

const struct verb verb_ports = {
	.name = "ports",
	.group = GROUP,
	.arguments = "",
	.summary = "ports now present, and the watches on them",
	.options = ports_options,
	.run = ports_run,
};

const struct verb verb_attach = {
	.name = "attach",
	.group = GROUP,
	.arguments = "DEVICE",
	.summary = "use a port that udev cannot recognise",
	.details = "For UART adapters and pseudo-terminals; watches on USB are found without it.",
	.options = attach_options,
	.run = attach_run,
};

const struct verb verb_detach = {
	.name = "detach",
	.group = GROUP,
	.arguments = "DEVICE",
	.summary = "stop using a port that was attached",
	.run = detach_run,
};
