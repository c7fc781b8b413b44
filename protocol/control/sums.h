/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA256SUMS of a backup: the list of its files, in the form of sha256sum. */

#include <stddef.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"

#define SUMS_FILE "SHA256SUMS"

struct sum {
	char *name; /* a plain path: it stays below the backup */
	char sha256[DIGEST_HEX_SIZE];
};

struct sums {
	struct sum *items; /* in the order of the file */
	size_t n;
};

void sums_clear(struct sums *sums);

/*
 * Reads it below a directory. -EBADMSG with *ret_why, a static phrase, when it is not of that form;
 * -ENOENT, -EFBIG over LIMIT_MANIFEST_BYTES, -ENOMEM, or the errno of the read.
 */
_must_check_ int sums_read(int dirfd, struct sums *ret, const char **ret_why);
