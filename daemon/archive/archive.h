/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The directories below the state directory: staging/<job>/ while a worker writes, backups/YYYY/MM/
 * <id>/ for ever after. Publishing is one rename; a backup is whole or not there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/backup.h"
#include "protocol/control/manifest.h"

struct archive;
struct problem;

/*
 * Opens the state directory, makes what is missing in it (0750), and takes the lock that keeps a
 * second daemon away (-EALREADY when another one holds it).
 */
_must_check_ int archive_open(const char *state_directory, struct archive **ret);
void archive_close(struct archive *archive);
DEFINE_CLEANUP(struct archive *, archive_close);

/* Bytes free for us on the file system of the backups. */
_must_check_ int archive_free_space(const struct archive *archive, uint64_t *ret);

/* staging/, open for reading; borrowed. */
int archive_staging_directory(const struct archive *archive);

/* Opens staging/<job>/, made when missing: a directory descriptor, which the caller closes. */
_must_check_ int archive_open_staging(struct archive *archive, int64_t job);

/* True when an earlier attempt left something there. */
bool archive_has_staging(const struct archive *archive, int64_t job);

/* True when it holds a finished read: all that publishing looks at is as it should be. */
bool archive_is_read(const struct archive *archive, int64_t job);

/* Removes staging/<job>/ and what is in it; 0 when there is none. */
int archive_remove_staging(struct archive *archive, int64_t job);

/*
 * The row that a finished read in staging/<job>/ is going to have, to see what is known of its like;
 * -EBADMSG when archive_publish_begin would refuse it, -ENOENT without a staging.
 */
_must_check_ int archive_peek(const struct archive *archive, int64_t job, struct backup *ret);

/*
 * Has the named files of staging/<job>/ share their bytes with those of the same names in a
 * published backup, which somebody has compared. Either can be removed later without harm to the
 * other. A file for which it cannot be done (another owner, too many links, a full disk) stays as
 * it is: not stored once, but whole. *ret_bytes is what is stored once now. -ENOENT no such backup.
 */
_must_check_ int archive_share(struct archive *archive, int64_t job, const char *id,
			       char *const *names, size_t n, uint64_t *ret_bytes);

struct archive_publish;

/*
 * Makes the backup that a worker finished and a check confirmed public: reads its manifest (which
 * must belong to this job), checks the sizes of the files, fsyncs, renames, fsyncs the parents. Goes
 * by steps, between which the event loop can turn; without the last one nothing has happened.
 *
 * -EBADMSG with *ret_why (the caller frees it) when the staging is not what it should be (files of
 * resuming that are left, anything but files and directories); -ENOENT without a staging; -EEXIST;
 * else the errno of what failed. After a failed fsync of a parent the backup may be there already:
 * the walk at the next start finds it.
 */
_must_check_ int archive_publish_begin(struct archive *archive, int64_t job,
				       struct archive_publish **ret, char **ret_why);

/* Waits for the disk a few times at the most. 1: there is more to do; 0: done, *ret is its row. */
_must_check_ int archive_publish_step(struct archive_publish *publish, struct backup *ret,
				      char **ret_why);
void archive_publish_free(struct archive_publish *publish);
DEFINE_CLEANUP(struct archive_publish *, archive_publish_free);

/* A directory descriptor of a published backup; -ENOENT. */
_must_check_ int archive_open_backup(const struct archive *archive, const char *id);

/* Removes a published backup whole: renamed away first, so that it is never half there. */
_must_check_ int archive_remove_backup(struct archive *archive, const char *id);

/*
 * Calls found for every directory below backups/ (id is valid, manifest not read yet). A negative
 * return of found ends the walk with it.
 */
_must_check_ int archive_walk_backups(const struct archive *archive,
				      int (*found)(const char *id, void *userdata), void *userdata);

/* Calls found for every staging/<job>/. */
_must_check_ int archive_walk_staging(const struct archive *archive,
				      int (*found)(int64_t job, void *userdata), void *userdata);

/* Reads the manifest of a published backup into a catalogue row; -EBADMSG with *ret_why. */
_must_check_ int archive_read_backup(const struct archive *archive, const char *id,
				     struct backup *ret, char **ret_why);

/* The text of a published backup's manifest, which the caller frees; -EBADMSG with *ret_why. */
_must_check_ int archive_read_manifest(const struct archive *archive, const char *id, char **ret,
				       char **ret_why);

/*
 * Whether other can go because id is there: 0 when id holds every range of the watch that other holds,
 * and is true to its manifest as far as that can be seen without reading the image. An other that has
 * no directory holds nothing. -EBADMSG with *ret_why, -ENOENT.
 */
_must_check_ int archive_stands_for(const struct archive *archive, const char *id,
				    const char *other, char **ret_why);

/* Finishes removals that a crash interrupted. */
_must_check_ int archive_sweep(struct archive *archive);
