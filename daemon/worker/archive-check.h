/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Checks a finished backup: the manifest is well formed, every image has its size and digest, and
 * SHA256SUMS agrees with all of it. Reads only, and compares with a twin what is as it should be.
 */

#include <stdbool.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"

struct twin;

/*
 * again: reads from the disk. 0, or -EBADMSG with FAILURE_ARCHIVE_ERROR naming the file and what
 * differs; or another errno with another failure when that could not be found out.
 */
_must_check_ int archive_check(int dir, bool again, struct twin *twin, struct failure *failure);
