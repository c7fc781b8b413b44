/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Small trees of files, walked by directory descriptors and without following a link. A tree deeper
 * than ARCHIVE_TREE_DEPTH is refused (-ELOOP): a backup has two levels, so that one is not ours.
 */

#include "protocol/base/cleanup.h"

#define ARCHIVE_TREE_DEPTH 8

/*
 * Makes a tree fit to be kept: only regular files and directories in it (-EBADMSG), modes 0640 and
 * 0750, everything on the disk, the directory fd (borrowed) itself last.
 */
_must_check_ int archive_tree_settle(int fd);

/* Removes name below parent with all that is in it; -ENOENT when it is not there. */
_must_check_ int archive_tree_remove(int parent, const char *name);
