/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The papers of a backup: manifest.json for programs, report.txt and report.html for people,
 * SHA256SUMS for sha256sum -c. Written last, each durable, into the staging directory.
 */

#include "daemon/worker/firmware.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"
#include "protocol/control/manifest.h"
#include "protocol/control/sums.h"

#define REPORT_FILE "report.txt"

/* What the report says beyond the manifest. */
struct report_notes {
	const char *device;  /* port it was read from */
	const char *after;   /* what is done with the watch afterwards, one sentence */
	uint64_t mismatches; /* places that were settled by further reads */
	const struct firmware *firmware;
};

/* Writes all of them below dir; on failure *failure says which. */
_must_check_ int report_write(int dir, const struct manifest *manifest,
			      const struct report_notes *notes, struct failure *failure);
