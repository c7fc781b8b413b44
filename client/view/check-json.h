/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A health report as JSON, for programs. */

#include "protocol/base/cleanup.h"

struct health_report;
struct json_object;
struct layout;

/* path is that of the image. A new object; -ENOMEM. */
_must_check_ int check_to_json(const char *path, const struct layout *layout,
			       const struct health_report *report, struct json_object **ret);
