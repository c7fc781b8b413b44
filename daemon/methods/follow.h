/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The followers: calls of Follow that wait for news. Each is told the state as it is now, then
 * changes. A follower whose connection is full keeps only the names of what has changed and is told
 * their newest state when it reads again, so a slow one gets fewer, newer replies and costs next to
 * nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"
#include "protocol/control/port.h"

struct call;
struct follow;
struct manager;

/* manager is borrowed: it is asked for the newest state. */
_must_check_ int follow_new(struct manager *manager, struct follow **ret);
void follow_free(struct follow *follow);
DEFINE_CLEANUP(struct follow *, follow_free);

/*
 * Keeps call until all jobs of ids have ended, or for ever without any. -ENOENT and *ret_unknown
 * when there is no such job; nothing was answered then.
 */
_must_check_ int follow_add(struct follow *follow, struct call *call, const int64_t *ids, size_t n,
			    int64_t *ret_unknown);

void follow_job(struct follow *follow, const struct job *job);
void follow_port(struct follow *follow, const struct port *port, bool gone);
