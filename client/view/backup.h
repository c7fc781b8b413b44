/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Backups as people see them: a line in a table, or all about one. Both print on stdout. */

#include "client/output/term.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/backup.h"

struct json_object;
struct problem;

/* A table of an array of backups. -EBADMSG with *problem, -ENOMEM. */
_must_check_ int backup_view_table(const struct term *term, struct json_object *backups,
				   struct problem *problem);

/* With the files, where we may read its directory. -ENOMEM. */
_must_check_ int backup_view_print(const struct term *term, const struct backup *backup);
