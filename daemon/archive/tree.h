/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Small trees of files, walked by directory descriptors and without following a link. A tree deeper
 * than ARCHIVE_TREE_DEPTH is refused (-ELOOP): a backup has two levels, so that one is not ours.
 */

#include "protocol/base/cleanup.h"

#define ARCHIVE_TREE_DEPTH 8

struct settling;

/*
 * Makes a tree fit to be kept: only regular files and directories in it, modes 0640 and 0750,
 * everything on the disk, the directory fd (borrowed for the moment) itself last. In steps, each of
 * which waits for the disk once at the most.
 */
_must_check_ int settling_new(int fd, struct settling **ret);
void settling_free(struct settling *settling);
DEFINE_CLEANUP(struct settling *, settling_free);

/* 1: there is more to do; 0: all is settled; -EBADMSG for anything else in it, or what failed. */
_must_check_ int settling_step(struct settling *settling);

/* Removes name below parent with all that is in it; -ENOENT when it is not there. */
_must_check_ int archive_tree_remove(int parent, const char *name);
