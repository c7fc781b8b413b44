/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/prune.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/archive/archive.h"
#include "daemon/log-ids.h"
#include "daemon/log.h"
#include "daemon/store/store.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define AT_ONCE 4U /* removals in one turn of the loop: each waits for the disk */
#define ROOM_LOOK \
	256U /* backups that are looked at to make room, the oldest that a newer one follows */
#define DAY_USEC     (86400 * USEC_PER_SEC)
#define DAY_ACCURACY (60 * USEC_PER_SEC)

struct pruner {
	sd_event_source *step, *daily;
	struct store *store;
	struct archive *archive;
	const struct retention_rules *rules;

	/* The run through all watches that is under way. */
	bool running, dry_run;
	uid_t uid;
	const struct prune_handler *handler;
	void *userdata;
	char *watch; /* the ME ID looked at last, NULL: none yet */
	bool again;  /* there was more to do on it than one turn holds */
	int error;

	uint64_t room_since; /* made before it: looked at already for room, and nothing may go */
};

/* The backups of one watch, and what is to become of each. */
struct watch_backups {
	struct backup *backups;
	struct retention_decision *decisions;
	size_t n;
};

static void watch_backups_clear(struct watch_backups *watch)
{
	for (size_t i = 0; i < watch->n; i++)
		backup_clear(&watch->backups[i]);
	free(watch->backups);
	free(watch->decisions);
}

static int decide_on(const struct pruner *pruner, const char *meid, struct watch_backups *ret)
{
	struct backup_filter filter = { .meid = meid };
	_cleanup_(watch_backups_clear) struct watch_backups watch = { 0 };
	int r;

	r = store_list_backups(pruner->store, &filter, &watch.backups, &watch.n);
	if (r < 0)
		return r;
	watch.decisions = calloc(watch.n + 1, sizeof(*watch.decisions));
	if (!watch.decisions)
		return -ENOMEM;
	retention_decide(watch.backups, watch.n, pruner->rules, time_real(), watch.decisions);
	*ret = TAKE_STRUCT(watch);
	return 0;
}

/* Removes one, after a look whether the newer one really stands for it. 1 when it is gone. */
static int let_go(const struct pruner *pruner, const struct backup *backup,
		  const struct retention_decision *decision, uid_t uid)
{
	_cleanup_free_ char *why = NULL, *reason = NULL;
	struct log_context context = { .id = LOG_ID_BACKUP_REMOVED, .backup = backup->id };
	int r = archive_stands_for(pruner->archive, decision->successor->id, backup->id, &why);

	if (r < 0) {
		log_warning("backup %s is kept: the newer %s does not stand for it: %s", backup->id,
			    decision->successor->id, why ?: strerrordesc_np(-r));
		return 0;
	}
	reason = str_format("%s; %s stays", retention_verdict_to_string(decision->verdict),
			    decision->successor->id);
	r = reason ? store_let_go(pruner->store, backup->id, uid, AUDIT_PRUNE, reason) : -ENOMEM;
	if (r >= 0)
		r = archive_remove_backup(pruner->archive, backup->id);
	if (r == -ENOENT) /* it had no directory any more */
		r = 0;
	if (r < 0) {
		log_error("backup %s cannot be removed: %s", backup->id, strerrordesc_np(-r));
		return r;
	}
	log_event(LOG_NOTICE, &context, "backup %s removed: %s", backup->id, reason);
	return 1;
}

/* Removes what goes of one watch, the oldest first; 1 when there was too much for one turn. */
static int prune_watch(const struct pruner *pruner, const char *meid, uid_t uid,
		       const struct prune_handler *handler, void *userdata)
{
	_cleanup_(watch_backups_clear) struct watch_backups watch = { 0 };
	unsigned int removed = 0;
	int r = decide_on(pruner, meid, &watch);

	for (size_t i = watch.n; i > 0 && r >= 0; i--) {
		if (watch.decisions[i - 1].verdict != RETENTION_BEYOND_LAST)
			continue;
		if (removed == AT_ONCE)
			return 1;
		r = let_go(pruner, &watch.backups[i - 1], &watch.decisions[i - 1], uid);
		if (r <= 0)
			continue;
		removed++;
		if (handler)
			handler->decided(&watch.backups[i - 1], &watch.decisions[i - 1], userdata);
	}
	return r < 0 ? r : 0;
}

/* The rows do not say which part of the flash a backup holds, nor whether it is still all there. */
static void confirm(const struct pruner *pruner, const struct backup *backup,
		    struct retention_decision *decision)
{
	_cleanup_free_ char *why = NULL;

	if (retention_may_go(decision->verdict) &&
	    archive_stands_for(pruner->archive, decision->successor->id, backup->id, &why) < 0)
		*decision = (struct retention_decision){ .verdict = RETENTION_NO_SUCCESSOR };
}

static int tell_of_watch(const struct pruner *pruner, const char *meid)
{
	_cleanup_(watch_backups_clear) struct watch_backups watch = { 0 };
	int r = decide_on(pruner, meid, &watch);

	for (size_t i = 0; i < watch.n && r >= 0; i++) {
		confirm(pruner, &watch.backups[i], &watch.decisions[i]);
		pruner->handler->decided(&watch.backups[i], &watch.decisions[i], pruner->userdata);
	}
	return r;
}

/* ---- all watches, one after the other ---- */

static void end_run(struct pruner *pruner, int error)
{
	const struct prune_handler *handler = pruner->handler;

	(void)sd_event_source_set_enabled(pruner->step, SD_EVENT_OFF);
	free(TAKE_PTR(pruner->watch));
	pruner->running = false;
	pruner->handler = NULL;
	if (handler)
		handler->ended(error < 0 ? error : pruner->error, pruner->userdata);
}

/* The watch whose turn it is; 0 when all had theirs. */
static int next_watch(struct pruner *pruner)
{
	char *next;
	int r = store_next_watch(pruner->store, pruner->watch, &next);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	free(pruner->watch);
	pruner->watch = next;
	return 1;
}

static int on_step(_unused_ sd_event_source *source, void *userdata)
{
	struct pruner *pruner = userdata;
	int r = pruner->again ? 1 : next_watch(pruner);

	if (r <= 0) {
		end_run(pruner, r);
		return 0;
	}
	r = pruner->dry_run ? tell_of_watch(pruner, pruner->watch)
			    : prune_watch(pruner, pruner->watch, pruner->uid, pruner->handler,
					  pruner->userdata);
	pruner->again = r > 0;
	if (r < 0 && pruner->error >= 0)
		pruner->error = r;
	return 0;
}

int pruner_run(struct pruner *pruner, uid_t uid, bool dry_run, const struct prune_handler *handler,
	       void *userdata)
{
	if (pruner->running)
		return -EBUSY;
	pruner->running = true;
	pruner->dry_run = dry_run;
	pruner->uid = uid;
	pruner->handler = handler;
	pruner->userdata = userdata;
	pruner->error = 0;
	pruner->again = false;
	(void)sd_event_source_set_enabled(pruner->step, SD_EVENT_ON);
	return 0;
}

/* ---- by itself ---- */

void pruner_look_at(struct pruner *pruner, const char *meid)
{
	if (pruner->rules->keep_last > 0)
		(void)prune_watch(pruner, meid, getuid(), NULL, NULL);
}

static int on_day(sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	struct pruner *pruner = userdata;

	/* One that somebody asked for and that is under way does as well. */
	if (pruner->rules->keep_last > 0 && !pruner->running &&
	    pruner_run(pruner, getuid(), false, NULL, NULL) < 0)
		log_error("old backups are not removed today");
	(void)sd_event_source_set_time_relative(source, DAY_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void pruner_start(struct pruner *pruner)
{
	(void)sd_event_source_set_time_relative(pruner->daily, 0);
	(void)sd_event_source_set_enabled(pruner->daily, SD_EVENT_ONESHOT);
}

/* ---- room ---- */

/* What shares its image with another one frees next to nothing: equal images are stored once. */
static bool frees_room(const struct watch_backups *watch, size_t at)
{
	for (size_t i = 0; i < watch->n; i++)
		if (i != at && streq(watch->backups[i].sha256, watch->backups[at].sha256))
			return false;
	return true;
}

/* 1 when it is gone. */
static int let_go_for_room(const struct pruner *pruner, const struct backup *backup)
{
	_cleanup_(watch_backups_clear) struct watch_backups watch = { 0 };
	int r = decide_on(pruner, backup->meid, &watch);

	for (size_t i = 0; i < watch.n && r >= 0; i++)
		if (streq(watch.backups[i].id, backup->id))
			return retention_may_go(watch.decisions[i].verdict) && frees_room(&watch, i)
				       ? let_go(pruner, backup, &watch.decisions[i], getuid())
				       : 0;
	return r;
}

static bool has_room(const struct pruner *pruner, uint64_t wanted)
{
	uint64_t free_bytes;

	return archive_free_space(pruner->archive, &free_bytes) < 0 || free_bytes >= wanted;
}

/* Lets go what may, of a page of them; *ret_removed, and an error where one could not be removed. */
static int make_room_of(const struct pruner *pruner, const struct backup *backups, size_t n,
			uint64_t wanted, unsigned int *ret_removed)
{
	unsigned int removed = 0;
	int r = 0;

	/* What cannot be removed has lost its row for now: the next would lose theirs too. */
	for (size_t i = 0; i < n && r >= 0 && removed < AT_ONCE; i++) {
		if (has_room(pruner, wanted))
			break;
		r = let_go_for_room(pruner, &backups[i]);
		removed += r > 0;
	}
	*ret_removed = removed;
	return MIN_OF(r, 0);
}

bool pruner_make_room(struct pruner *pruner, uint64_t wanted)
{
	struct backup_filter oldest = { .oldest_first = true,
					.has_newer = true,
					.since = pruner->room_since,
					.limit = ROOM_LOOK };
	struct backup *backups = NULL;
	unsigned int removed = 0;
	size_t n = 0;
	int r;

	if (!pruner->rules->make_room ||
	    store_list_backups(pruner->store, &oldest, &backups, &n) < 0)
		return false;
	r = make_room_of(pruner, backups, n, wanted, &removed);
	/* Behind a page of which nothing may go there is another; behind the last one nothing. */
	if (r < 0 || removed > 0 || n < ROOM_LOOK)
		pruner->room_since = 0;
	else
		pruner->room_since = backups[n - 1].created + 1;
	for (size_t i = 0; i < n; i++)
		backup_clear(&backups[i]);
	free(backups);
	return r >= 0 && (removed > 0 || n == ROOM_LOOK);
}

/* ---- life ---- */

static int add_sources(struct pruner *pruner, sd_event *event)
{
	int r;

	r = sd_event_add_defer(event, &pruner->step, on_step, pruner);
	if (r >= 0)
		r = sd_event_source_set_enabled(pruner->step, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_priority(pruner->step, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_add_time(event, &pruner->daily, CLOCK_BOOTTIME, USEC_NEVER,
				      DAY_ACCURACY, on_day, pruner);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(pruner->step, "prune-step");
	(void)sd_event_source_set_description(pruner->daily, "prune-daily");
	return 0;
}

int pruner_new(sd_event *event, struct store *store, struct archive *archive,
	       const struct retention_rules *rules, struct pruner **ret)
{
	_cleanup_(pruner_freep) struct pruner *pruner = calloc(1, sizeof(*pruner));
	int r;

	if (!pruner)
		return -ENOMEM;
	pruner->store = store;
	pruner->archive = archive;
	pruner->rules = rules;
	r = add_sources(pruner, event);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(pruner);
	return 0;
}

void pruner_free(struct pruner *pruner)
{
	if (!pruner)
		return;
	if (pruner->running)
		end_run(pruner, -ECANCELED);
	sd_event_source_disable_unref(pruner->step);
	sd_event_source_disable_unref(pruner->daily);
	free(pruner->watch);
	free(pruner);
}
