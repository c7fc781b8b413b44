/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The directory into which one job reads: an image and a map of it for each range, the map of what
 * was read twice, and the state. Everything is opened below the one descriptor that the daemon
 * passed; the worker knows no path.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/worker/staging-state.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/control/failure.h"
#include "protocol/control/job.h"
#include "protocol/device/read-map.h"

#define STAGING_FILE_MODE 0640

/* An image that is being read; its name, start and length are in the state. */
struct staged_image {
	int fd;
	struct read_map *done;
	struct read_map *verified;
	char sha256[DIGEST_HEX_SIZE];
};

struct staging {
	int dir; /* owned */
	struct staging_state state;
	struct staged_image *images; /* as many as state.ranges, NULL before staging_open_images */
	bool resumed;                /* an earlier attempt left bytes that were taken over */
};

/*
 * Takes dir. Takes over what an earlier attempt left when it fits the request, and begins afresh
 * when it does not. Another watch's bytes are never mixed in: FAILURE_WRONG_WATCH.
 */
_must_check_ int staging_open(struct staging *staging, int dir, const struct job_request *request,
			      const char *chip, const char *meid, struct failure *failure);
void staging_close(struct staging *staging);

_must_check_ int staging_save_state(struct staging *staging);

/* The ranges of the job's scatter file instead of those of the request, before images are opened. */
_must_check_ int staging_replace_ranges(struct staging *staging, const struct range *ranges,
					size_t n);

/* True for a name that the backup or the staging itself uses, or that is not fit for a file. */
bool staging_name_is_reserved(const char *name);

/* Once the lengths are known: opens images and maps, and sees whether the rest has room. */
_must_check_ int staging_open_images(struct staging *staging, struct failure *failure);

/* Writes a piece of an image; the disk begins with it soon, so that a checkpoint is short. */
_must_check_ int staging_write(struct staging *staging, size_t index, uint64_t offset,
			       const void *data, size_t size);

/* Makes an image durable, then the map of it (of what is verified, when verifying). */
_must_check_ int staging_checkpoint(struct staging *staging, size_t index, bool verifying);

/* Bytes of all images, and how many are there (or verified) already. */
uint64_t staging_total(const struct staging *staging);
uint64_t staging_done(const struct staging *staging, bool verifying);

/* Makes the images durable for good and digests them. */
_must_check_ int staging_seal(struct staging *staging, struct failure *failure);

/* Takes away all but the images and the papers: what is left is the backup. */
_must_check_ int staging_tidy(struct staging *staging);

/* Fills *failure with what an error of a file means: no space, or the archive's. Returns error. */
int staging_explain(int error, const char *name, struct failure *failure);
