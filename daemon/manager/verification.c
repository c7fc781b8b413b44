/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A backup is read again, by a process of its own, and the catalogue keeps what came out. */

#include "daemon/manager/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"

struct verification {
	struct manager *manager;
	char *id;
	manager_verified verified;
	void *userdata;
};

static void verification_free(struct verification *verification)
{
	free(verification->id);
	free(verification);
}
DEFINE_CLEANUP(struct verification *, verification_free);

/* A check that was stopped or broke says nothing about the backup. */
static enum verdict verdict_of(const struct failure *failure)
{
	if (failure->code == FAILURE_NONE)
		return VERDICT_WHOLE;
	return failure->code == FAILURE_ARCHIVE_ERROR ? VERDICT_DAMAGED : VERDICT_NONE;
}

static void on_checked(_unused_ struct worker *worker, const struct failure *failure,
		       void *userdata)
{
	struct verification *verification = userdata;
	struct manager *manager = verification->manager;
	enum verdict verdict = verdict_of(failure);
	struct failure unnoted = { 0 };
	int r = 0;

	manager->n_verifications--;
	if (verdict == VERDICT_DAMAGED)
		log_event(LOG_ERR,
			  &(struct log_context){ .id = LOG_ID_BACKUP_DAMAGED,
						 .backup = verification->id },
			  "backup %s is damaged: %s", verification->id, failure->message ?: "?");
	if (verdict != VERDICT_NONE)
		r = store_set_verified(manager->store, verification->id, time_real(),
				       verdict == VERDICT_DAMAGED);
	if (r == -ENOENT) {
		verdict = VERDICT_GONE;
	} else if (r < 0) {
		(void)failure_set(&unnoted, FAILURE_ARCHIVE_ERROR, NULL,
				  "the verification cannot be noted: %s",
				  store_error_text(manager->store));
		/* Damage is to be told whether it could be noted or not. */
		if (verdict == VERDICT_WHOLE) {
			verdict = VERDICT_NONE;
			failure = &unnoted;
		}
		log_error("backup %s: %s", verification->id, unnoted.message ?: "out of memory");
	}
	verification->verified(verification->id, verdict, failure, verification->userdata);
	failure_clear(&unnoted);
	verification_free(verification);
}

int manager_verify(struct manager *manager, const char *id, manager_verified verified,
		   void *userdata)
{
	static const struct worker_handler handler = { .ended = on_checked };
	_cleanup_(verification_freep) struct verification *verification = NULL;
	static const struct worker_check again = { .again = true };
	_cleanup_(worker_files_close) struct worker_files files = WORKER_FILES_NONE;
	struct worker *worker;
	int r;

	files.fds[WORKER_FILE_DIRECTORY] = archive_open_backup(manager->archive, id);
	if (files.fds[WORKER_FILE_DIRECTORY] < 0)
		return files.fds[WORKER_FILE_DIRECTORY];
	if (manager->n_verifications >= LIMIT_VERIFICATIONS)
		return -EDQUOT;
	verification = calloc(1, sizeof(*verification));
	if (!verification || str_replace(&verification->id, id) < 0)
		return -ENOMEM;
	verification->manager = manager;
	verification->verified = verified;
	verification->userdata = userdata;
	r = worker_pool_check(manager->pool, &again, &files, &handler, verification, &worker);
	if (r < 0)
		return r;
	manager->n_verifications++;
	verification = NULL;
	return 0;
}
