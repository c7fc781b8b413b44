/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every verb needs: the general options, what is behind stdout and stderr, the daemon. */

#include <stdbool.h>
#include <stddef.h>

#include "client/complaint.h"
#include "client/output/term.h"
#include "protocol/base/cleanup.h"

#define DEFAULT_SOCKET "/run/mtkrbd/mtkrbd.sock"

struct connection;
struct json_object;
struct problem;

struct client {
	const char *socket_path; /* or the address of a host: ssh.h */
	const char *host;        /* the one of that address; NULL: this machine */
	bool socket_given;       /* --socket, on the command line */
	bool host_given;         /* -H, there too */
	char *address;           /* what socket_path is with -H */
	bool json;
	bool quiet;
	struct term out;
	struct term err;
	struct connection *connection; /* NULL until the first call */
};

/* Defaults, and what the environment says. setlocale() comes before. */
void client_init(struct client *client);
void client_done(struct client *client);

/* A socket's path or the address of a host, borrowed. */
void client_set_address(struct client *client, const char *address);

/*
 * Runs a verb as a whole on the client's host, which it has: with the general options that matter
 * there, n words behind the verb, and our stdin, stdout and stderr. The exit status.
 */
_must_check_ int client_run_there(const struct client *client, const char *verb,
				  const char *const *words, size_t n);

/*
 * One call, connecting first where needed. Takes parameters (NULL: none), also on failure; the
 * caller owns *ret, an object. Returns an exit status: what is not STATUS_DONE has been printed.
 */
_must_check_ int client_call(struct client *client, const char *method,
			     struct json_object *parameters, struct json_object **ret);

/*
 * The same with n descriptors that go with it, and the words of a failure left to the caller:
 * -ECANCELED with *complaint, -ENOMEM. Takes the descriptors, too. After STATUS_NO_DAEMON the next
 * call connects anew.
 */
_must_check_ int client_try(struct client *client, const char *method,
			    struct json_object *parameters, const int *fds, size_t n,
			    struct json_object **ret, struct complaint *complaint);

/* client_call with n descriptors, taken also on failure, that go with the call. */
_must_check_ int client_call_with_fds(struct client *client, const char *method,
				      struct json_object *parameters, const int *fds, size_t n,
				      struct json_object **ret);

/* Prints why it failed; returns the exit status. r is the negative errno that came with it. */
_must_check_ int client_complain(const struct client *client, int r,
				 const struct complaint *complaint);

/*
 * The exit status for an errno that has no words of its own, which it prints; STATUS_DONE for 0. -EINVAL
 * is what message_build says of text that is none.
 */
_must_check_ int client_status(const struct client *client, int r);

/* For an answer that cannot be read: prints it, returns the exit status. */
_must_check_ int client_bad_reply(const struct client *client, int r, const char *method,
				  const struct problem *problem);
