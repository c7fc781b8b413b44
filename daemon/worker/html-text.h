/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Text of others (a watch's, a user's) into an HTML page: the one place that escapes. The result is
 * inert between tags and inside quoted attributes alike.
 */

#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/cleanup.h"

/*
 * Writes text with & < > " ' as references. What is no UTF-8, control characters, and the characters
 * that reorder the text around them (bidirectional controls) become U+FFFD each. NULL is empty.
 */
void html_text(FILE *out, const char *text);

/* Formats, then as above; without memory for it, one U+FFFD. */
_printf_(2, 3) void html_textf(FILE *out, const char *format, ...);
void html_vtextf(FILE *out, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
