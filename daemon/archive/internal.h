/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the archive share: its directories by descriptor, and the names in them. */

#include <stdint.h>

#include "daemon/archive/archive.h"
#include "protocol/base/cleanup.h"

#define ARCHIVE_JOB_NAME_SIZE 24 /* a 64-bit number in decimal */

struct archive {
	int state;
	int staging;
	int backups;
	int trash; /* what is being removed */
	int lock;
	char *path; /* of backups, absolute */
};

/* Opens a directory, never through a link. */
_must_check_ int archive_open_directory(int parent, const char *name);

/* The same, made durably when missing. */
_must_check_ int archive_make_directory(int parent, const char *name);

/* The directory of a job below staging/; -EINVAL for a number that no job has. */
_must_check_ int archive_job_name(int64_t job, char ret[ARCHIVE_JOB_NAME_SIZE]);

/* The directories below backups/ of a valid id. */
void archive_month_of(const char *id, char year[5], char month[3]);

/* Opens backups/YYYY/MM of an id; -ENOENT also for an id that is not valid. */
_must_check_ int archive_open_month(const struct archive *archive, const char *id);
