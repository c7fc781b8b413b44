/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/client.h"

#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/calls/connection.h"
#include "client/calls/ssh.h"
#include "client/output/print.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

void client_init(struct client *client)
{
	const char *path = getenv("MTKRB_SOCKET");
	bool unicode = streq(nl_langinfo(CODESET), "UTF-8");

	*client = (struct client){ 0 };
	client_set_address(client, path && *path ? path : DEFAULT_SOCKET);
	term_init(&client->out, STDOUT_FILENO, unicode);
	term_init(&client->err, STDERR_FILENO, unicode);
}

void client_done(struct client *client)
{
	connection_free(client->connection);
	client->connection = NULL;
	free(client->address);
}

void client_set_address(struct client *client, const char *address)
{
	client->socket_path = address;
	client->host = ssh_host(address);
}

int client_run_there(const struct client *client, const char *verb, const char *const *words,
		     size_t n)
{
	_cleanup_free_ const char **argv = calloc(n + 5, sizeof(*argv));
	_cleanup_complaint_ struct complaint complaint = { 0 };
	size_t used = 0;
	int r;

	if (!argv)
		return client_status(client, -ENOMEM);
	argv[used++] = "mtkrbctl";
	argv[used++] = verb;
	if (client->json)
		argv[used++] = "--json";
	if (client->quiet)
		argv[used++] = "--quiet";
	for (size_t i = 0; i < n; i++)
		argv[used++] = words[i];
	r = ssh_run(client->host, argv, &complaint);
	return r < 0 ? client_complain(client, r, &complaint) : r;
}

int client_complain(const struct client *client, int r, const struct complaint *complaint)
{
	if (r != -ECANCELED)
		return client_status(client, r);
	print_failure(client, "%s", complaint->message ? complaint->message : "out of memory");
	if (complaint->hint)
		print_hint(client, "%s", complaint->hint);
	return complaint->status;
}

int client_status(const struct client *client, int r)
{
	if (r >= 0)
		return STATUS_DONE;
	if (r == -EINVAL) {
		print_failure(client, "the request cannot be sent");
		print_hint(client, "one of its words is not UTF-8 text");
		return STATUS_USAGE;
	}
	print_failure(client, "%s", r == -ENOMEM ? "out of memory" : strerror(-r));
	return STATUS_FAILED;
}

int client_bad_reply(const struct client *client, int r, const char *method,
		     const struct problem *problem)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };

	if (r != -EBADMSG)
		return client_status(client, r);
	return client_complain(client, complaint_bad_reply(&complaint, method, problem),
			       &complaint);
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fd_close(fds[i]);
}

int client_try(struct client *client, const char *method, struct json_object *parameters,
	       const int *fds, size_t n, struct json_object **ret, struct complaint *complaint)
{
	_cleanup_message_ struct json_object *mine = parameters;
	int r = 0;

	if (!client->connection)
		r = connection_open(client->socket_path, &client->connection, complaint);
	if (r < 0) {
		close_all(fds, n);
		return r;
	}
	connection_pass(client->connection, fds, n);
	r = connection_call(client->connection, method, TAKE_PTR(mine), ret, complaint);
	if (r == -ECANCELED && complaint->status == STATUS_NO_DAEMON)
		connection_free(TAKE_PTR(client->connection));
	return r;
}

int client_call(struct client *client, const char *method, struct json_object *parameters,
		struct json_object **ret)
{
	return client_call_with_fds(client, method, parameters, NULL, 0, ret);
}

int client_call_with_fds(struct client *client, const char *method, struct json_object *parameters,
			 const int *fds, size_t n, struct json_object **ret)
{
	_cleanup_complaint_ struct complaint complaint = { 0 };
	int r = client_try(client, method, parameters, fds, n, ret, &complaint);

	return r < 0 ? client_complain(client, r, &complaint) : STATUS_DONE;
}
