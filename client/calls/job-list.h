/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The jobs that match, in as many calls as it takes: the daemon cuts a long list. */

#include <stddef.h>

#include "protocol/base/cleanup.h"

struct client;
struct json_object;

/* What is borrowed here stays the caller's. */
struct job_list_query {
	struct json_object *states; /* words; NULL: any */
	struct json_object *labels; /* {"key": "value"}; NULL: any */
	const char *since;          /* RFC 3339; NULL: any time */
	size_t limit;               /* at least 1 */
};

/*
 * Puts them at the end of the array all, the newest first. Returns an exit status: what is not
 * STATUS_DONE has been printed.
 */
_must_check_ int job_list_fetch(struct client *client, const struct job_list_query *query,
				struct json_object *all);
