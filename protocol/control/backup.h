/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A finished backup as the catalogue shows it: type Backup of the interface. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/control/label.h"

struct json_object;
struct problem;

struct backup {
	char *id;
	char *path;       /* absolute */
	uint64_t created; /* real time, microseconds */
	char *chip;       /* NULL: not known */
	char *meid;       /* NULL: not known */
	char *firmware;   /* project and version as the firmware tells them, NULL: not known */
	uint64_t size;    /* bytes of all ranges */
	char *sha256;     /* of the first range's file */
	int64_t health;   /* percent, -1: not checked */
	struct label *labels;
	size_t n_labels;
	int64_t job;        /* 0: not known */
	uint64_t verified;  /* real time when all of it was last read again, 0: never */
	bool damaged;       /* it was found so then */
	char *identical_to; /* id of the oldest other backup with the same content; NULL: none.
			       Only from the catalogue, which is the only one to know. */

	/* SHA-256 of what was read: where each range lies, and its digest. Empty: not known. Two
	 * backups with the same one have the same bytes; it is not sent to anybody. */
	char content[DIGEST_HEX_SIZE];
};

void backup_clear(struct backup *backup);
_must_check_ int backup_to_json(const struct backup *backup, struct json_object **ret);
_must_check_ int backup_from_json(struct json_object *object, struct backup *ret,
				  struct problem *problem);
