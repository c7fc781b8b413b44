/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far a job is: a bar for a terminal, one short text elsewhere. Pure: numbers in, text out. */

#include <stddef.h>

#include "client/output/term.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"

/* 0 to 100, rounded down; 100 only when all is done; 0 while the total is not known. */
unsigned int progress_percent(const struct progress *progress);

/* "read 45 % (1.8/4.0 MiB, 210.0 KiB/s, 12 s left)", as far as it is known. NULL: no memory. */
_must_check_ char *progress_text(const struct progress *progress);

/*
 * head ("job 12"), phase, per cent, bar, bytes, rate and time left in one line that leaves
 * TERM_MARGIN columns free; on a narrow terminal what matters least is left out. NULL: no memory.
 */
_must_check_ char *progress_line(const struct progress *progress, const char *head,
				 const struct term *term);
