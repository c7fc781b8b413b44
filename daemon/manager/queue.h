/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The unfinished jobs in memory, each transition committed to the store before anyone hears of it.
 * A transition whose commit fails (a full disk) stays pending and is tried again by queue_flush;
 * until then nobody is told, and the job is not touched otherwise.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/store/store.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"

struct queue;

/* A job has a new state or new progress. Never called for what is not committed. */
typedef void (*queue_changed)(const struct job *job, void *userdata);

/* Loads the unfinished jobs; store is borrowed. */
_must_check_ int queue_new(struct store *store, queue_changed changed, void *userdata,
			   struct queue **ret);
void queue_free(struct queue *queue);
DEFINE_CLEANUP(struct queue *, queue_free);

/*
 * Asked for each job that is about to end, done or failed: true stores with its end that programs are
 * to run after it. NULL: none do.
 */
typedef bool (*queue_hooked)(const struct job *job, void *userdata);
void queue_set_hooked(struct queue *queue, queue_hooked hooked);

/*
 * Adds request.count jobs, ids in ret_ids, and notes in the audit that owner submitted them. -EDQUOT
 * over LIMIT_QUEUED_JOBS or, for owner, LIMIT_QUEUED_PER_UID, else the store's error.
 */
_must_check_ int queue_submit(struct queue *queue, const struct job_request *request, uid_t owner,
			      int64_t *ret_ids);

/* An unfinished job, NULL when there is none of that id. Borrowed until its next transition. */
const struct job *queue_find(const struct queue *queue, int64_t id);

/* All unfinished jobs; borrowed until the next call that changes the queue. */
const struct job *const *queue_jobs(const struct queue *queue, size_t *ret_n);

/* When a waiting job began to wait (monotonic), USEC_NEVER for any other. */
uint64_t queue_waiting_since(const struct queue *queue, int64_t id);

/*
 * The transitions. Each returns 0 also when the commit is pending; -ENOENT, -EINVAL when the state
 * machine does not allow it. failure is copied and may be NULL.
 */
int queue_wait(struct queue *queue, int64_t id, const struct failure *failure); /* -> waiting */
int queue_end(struct queue *queue, int64_t id, enum job_state state,
	      const struct failure *failure); /* -> failed, cancelled */
int queue_cancel(struct queue *queue, int64_t id, uid_t uid,
		 const struct failure *failure); /* -> cancelled, by uid as the audit will say */
int queue_publish(struct queue *queue, int64_t id, struct backup *backup); /* -> done; takes it */

/*
 * To running on this port. Unlike the others it is refused when it cannot be committed, with the store's
 * error: the job is in its old state.
 */
_must_check_ int queue_start(struct queue *queue, int64_t id, const struct port *port);

/*
 * A running job back to queued, for any watch: its worker never began, or the daemon was killed
 * before it did.
 */
int queue_put_back(struct queue *queue, int64_t id);

/* A failed or cancelled job of the store runs again for uid: queued. *ret is the job then. */
_must_check_ int queue_retry(struct queue *queue, int64_t id, uid_t uid, const struct job **ret);

/* What its worker tells of a running job; never stored. */
void queue_set_progress(struct queue *queue, int64_t id, const struct progress *progress);

/*
 * What the watch on it turned out to be; stored at once, since after a crash the job goes on only
 * with the watch it began with. A job that has begun with one keeps that.
 */
void queue_set_port(struct queue *queue, int64_t id, const struct port *port);

/* True while a commit is pending. */
bool queue_is_pending(const struct queue *queue);

/* Tries the pending commits again; the error of the first that fails. */
int queue_flush(struct queue *queue);
