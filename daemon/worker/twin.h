/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An older backup that should have the same bytes. What has them, read from both and compared, can
 * be stored once. Nothing that is wrong with the twin is an error here: then it is no twin.
 */

#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/worker-message.h"

struct twin {
	int dir;                 /* borrowed; -1: there is none */
	struct worker_done same; /* what was found so far; worker_done_clear() it */
};

/*
 * Notes name when the twin has a regular file of that name with the same size bytes as fd. They are
 * read from the disk, not from what memory holds of them: a file that has rotted is not the same.
 */
void twin_compare(struct twin *twin, const char *name, int fd, uint64_t size);

/* Has the kernel forget what it holds of a file, so that the next read asks the disk. */
void twin_forget_cached(int fd);
