/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Carries out what retention.h decides: watch by watch, a few backups for each turn of the event
 * loop, behind all else that it has to do. Each removal is logged and audited.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/policy/retention.h"
#include "protocol/base/cleanup.h"

struct archive;
struct pruner;
struct store;

/* Store, archive and rules are borrowed; the rules may change in between. */
_must_check_ int pruner_new(sd_event *event, struct store *store, struct archive *archive,
			    const struct retention_rules *rules, struct pruner **ret);

/* Ends what runs with -ECANCELED. */
void pruner_free(struct pruner *pruner);
DEFINE_CLEANUP(struct pruner *, pruner_free);

struct prune_handler {
	/* backup goes, or would, because of decision. Both are borrowed. */
	void (*decided)(const struct backup *backup, const struct retention_decision *decision,
			void *userdata);
	/* All watches are done; error: the first that happened, 0 for none. */
	void (*ended)(int error, void *userdata);
};

/*
 * Looks at all watches. With dry_run nothing is removed. uid is who the audit will name; handler may
 * be NULL. -EBUSY while another such run is under way.
 */
_must_check_ int pruner_run(struct pruner *pruner, uid_t uid, bool dry_run,
			    const struct prune_handler *handler, void *userdata);

/* Looks at one watch, which has a new backup; what is too much for one turn waits for the next day. */
void pruner_look_at(struct pruner *pruner, const char *meid);

/* Looks at all watches now and once a day from then on, where the rules ask for it. */
void pruner_start(struct pruner *pruner);

/*
 * Removes the oldest backups that may go until as much as wanted is free, a few at once. Only where
 * the rules say make-room. True when there is more to look at: call it again, after everybody else.
 */
bool pruner_make_room(struct pruner *pruner, uint64_t wanted);
