/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/arguments.h"
#include "client/calls/bridge.h"
#include "client/calls/connection.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/verb.h"

static int bridge_verb_run(struct client *client, struct arguments *arguments)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	char **operands;
	size_t n;
	int fd, r;

	if (arguments_only_operands(arguments, 0, 0, &operands, &n) < 0)
		return arguments->status;
	if (client->host)
		return client_run_there(client, "bridge", NULL, 0);
	r = connection_open_socket(client->socket_path, 0, &fd, &complaint);
	if (r < 0)
		return client_complain(client, r, &complaint);
	r = bridge_run(STDIN_FILENO, STDOUT_FILENO, fd);
	if (r == -EBADMSG)
		print_failure(client, "bridge: what came on stdin is no call of a client");
	else if (r < 0)
		print_failure(client, "bridge: %s", strerror(-r));
	return r < 0 ? STATUS_FAILED : STATUS_DONE;
}

const struct verb verb_bridge = {
	.name = "bridge",
	.host = HOST_RUNS,
	.arguments = "",
	.summary = "passes varlink between stdin, stdout and the daemon",
	.details = "For programs: 'mtkrbctl -H HOST' runs it there over ssh.",
	.run = bridge_verb_run,
};
