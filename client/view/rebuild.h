/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a rebuild made of an image, on stdout: for people or as JSON. */

#include "client/client.h"
#include "protocol/base/cleanup.h"
#include "protocol/firmware/health.h"
#include "protocol/firmware/rebuild.h"

struct rebuild_view {
	const char *directory;
	const char *description; /* text of layout.json */
	const struct layout *layout;
	const struct rebuild *rebuild;
	const struct health_report *health;
};

/* -ENOMEM, or the error of the JSON. */
_must_check_ int rebuild_view_print(const struct client *client, const struct rebuild_view *view);

/* Every check that failed with that severity or a worse one, with its hint, on stderr. */
void rebuild_view_print_failures(const struct client *client, const struct health_report *health,
				 enum health_severity worst);
