/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Comma-separated values by RFC 4180, UTF-8: a cell with a comma, a quote or a line break is quoted,
 * lines end with CR LF. What a customer wrote must not run in a spreadsheet: a text that begins with
 * = + - @ (or a tab or CR, which some programs pass over) gets an apostrophe before it, which
 * spreadsheets take as "this is text". Nothing else is changed.
 */

#include <stdbool.h>
#include <stdio.h>

#include "protocol/base/cleanup.h"

struct csv {
	FILE *out; /* borrowed; its error flag tells of failures */
	bool in_row;
};

/* The next cell; NULL is an empty one. */
void csv_add(struct csv *csv, const char *text);
/* The same for what we make ourselves: numbers, also negative ones. */
_printf_(2, 3) void csv_addf(struct csv *csv, const char *format, ...);
void csv_end_row(struct csv *csv);
