/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A finished backup as the catalogue shows it: type Backup of the interface. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/label.h"

struct json_object;
struct problem;

struct backup {
	char *id;
	char *path;       /* absolute */
	uint64_t created; /* real time, microseconds */
	char *chip;       /* NULL: not known */
	char *meid;       /* NULL: not known */
	uint64_t size;    /* bytes of all ranges */
	char *sha256;     /* of the first range's file */
	int64_t health;   /* percent, -1: not checked */
	struct label *labels;
	size_t n_labels;
	int64_t job; /* 0: not known */
};

void backup_clear(struct backup *backup);
_must_check_ int backup_to_json(const struct backup *backup, struct json_object **ret);
_must_check_ int backup_from_json(struct json_object *object, struct backup *ret,
				  struct problem *problem);
