/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the daemon has said so far, and whether it stands by it after a restart: the jobs, the
 * catalogue, the directories. Anything that does not fit ends the test.
 */

#include "tests/integration/faults/faults.h"

#define MODEL_JOBS_MAX    8192
#define MODEL_BACKUPS_MAX 2048
#define MODEL_ID_MAX      128

/* What was last acknowledged of a job; nothing while a change of it was under way in a crash. */
enum claim { CLAIM_NOTHING, CLAIM_CANCELLED, CLAIM_RETRIED, CLAIM_DONE };

struct model_job {
	int64_t id;
	enum claim claim;
	enum job_state state; /* at the last check */
	bool reads;           /* it is for the slot with a watch */
	char backup[MODEL_ID_MAX];
};

struct model_backup {
	char id[MODEL_ID_MAX];
	bool there;   /* at the last check */
	bool removed; /* acknowledged */
};

struct model {
	const struct rig *rig;
	const char *image; /* what every backup has to be */
	struct model_job jobs[MODEL_JOBS_MAX];
	size_t n_jobs;
	struct model_backup backups[MODEL_BACKUPS_MAX];
	size_t n_backups;
	uint64_t lost;
};

/* A job whose id was acknowledged. */
struct model_job *model_add(struct model *model, int64_t id);

/* Looks at everything, with a daemon that has just started and has no ports: no job runs. */
void model_check(struct model *model);
