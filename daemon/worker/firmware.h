/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is done with a whole flash image once it is read: how sound is it, and which firmware files
 * does it hold. Nothing here can spoil the backup: what fails is told in the papers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/worker/staging.h"
#include "protocol/base/cleanup.h"
#include "protocol/firmware/health.h"

#define FIRMWARE_DIRECTORY "firmware"

struct firmware {
	bool examined; /* the image is of a whole flash; else all that follows is empty */
	unsigned int score;
	struct health_coverage coverage;
	char *health; /* lines for the report, each with its newline */
	bool tried;   /* the request wants firmware files */
	bool rebuilt; /* firmware/ is there */
	char *detail; /* one sentence about it */
	char *sums;   /* the set's lines of SHA256SUMS; NULL: none */

	/* What else the papers draw from, until firmware_clear. NULL: no image begins at 0. */
	const uint8_t *image; /* mapped */
	uint64_t image_size;
	struct layout *layout;        /* also of an image that is not of a whole flash */
	struct health_report *report; /* NULL unless examined */
};

/*
 * Examines the image that begins at 0 and covers the flash, if there is one, and with rebuild
 * writes the set below the staging directory. An older set there goes in any case. jedec is the
 * flash's id of 3 bytes as an agent told it, NULL: none did.
 */
void firmware_make(const struct staging *staging, const uint8_t *jedec, bool rebuild,
		   struct firmware *ret);
void firmware_clear(struct firmware *firmware);
