/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Why the client cannot go on, as its user will read it: the exit status, one line that names what
 * failed and where, one line that says what to do. Exit statuses are a contract for scripts.
 */

#include "protocol/base/cleanup.h"

struct json_object;

enum exit_status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1, /* the job or the check failed */
	STATUS_USAGE = 2,
	STATUS_NO_DAEMON = 3,
	STATUS_NOT_FOUND = 4,
	STATUS_NOT_PERMITTED = 5,
	STATUS_REFUSED = 6,
	STATUS_INTERRUPTED = 130,
};

struct complaint {
	enum exit_status status;
	char *message; /* NULL: there was no memory for it */
	char *hint;    /* NULL where no way out is known */
};

void complaint_clear(struct complaint *complaint);
#define _cleanup_complaint_ _cleanup_(complaint_clear)

/* Sets *complaint (freeing what it held); always returns -ECANCELED, so a function can end with it. */
_printf_(4, 5) int complaint_set(struct complaint *complaint, enum exit_status status,
				 const char *hint, const char *format, ...);

/* Adds a hint that needs formatting; keeps the old one when there is no memory. */
_printf_(2, 3) void complaint_hint(struct complaint *complaint, const char *format, ...);

/* Puts a varlink error into words; parameters are what came with it. Always -ECANCELED. */
int complaint_from_error(struct complaint *complaint, const char *method, const char *error,
			 struct json_object *parameters);
