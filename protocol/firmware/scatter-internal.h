/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the readers of scatter.h's forms share. All return -EBADMSG with *error, or -ENOMEM. */

#include "protocol/firmware/scatter.h"

/* Fills *error; always -EBADMSG, so that a reader can end with it. */
_printf_(3, 4) int scatter_refuse(struct scatter_error *error, unsigned int line,
				  const char *format, ...);

/*
 * An empty part or flash at the end of its list, filled in by the caller; what it gets there is
 * freed with the scatter.
 */
_must_check_ int scatter_add_part(struct scatter *scatter, unsigned int line,
				  struct scatter_part **ret, struct scatter_error *error);
_must_check_ int scatter_add_flash(struct scatter *scatter, unsigned int line,
				   struct scatter_flash **ret, struct scatter_error *error);

/* A copy of size bytes of text that is short, UTF-8 and without control characters; not empty. */
_must_check_ int scatter_copy_text(const char *text, size_t size, unsigned int line, char **ret,
				   struct scatter_error *error);

/* Addresses from here on are marks of the tool ("counted from the end"), not places. */
#define SCATTER_MARKS 0xFFFF0000ULL

/* Parts without a length reach up to the next one, the last to the end. */
_must_check_ int scatter_close_gaps(struct scatter *scatter, struct scatter_error *error);

/* The two YAML forms. */
_must_check_ int scatter_read_yaml(const char *text, size_t size, struct scatter *scatter,
				   struct scatter_error *error);
