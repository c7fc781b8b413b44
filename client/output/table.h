/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Aligned columns, sized to what is in them, two spaces apart. Cut to the width only on a terminal. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "client/output/term.h"
#include "protocol/base/cleanup.h"

enum column_cut {
	CUT_NEVER,
	CUT_END,
	CUT_START, /* where the end tells things apart: slots */
};

struct column {
	const char *title; /* NULL in all columns: no header */
	bool right;        /* aligned to the right: numbers */
	enum column_cut cut;
	unsigned int drop; /* above 0: may be left out where there is no room, the highest first */
};

struct table;

/* columns are borrowed. -ENOMEM. */
_must_check_ int table_new(const struct column *columns, size_t n, struct table **ret);
void table_free(struct table *table);
DEFINE_CLEANUP(struct table *, table_free);

/*
 * The next cell, row by row; text that is NULL or empty shows as "-". A lack of memory is kept for
 * table_print, so that nobody has to look after each cell.
 */
void table_add(struct table *table, enum tint tint, const char *text);
_printf_(3, 4) void table_addf(struct table *table, enum tint tint, const char *format, ...);

/* -ENOMEM when a cell could not be added. */
_must_check_ int table_print(const struct table *table, const struct term *term, FILE *out);
