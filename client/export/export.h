/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Copies of whole backups: the files that its SHA256SUMS lists, and that list. They are read with
 * the client's own rights, on another machine with those of the user there. What is written is the same whoever exports it and when: in the order of
 * names, with the time of the backup, of nobody in particular. A copy is read back and compared with
 * the digests before it gets its name, and takes nobody's place.
 *
 * Failures are put into words: -ECANCELED with *complaint; -ENOMEM has none.
 */

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "client/complaint.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/backup.h"
#include "protocol/control/sums.h"

#define EXPORT_FILE_MODE   0644
#define EXPORT_FOLDER_MODE 0755

struct export_source {
	struct backup backup;
	int dir;
	struct sums sums; /* by name; the list itself is in it too, with its own digest */
	uint64_t bytes;   /* of all files */
};

void export_source_clear(struct export_source *source);

/* Opens backup, which it takes also on failure, and reads its list. */
_must_check_ int export_open(struct backup *backup, struct export_source *ret,
			     struct complaint *complaint);

/*
 * From here on SIGINT, SIGTERM and SIGHUP wait: a copy ends before its next file and takes what was
 * written away again. The caller restores the mask afterwards.
 */
void export_hold_signals(sigset_t *ret_before);

/* Before each file and each piece that comes from elsewhere; -ECANCELED when such a signal waits. */
_must_check_ int export_go_on(struct complaint *complaint);

/* Opens a file of it; *ret_size is its length. */
_must_check_ int export_open_file(const struct export_source *source, const char *name,
				  uint64_t *ret_size, struct complaint *complaint);

/* The backup itself is not what its list says. Always -ECANCELED. */
int export_damaged(const struct export_source *source, const char *name,
		   struct complaint *complaint);

/* Writing to path failed with that errno. Always -ECANCELED. */
int export_failed(int error, const char *path, struct complaint *complaint);

/* ---- folder.c ---- */

/* Makes folder/<id>/, folder too where it is missing. */
_must_check_ int export_to_folder(const struct export_source *source, const char *folder,
				  struct complaint *complaint);

/* ---- tar.c: one archive with a folder <id>/ for each ---- */

_must_check_ int export_to_tar(const struct export_source *sources, size_t n, const char *path,
			       bool zstd, struct complaint *complaint);

/*
 * Unpacks the files of one that comes out of a pipe below the folder place, reading to the pipe's end
 * while signals are held. A bare errno, -EBADMSG when it is no archive or has what none of ours has;
 * -ECANCELED with *complaint when it was interrupted.
 */
_must_check_ int export_unpack(int fd, int place, struct complaint *complaint);

/* To a pipe, which cannot be read back; what is read is compared all the same. */
_must_check_ int export_to_stream(const struct export_source *sources, size_t n, int fd,
				  struct complaint *complaint);

/* ---- fetch.c: backups of another machine ---- */

/* The archive that the mtkrbctl there makes of n backups goes to our stdout: as ssh_run. */
_must_check_ int export_pass(const char *host, char *const *ids, size_t n,
			     struct complaint *complaint);

/*
 * Fetches n backups into a folder for the time of the export, while signals are held: the caller's, for
 * export_forget.
 */
_must_check_ int export_fetch(const char *host, char *const *ids, size_t n, char **ret_folder,
			      struct complaint *complaint);

/* One of those as if it were here; the list that came with it says what it has to be. */
_must_check_ int export_open_fetched(const char *folder, const char *id, struct export_source *ret,
				     struct complaint *complaint);

/* Removes the folder and frees its name. */
void export_forget(char *folder);
DEFINE_CLEANUP(char *, export_forget);
