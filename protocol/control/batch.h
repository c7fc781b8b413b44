/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A batch is the jobs that carry the label batch=NAME, and nothing else: type Batch of the interface.
 * What its jobs say of their watches is in labels, too.
 */

#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"

struct json_object;
struct problem;

/* The keys of labels that have a meaning in a batch. */
#define LABEL_BATCH    "batch"
#define LABEL_TICKET   "ticket"
#define LABEL_CUSTOMER "customer"
#define LABEL_IMEI     "imei"
#define LABEL_NOTE     "note"

struct batch {
	char *name;
	uint64_t created;  /* its first job; real time, microseconds */
	uint64_t finished; /* when its last job ended; 0: not all have */
	uint64_t jobs[_JOB_STATE_MAX];
};

void batch_clear(struct batch *batch);
_must_check_ int batch_to_json(const struct batch *batch, struct json_object **ret);
_must_check_ int batch_from_json(struct json_object *object, struct batch *ret,
				 struct problem *problem);
