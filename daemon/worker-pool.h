/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The worker processes: starts them, talks to them over their socketpair, notices how they end, and
 * kills those that hang. A worker is known by a pointer until its handler's ended() has returned.
 */

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/time.h"
#include "protocol/control/worker-message.h"

#define WORKER_SILENCE_USEC (120 * USEC_PER_SEC) /* beyond any deadline a worker keeps by itself */

struct worker;
struct worker_pool;

/* Called from the event loop, never from inside a function of this header. */
struct worker_handler {
	/* The watch has said what it is; the worker waits for worker_read or worker_stop. */
	void (*identified)(struct worker *worker, const struct worker_identity *identity,
			   void *userdata);
	void (*progressed)(struct worker *worker, const struct progress *progress, void *userdata);
	/*
	 * The process is gone and its last word is here: FAILURE_NONE for done. A worker that was
	 * stopped before it had a job ends with FAILURE_CANCELLED.
	 */
	void (*ended)(struct worker *worker, const struct failure *failure, void *userdata);
};

/* program is the worker's path, copied. */
_must_check_ int worker_pool_new(sd_event *event, const char *program, struct worker_pool **ret);

/* Kills a worker that should say something and does not for so long; WORKER_SILENCE_USEC at first. */
void worker_pool_set_silence_limit(struct worker_pool *pool, uint64_t usec);

/* Kills what still runs, without calling handlers. */
void worker_pool_free(struct worker_pool *pool);
DEFINE_CLEANUP(struct worker_pool *, worker_pool_free);

/* Workers that have not ended. */
size_t worker_pool_count(const struct worker_pool *pool);

/*
 * Starts a worker on a port; handler and userdata must outlive it. Below the directories of files,
 * which are borrowed, lies all that the worker will ever be let to open.
 */
_must_check_ int worker_pool_open(struct worker_pool *pool, const struct worker_open *open,
				  const struct worker_files *files,
				  const struct worker_handler *handler, void *userdata,
				  struct worker **ret);

/*
 * Starts a worker that checks the files below files' directory against their manifest, and if there
 * is a twin, compares with that; both are borrowed.
 */
_must_check_ int worker_pool_check(struct worker_pool *pool, const struct worker_check *check,
				   const struct worker_files *files,
				   const struct worker_handler *handler, void *userdata,
				   struct worker **ret);

/* What a check that ended well found to be the same in the twin; for its handler's ended(). */
const struct worker_done *worker_result(const struct worker *worker);

/* Gives a worker that has identified its watch its job; files are borrowed. */
_must_check_ int worker_read(struct worker *worker, const struct worker_read *read,
			     const struct worker_files *files);

/* Asks it to end at the next block, and kills it when it does not within a few seconds. */
void worker_stop(struct worker *worker);
bool worker_is_stopping(const struct worker *worker);
