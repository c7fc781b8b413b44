/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * state.json in a staging directory: what an attempt knew, so that the next one resumes. It is gone
 * when the backup is complete.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/worker/flash-size.h"
#include "protocol/base/cleanup.h"

#define STAGING_STATE_FILE "state.json"
#define STAGING_JEDEC_SIZE 3U

struct state_range {
	char *name;
	uint64_t start;
	uint64_t asked;  /* as requested: bytes or RANGE_AUTO */
	uint64_t length; /* bytes, 0 before it is known */
};

struct staging_state {
	char *chip;
	char *meid; /* NULL: the watch has none to tell */
	struct state_range *ranges;
	size_t n_ranges;
	bool scattered;      /* the ranges are those of the job's scatter file */
	bool resolved;       /* lengths, flash_size and evidence are known */
	uint64_t flash_size; /* 0: not known */
	struct evidence_list evidence;
	uint8_t jedec[STAGING_JEDEC_SIZE]; /* that the flash itself gave, where it was asked */
	bool has_jedec;
	uint64_t probing;   /* flash address of a probe that was begun and not ended, 0: none */
	bool agent;         /* read through a download agent, so that the rest is, too */
	bool raising_speed; /* of a UART: begun and not ended; it is not tried again */
	double seconds;     /* spent by all attempts so far */
	uint64_t retries;
};

void staging_state_clear(struct staging_state *state);

/* -ENOENT when there is none, -EBADMSG for one that does not hold together, -ENOMEM. */
_must_check_ int staging_state_load(int dir, struct staging_state *ret);

/* Durable. */
_must_check_ int staging_state_save(int dir, const struct staging_state *state);
