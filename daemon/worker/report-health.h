/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The part of report.html that says how sound the image is, and how much of that is proven. */

#include <stdio.h>

#include "daemon/worker/firmware.h"
#include "protocol/control/manifest.h"

/* One sentence, with the score where there is one. */
void report_health_verdict(FILE *out, const struct manifest *manifest,
			   const struct firmware *firmware);

/* What proves how much, and every check; nothing of an image that was not examined. */
void report_health_print(FILE *out, const struct firmware *firmware);
