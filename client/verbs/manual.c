/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/arguments.h"
#include "client/client.h"
#include "client/manual.h"
#include "client/verb.h"

static int manual_run(struct client *client, struct arguments *arguments)
{
	char **operands;
	size_t n;

	if (arguments_only_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	return client_status(client, manual_print(stdin, stdout));
}

const struct verb verb_manual = {
	.name = "manual",
	.host = HOST_REFUSED,
	.arguments = "",
	.summary = "makes the manual page, of the template on stdin, when the program is built",
	.run = manual_run,
};
