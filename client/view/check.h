/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A health report for people, on stdout: what it is, the map, the checks (failures first), proof. */

#include "client/client.h"
#include "protocol/base/cleanup.h"
#include "protocol/firmware/health.h"

/* With --quiet only what did not pass. -ENOMEM. */
_must_check_ int check_view_print(const struct client *client, const char *path,
				  const struct layout *layout, const struct health_report *report);
