/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a file with download agents holds, as a table and as JSON. */

#include "client/output/term.h"
#include "protocol/base/cleanup.h"

struct da_file;
struct json_object;

/* On stdout; -ENOMEM. */
_must_check_ int agent_view_print(const struct term *term, const struct da_file *file);

/* {file, version, agents: [{index, chip, …, regions: […]}]}; path is what the user typed. */
_must_check_ int agent_view_to_json(const struct da_file *file, const char *path,
				    struct json_object **ret);
