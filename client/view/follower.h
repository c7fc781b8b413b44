/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Shows jobs as they go: on a terminal one line that is drawn again, elsewhere a line for each change
 * of state and every tenth of a phase. Why a job failed goes to stderr.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"

struct client;
struct follower;

/* For n given jobs, or with n 0 for whichever come. client is borrowed. -ENOMEM. */
_must_check_ int follower_new(struct client *client, const int64_t *ids, size_t n,
			      struct follower **ret);
void follower_free(struct follower *follower);
DEFINE_CLEANUP(struct follower *, follower_free);

/* Shows what is new about a job; the same news twice shows once. -ENOMEM. */
_must_check_ int follower_update(struct follower *follower, const struct job *job);

/* Takes the line that is drawn again away, before anything else is printed. */
void follower_pause(struct follower *follower);

/* True when jobs were given and all of them have ended. */
bool follower_is_complete(const struct follower *follower);

/* Says how many of several jobs ended well; the exit status: STATUS_FAILED when any did not. */
_must_check_ int follower_finish(struct follower *follower);
