/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The structured failure that every layer hands on to the user: a stable word, one line that names
 * what failed and where, and one line that says what to do. The words are a contract (scripts
 * compare them); the two lines are for people.
 */

#include <stdbool.h>

#include "protocol/base/cleanup.h"

struct json_object;
struct problem;

enum failure_code {
	FAILURE_NONE,
	FAILURE_HANDSHAKE_TIMEOUT,
	FAILURE_DEVICE_LOST,
	FAILURE_PROTOCOL_ERROR,
	FAILURE_UNSUPPORTED_CHIP,
	FAILURE_SECURE_BOOT,
	FAILURE_DA_REJECTED,
	FAILURE_DA_MISSING,
	FAILURE_READ_FAILED,
	FAILURE_VERIFY_MISMATCH,
	FAILURE_SIZE_MISMATCH,
	FAILURE_NO_SPACE,
	FAILURE_ARCHIVE_ERROR,
	FAILURE_WORKER_CRASHED,
	FAILURE_TIMEOUT,
	FAILURE_CANCELLED,
	FAILURE_PORT_BUSY,   /* the port could not be opened: another program, or no permission */
	FAILURE_WRONG_WATCH, /* another watch than the one this job began with */
	FAILURE_SCATTER_MISMATCH, /* the scatter file cannot be read, or is for another watch */
	_FAILURE_MAX,
};

struct failure {
	enum failure_code code; /* FAILURE_NONE: no failure, both lines NULL */
	char *message;
	char *hint; /* NULL where no way out is known */
};

/* "handshake-timeout" …; NULL for FAILURE_NONE. */
const char *failure_code_to_string(enum failure_code code);

/* -EINVAL for an unknown word. */
_must_check_ int failure_code_from_string(const char *s, enum failure_code *ret);

/* Sets *failure (freeing what it held); without a hint it gets the code's own. -ENOMEM. */
_printf_(4, 5) int failure_set(struct failure *failure, enum failure_code code, const char *hint,
			       const char *format, ...);

_must_check_ int failure_copy(const struct failure *from, struct failure *ret);

/* Frees what it holds and leaves FAILURE_NONE. */
void failure_clear(struct failure *failure);

/* {code, message, hint}; *ret is NULL for FAILURE_NONE. The caller owns it. */
_must_check_ int failure_to_json(const struct failure *failure, struct json_object **ret);

/* Strict; -EBADMSG with *problem filled. */
_must_check_ int failure_from_json(struct json_object *object, struct failure *ret,
				   struct problem *problem);
