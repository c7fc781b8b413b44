/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Puts together the manifest of a backup from what the watch, the request and the reading gave. */

#include <stdint.h>

#include "daemon/worker/firmware.h"
#include "daemon/worker/session.h"
#include "daemon/worker/staging.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/manifest.h"
#include "protocol/control/worker-message.h"

struct backup_result {
	const struct session *session;
	const struct worker_read *read;
	const struct staging *staging; /* sealed: the digests are known */
	double seconds;                /* of all attempts */
	uint64_t retries;
	const char *verify_mode; /* "none", "sample", "full" */
	uint64_t verify_bytes;   /* that agreed with a second read */
	const struct firmware *firmware;
	const uint8_t *jedec; /* DA_REPORT_JEDEC bytes that the flash gave; NULL: not known */
};

/* Fills *ret, which is zero; the caller clears it, also on failure. -ENOMEM. */
_must_check_ int backup_manifest_fill(const struct backup_result *result, struct manifest *ret);
