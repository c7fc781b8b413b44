/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Text for a terminal. It comes from other users (labels) and from watches, so what could drive the
 * terminal is taken out before anything else. Needs a UTF-8 LC_CTYPE.
 */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/cleanup.h"

/* A copy with '?' for every character that cannot be printed; NULL when out of memory. */
_must_check_ char *text_clean(const char *s);

/* Terminal columns of clean text. */
size_t text_columns(const char *s);

/*
 * A copy of clean text that is at most columns (1 or more) wide; what was cut away, at the end or
 * at the start, is replaced by an ellipsis. NULL when out of memory.
 */
_must_check_ char *text_cut(const char *s, size_t columns, bool at_start, bool unicode);

/* A copy of clean text with '?' for every character that is not ASCII; NULL when out of memory. */
_must_check_ char *text_ascii(const char *s);

/*
 * Bytes of the first line of clean text that is wrapped to columns (1 or more): up to the last blank
 * that fits, else as much as fits, but always at least one character; 0 only for no text.
 */
size_t text_line(const char *s, size_t columns);

/* The end of an ME ID, borrowed from it: enough to tell the watches of a bench apart. */
const char *text_meid(const char *meid);
