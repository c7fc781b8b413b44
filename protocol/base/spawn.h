/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Starts a program with a clean signal state: nothing blocked, nothing ignored. Of our descriptors it
 * gets those that are named here, all others are expected to close by themselves (O_CLOEXEC).
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "protocol/base/cleanup.h"

#define SPAWN_FDS_MAX 3

/* from, an open descriptor of ours, becomes to; in this order. */
struct spawn_fd {
	int from;
	int to;
};

struct spawn {
	const char *program;      /* its path */
	char *const *arguments;   /* the first one is its name; ends with NULL */
	char *const *environment; /* ends with NULL; NULL: ours */
	struct spawn_fd fds[SPAWN_FDS_MAX];
	size_t n_fds;
	bool leads_group; /* of processes, which can be killed with all that it started */
};

/* The caller waits for it. The errno of what failed, also of a program that cannot be executed. */
_must_check_ int spawn(const struct spawn *spawn, pid_t *ret);
