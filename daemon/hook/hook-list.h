/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The programs in hooks.d: executable regular files (or links to such), in the order of their names
 * by bytes. What is not executable, or whose name begins with a dot or ends with a tilde, is none.
 */

#include <stddef.h>

#include "protocol/base/cleanup.h"

struct hook {
	char *name;
	char *path;
	const char *refusal; /* why it must not be run, NULL: it may */
};

/*
 * At most LIMIT_HOOKS; none when there is no such directory. A program, or the directory, that
 * somebody else than root and we owns, or that others may write, is listed with a refusal. The
 * caller frees them with hook_list_free. -ENOMEM, or the errno of reading the directory.
 */
_must_check_ int hook_list(const char *directory, struct hook **ret, size_t *ret_n);
void hook_list_free(struct hook *hooks, size_t n);
