/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Writes metrics as OpenMetrics text, of the part of it that the older text format of Prometheus reads
 * too: node-exporter's textfile collector knows only that.
 */

#include <stdint.h>
#include <stdio.h>

#include "protocol/base/cleanup.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_SUMMARY };

/* Begins a family: its samples follow. name ends with unit where there is one (NULL: none). */
void metric_family(FILE *out, const char *name, enum metric_type type, const char *unit,
		   const char *help);

/*
 * One sample of the family begun last: its name, with _total for a counter, with _sum or _count for
 * a summary. label NULL: none; its value may be any text.
 */
void metric_int(FILE *out, const char *name, const char *label, const char *value, int64_t number);
/* To the thousandth; number is not negative. */
void metric_real(FILE *out, const char *name, double number);

/* Behind the last family. */
void metric_end(FILE *out);
