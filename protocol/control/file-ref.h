/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How a call names a file: a plain name is one of the daemon's own, "fd:1" or "fd:1:NAME" the second
 * descriptor that travels with the call, and what to call it. Never a path.
 */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/cleanup.h"

#define FILE_REF_SIZE 65 /* the longest reference and a NUL */

/* True for a name that a file of the daemon may have: it cannot be taken for a descriptor. */
bool file_name_is_valid(const char *name);

/*
 * 1 for a descriptor: its place in *ret_index, its name in *ret_name, borrowed from s, or NULL. 0
 * for a name, which is then in *ret_name. -EINVAL for neither.
 */
_must_check_ int file_ref_parse(const char *s, size_t *ret_index, const char **ret_name);

/* The reference to the descriptor at index of the file at path, which lends it its name if it can. */
void file_ref_format(size_t index, const char *path, char ret[FILE_REF_SIZE]);
