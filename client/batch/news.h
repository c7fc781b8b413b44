/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What happens to the jobs of a batch, a line on stderr for each change of a state that matters to
 * whoever stands at the bench; on a terminal a bell for a failure.
 */

#include <stdbool.h>

#include "client/complaint.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"

struct batch_news;
struct client;

/*
 * client and name are borrowed; so is prompted: where it is true, a prompt stands on the terminal,
 * whose line is ended before anything is said. -ENOMEM.
 */
_must_check_ int batch_news_new(struct client *client, const char *name, bool *prompted,
				struct batch_news **ret);
void batch_news_free(struct batch_news *news);
DEFINE_CLEANUP(struct batch_news *, batch_news_free);

/* A job as it is now; those of other batches, and the same news twice, are passed over. -ENOMEM. */
_must_check_ int batch_news_tell(struct batch_news *news, const struct job *job);

/* ---- From the daemon's events, beside something else that is waited for ---- */

/* -ECANCELED with *complaint, -ENOMEM. */
_must_check_ int batch_news_follow(struct batch_news *news, struct complaint *complaint);

/* For poll(): -1 while the daemon is away, and then how many milliseconds to wait at most. */
int batch_news_fd(const struct batch_news *news);
int batch_news_patience(const struct batch_news *news);

/* Tells all that has come; looks for a daemon that went away. -ENOMEM. */
_must_check_ int batch_news_take(struct batch_news *news);
