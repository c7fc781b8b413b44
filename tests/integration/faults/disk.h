/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bench whose disk has a fault for a while: a job under it, and its end after it. */

#include "tests/integration/faults/faults.h"

struct disk {
	struct faults *faults;
	char image[128];
	struct row *row;
	unsigned int refused, failed, done; /* jobs: by Submit, then retried, without a retry */
};

/* The daemon runs, on the disk that everything is on. */
void disk_open(struct disk *disk, struct faults *faults, struct row *row);

/* The id of a job, 0 when it was refused, which is to be told with an error. */
int64_t disk_submit(struct disk *disk);

/* In another slot each time: one that was read just now waits for its watch to leave. */
void disk_plug(struct disk *disk, struct watch *watch);
void disk_unplug(struct disk *disk, struct watch *watch);

/* For as long as it has something to do; a commit that the disk refuses is not told. */
void disk_let_run(const struct disk *disk, int64_t id);

/*
 * The disk is well again: a job that had failed for that, by name, is retried. Its backup is compared
 * and removed.
 */
void disk_finish(struct disk *disk, int64_t id);

/* From here on mounts are this process's own; false where that is not allowed. */
bool disk_have_namespace(void);

/* A page of the database becomes what other programs or a bad sector leave. */
void disk_spoil_database(const struct rig *rig, uint64_t offset);

/* Bytes of a backup that are not there; the catalogue must have it, and as the newest. */
uint64_t disk_lost_from_catalogue(const struct disk *disk, const char *id);
