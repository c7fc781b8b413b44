/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table that a run of faults ends with: fault, times tried, outcome, bytes lost. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "protocol/base/cleanup.h"

#define TABLE_ROWS_MAX 96

struct row {
	char fault[56];
	char outcome[72];
	unsigned int tried;
	uint64_t lost; /* bytes that are not what the watch has, of what was called good */
	enum { ROW_BEGUN, ROW_PASSED, ROW_FAILED, ROW_SKIPPED } state;
};

struct table {
	struct row rows[TABLE_ROWS_MAX];
	size_t n;
};

/* A new row, which counts as failed until it is ended: a test that breaks off leaves it so. */
_printf_(2, 3) struct row *table_add(struct table *table, const char *format, ...);

/* It went as it should; still a failure when bytes were lost or nothing was tried. */
_printf_(2, 3) void row_end(struct row *row, const char *format, ...);

/* It did not; what went wrong. */
_printf_(2, 3) void row_fail(struct row *row, const char *format, ...);

/* It cannot be tried here; why. */
_printf_(2, 3) void row_skip(struct row *row, const char *format, ...);

/* Prints all rows; false when one failed. */
bool table_print(const struct table *table, FILE *file);
