/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which agent of a file is the one for a watch: the rules of mtkclient. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/device/da-file.h"

/* What the boot ROM said it is. */
struct da_target {
	uint16_t hw_code;
	uint16_t hw_version;
	uint16_t sw_version;
};

/*
 * The first entry whose hw_code is the target's and whose versions are not newer than the target's
 * (0 in an entry fits every version), and that holds what a session of its generation sends:
 * feature phone DA1, DA2 and a NOR table, IoT an EPP, DA1 and a NOR table. A bare file's entry fits
 * when its hw_code is the target's or 0.
 *
 * -ENOENT when the file has nothing for the target, -EOPNOTSUPP for an entry of a generation that
 * we do not speak, -EBADMSG for one that is incomplete; why gets a sentence on every error.
 */
_must_check_ int da_select(const struct da_file *file, const struct da_target *target,
			   const struct da_entry **ret, char why[DA_WHY_SIZE]);

/* True when some entry of the file names that hw_code, whatever its versions. */
bool da_file_has_chip(const struct da_file *file, uint16_t hw_code);
