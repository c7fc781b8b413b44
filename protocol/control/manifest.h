/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * manifest.json: what a backup is, how it was read and what proves it. The worker writes it, the
 * archive checks it and fills the catalogue from it, so the catalogue can always be made again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/control/backup.h"
#include "protocol/control/job.h"

#define MANIFEST_FORMAT 1
#define MANIFEST_FILE   "manifest.json"

struct problem;

/* One piece of evidence for the flash size: who says it, what it says. */
struct evidence {
	char *source;  /* "flash-info", "address-alias", "request", … */
	char *text;    /* one sentence for people */
	uint64_t size; /* bytes it speaks for, 0: no figure */
};

struct manifest_range {
	char *name;
	uint64_t start;
	uint64_t length;
	char *file; /* relative to the backup's directory */
	char sha256[DIGEST_HEX_SIZE];
};

struct manifest {
	char *id;
	uint64_t created; /* real time, microseconds */
	char *tool_version;
	struct {
		char *chip;
		uint32_t hw_code;
		uint32_t hw_version;
		uint32_t sw_version;
		char *meid;          /* NULL: not known */
		char *firmware;      /* its project and version; NULL: not told */
		char *jedec;         /* NULL: not known */
		uint64_t flash_size; /* 0: not known */
		struct evidence *evidence;
		size_t n_evidence;
	} watch;
	struct {
		char *method; /* "brom", "da" */
		struct manifest_range *ranges;
		size_t n_ranges;
		double seconds;
		uint64_t retries;
		bool resumed;
		char *verify_mode; /* "none", "sample", "full" */
		uint64_t verify_bytes;
		bool verify_ok; /* all verify_bytes agreed with a second read */
	} read;
	int64_t health; /* percent, -1: not checked */
	struct {        /* bytes of the firmware, by what proves them; all 0: not told */
		uint64_t firmware, digest, structure, unproven;
	} coverage;
	struct {
		bool tried;   /* else the rest means nothing */
		bool ok;      /* firmware/ is there */
		char *detail; /* what came of it; NULL: nothing to say */
	} rebuild;
	struct label *labels;
	size_t n_labels;
	int64_t job;
	char *slot;
};

void manifest_clear(struct manifest *manifest);

/* Indented JSON text with a newline at its end. */
_must_check_ int manifest_to_text(const struct manifest *manifest, char **ret);

/*
 * Strict: every field of the format, file names plain, digests well formed, sizes within limits.
 * -EBADMSG with *problem filled; -EPROTONOSUPPORT for another format.
 */
_must_check_ int manifest_from_text(const char *text, struct manifest *ret,
				    struct problem *problem);

/* True when every byte of the watch that other holds is in this one too, read from the same place. */
bool manifest_covers(const struct manifest *manifest, const struct manifest *other);

/* The catalogue's row of it; path is where it lies. */
_must_check_ int manifest_to_backup(const struct manifest *manifest, const char *path,
				    struct backup *ret);

/* True for YYYYMMDDThhmmssZ-<chip>-<meid or slot>-<job>: no slash, no dot-dot, at most 200 long. */
bool backup_id_is_valid(const char *id);
