/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The two envelopes of varlink: a call and a reply. Members they do not know are passed over. */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/cleanup.h"

struct json_object;

struct varlink_call {
	char *method;                   /* "io.mtkrbd.Control.Submit" */
	struct json_object *parameters; /* an object, never NULL once read */
	bool more;                      /* the caller takes several replies */
	bool oneway;                    /* the caller wants none */
	bool upgrade;                   /* the caller wants the connection for another protocol */
};

struct varlink_reply {
	char *error;                    /* NULL: none */
	struct json_object *parameters; /* an object, never NULL once read */
	bool continues;                 /* more replies follow */
};

void varlink_call_clear(struct varlink_call *call);
/* -EBADMSG for anything that is not a call. */
_must_check_ int varlink_call_from_text(const char *text, size_t size, struct varlink_call *ret);
_must_check_ int varlink_call_to_text(const struct varlink_call *call, char **ret);

void varlink_reply_clear(struct varlink_reply *reply);
/* -EBADMSG for anything that is not a reply. */
_must_check_ int varlink_reply_from_text(const char *text, size_t size, struct varlink_reply *ret);
_must_check_ int varlink_reply_to_text(const struct varlink_reply *reply, char **ret);
