/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The durable memory: jobs and the catalogue of backups, in one SQLite database (WAL,
 * synchronous=FULL). When a function that changes something returns 0, the change survives a power
 * cut. Nothing else in the project knows SQL.
 *
 * Errors: -ENOENT no such row, -ENOSPC, -EROFS, -EBUSY (locked by another program), -EUCLEAN (the
 * database, or the row that was asked for, is damaged), -EINVAL (a time or size beyond int64_t, a
 * label twice), -ENOMEM, -EIO; store_error_text says more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/audit.h"
#include "protocol/control/backup.h"
#include "protocol/control/hook.h"
#include "protocol/control/job.h"

struct slot_settings;
struct batch;
struct store;

/* Opens or creates path (mode 0640), migrates older schemas, refuses newer ones (-EPROTONOSUPPORT). */
_must_check_ int store_open(const char *path, struct store **ret);
void store_close(struct store *store);
DEFINE_CLEANUP(struct store *, store_close);

/* SQLite's own words about the last failure; valid until the next call. */
const char *store_error_text(const struct store *store);

/*
 * Several changes as one: what stands between begin and end is stored as a whole or not at all. They
 * nest, so each function below may be used in between. store_end commits when r is not negative and
 * undoes everything else; its result is the outcome of both. A failure inside must reach the
 * outermost store_end, and nobody may be told of a change before that returned 0.
 */
_must_check_ int store_begin(struct store *store);
_must_check_ int store_end(struct store *store, int r);

/*
 * Adds one job per element, with the labels of its request, in one transaction, fills in their ids.
 * All of them are stored durably, or none.
 */
_must_check_ int store_add_jobs(struct store *store, struct job *jobs, size_t n);

/* Writes state, times (not created), port, backup, failure and attempts of job->id; progress is never stored. */
_must_check_ int store_update_job(struct store *store, const struct job *job);

/*
 * A finished backup and its job's new state, in one transaction: neither is ever seen without the
 * other. job may be NULL (a backup found by reconciliation). An existing row of that id is replaced.
 */
_must_check_ int store_add_backup(struct store *store, const struct backup *backup,
				  const struct job *job);

_must_check_ int store_get_job(struct store *store, int64_t id, struct job *ret);

struct job_filter {
	unsigned int states;        /* bit per enum job_state, 0: all */
	const struct label *labels; /* all must match those of the request */
	size_t n_labels;
	uint64_t since; /* created or finished not before this real time in microseconds, 0: any */
	int64_t before; /* only ids below it, 0: no bound */
	size_t limit;   /* 0: no bound */
};

/*
 * Newest first. The caller frees each with job_clear and the array. With labels the work grows with
 * the jobs that have the first of them, with since with those as new; never with all there are.
 */
_must_check_ int store_list_jobs(struct store *store, const struct job_filter *filter,
				 struct job **ret, size_t *ret_n);

/*
 * The limit (0: all) batches that were added to last, the newest first. The work grows with their jobs,
 * and with the names of all batches, which are a few steps in an index each. The caller frees each with
 * batch_clear and the array.
 */
_must_check_ int store_list_batches(struct store *store, size_t limit, struct batch **ret,
				    size_t *ret_n);

/* All unfinished jobs (queued, running, waiting), oldest first: what the daemon keeps in memory. */
_must_check_ int store_load_unfinished(struct store *store, struct job **ret, size_t *ret_n);

/* Number of jobs in each state, cheap even with a hundred thousand of them. */
_must_check_ int store_count_jobs(struct store *store, uint64_t ret[_JOB_STATE_MAX]);

#define STORE_DIGEST_DIGITS_MIN 8U /* of a digest that backups are looked for by */

/* NULL and 0 of any member: no bound. What is given must all hold. */
struct backup_filter {
	const char *chip;           /* case-insensitive, as are firmware and words */
	const char *meid;           /* case-insensitive too */
	const char *firmware;       /* all of it */
	const char *sha256;         /* its first digits, STORE_DIGEST_DIGITS_MIN at least */
	const struct label *labels; /* key and value */
	size_t n_labels;
	const char *const *words; /* each in id, chip, ME ID, firmware or the value of a label */
	size_t n_words;
	uint64_t since, until;          /* real time in microseconds; both inclusive */
	bool has_health;                /* then health is known, and … */
	int64_t health_min, health_max; /* … in between, inclusive */
	bool damaged;                   /* only those that the last verification found damaged */
	bool has_newer;                 /* only those of whose watch (ME ID) there is a newer one */
	const char *before; /* id, which may be gone by now: only what the list has behind it */
	/*
	 * Only those that were last verified before it; then these do not come newest first but in
	 * the order in which they are due: unverified for longest.
	 */
	uint64_t not_verified_since;
	bool oldest_first;
	size_t limit;
};

/*
 * Newest first, unless the filter says otherwise; the labels of each in order of key. -EINVAL when
 * before is neither the id of a row nor has the form of an id.
 */
_must_check_ int store_list_backups(struct store *store, const struct backup_filter *filter,
				    struct backup **ret, size_t *ret_n);

/* What a start holds against the directories. */
struct backup_key {
	char *id;
	bool complete; /* false: an earlier version wrote the row, and not all that is known now */
};
void backup_keys_free(struct backup_key *keys, size_t n);

/* Those of all backups, in order of id (strcmp). The caller frees them with backup_keys_free. */
_must_check_ int store_list_backup_keys(struct store *store, struct backup_key **ret,
					size_t *ret_n);
_must_check_ int store_get_backup(struct store *store, const char *id, struct backup *ret);
_must_check_ int store_remove_backup(struct store *store, const char *id);

/* The ME ID behind this one (NULL: the first) in the catalogue, which the caller frees; -ENOENT. */
_must_check_ int store_next_watch(struct store *store, const char *meid, char **ret);

/* All of it was read again at that real time, and this came out. -ENOENT. */
_must_check_ int store_set_verified(struct store *store, const char *id, uint64_t when,
				    bool damaged);

/* The id (the caller frees it) of the oldest backup with that content that is whole; -ENOENT. */
_must_check_ int store_find_twin(struct store *store, const char *content, char **ret);

/* When the newest backup of this ME ID was made (real time), 0 when there is none. */
_must_check_ int store_last_backup_of(struct store *store, const char *meid, uint64_t *ret);

/*
 * Notes who did what, in the transaction of the deed where that is a change of the store. Entries
 * are never changed and never removed: the table refuses both. Each deed adds one of some hundred
 * bytes, a submit one for each job, so the audit grows more slowly than the jobs beside it. object
 * and detail may be NULL; their length is the caller's to bound.
 */
_must_check_ int store_add_audit(struct store *store, uid_t uid, enum audit_action action,
				 const char *object, const char *detail);

/* The same of a job. */
_must_check_ int store_audit_job(struct store *store, uid_t uid, enum audit_action action,
				 int64_t id, const char *detail);

/* Changes together with the entry of who did them: both or neither. */

/* store_add_jobs, submitted by the owner of each. */
_must_check_ int store_submit_jobs(struct store *store, struct job *jobs, size_t n);
/* store_update_job of one that uid wants to run again. */
_must_check_ int store_retry_job(struct store *store, const struct job *job, uid_t uid);
/* store_remove_backup, by hand (AUDIT_REMOVE) or by the rules (AUDIT_PRUNE). */
_must_check_ int store_let_go(struct store *store, const char *id, uid_t uid,
			      enum audit_action action, const char *detail);

struct audit_filter {
	uint64_t since; /* real time in microseconds, 0: no bound */
	uint64_t until; /* 0: no bound */
	int64_t before; /* only ids below it, 0: no bound */
	bool has_action, has_uid;
	enum audit_action action;
	uid_t uid;
	const char *object; /* NULL: any */
	size_t limit;       /* 0: no bound */
};

/* Newest first. The caller frees each with audit_entry_clear and the array. */
_must_check_ int store_list_audit(struct store *store, const struct audit_filter *filter,
				  struct audit_entry **ret, size_t *ret_n);

/* What was said of slots with `mtkrbctl slot`, in bench order. The caller clears it. */
_must_check_ int store_load_slots(struct store *store, struct slot_settings *ret);

/*
 * Puts settings in the place of all that was said before, and notes in the audit that uid changed
 * slot.
 */
_must_check_ int store_save_slots(struct store *store, const struct slot_settings *settings,
				  uid_t uid, const char *slot, const char *detail);

/*
 * The programs that run after a job. That they are wanted is stored with the job's end and stands
 * until their results are: what ran when the daemon was killed runs again.
 */
_must_check_ int store_want_hooks(struct store *store, int64_t job);

struct hooks_wanted {
	int64_t job;
	int64_t ends; /* of the job, since its hooks last ran: one run does for all of them */
};

/* Up to n jobs whose hooks are wanted, the oldest first. */
_must_check_ int store_wanted_hooks(struct store *store, struct hooks_wanted *ret, size_t n,
				    size_t *ret_n);

/*
 * The results, in the place of those of an earlier end of the job; no more wanted, unless the job was
 * retried and ended again since wanted was read.
 */
_must_check_ int store_set_hooks(struct store *store, const struct hooks_wanted *wanted,
				 const struct hook_result *results, size_t n);

/* The caller frees them with hook_results_free; none when none ran. */
_must_check_ int store_get_hooks(struct store *store, int64_t job, struct hook_result **ret,
				 size_t *ret_n);

/* What is worth watching for years; all of it cheap to tell, however much is stored. */
struct store_totals {
	uint64_t backups, backup_bytes, damaged;
	uint64_t last_backup; /* real time of the newest, 0: none */
	/*
	 * Of the backup that was not verified for longest: when it last was, or, never, when it was
	 * made. 0: there is none.
	 */
	uint64_t longest_unverified;

	/* Only ever grow: */
	uint64_t ended[_JOB_STATE_MAX]; /* jobs that ended so; a retried one may end again */
	uint64_t read_bytes;            /* of the backups that were made */
	uint64_t done_usec;             /* from the start to the end of the jobs that are done */
};

_must_check_ int store_get_totals(struct store *store, struct store_totals *ret);
