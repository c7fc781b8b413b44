/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs one program to its end or to the end of its time. */

#include "protocol/base/cleanup.h"
#include "protocol/control/hook.h"

struct hook_process {
	const char *path;
	const char *input;        /* what it finds on stdin */
	char *const *environment; /* ends with NULL; the program gets nothing else */
	double timeout;           /* seconds */
	int watched;              /* a socket: when its peer is gone, the program is killed */
};

/*
 * Fills in all of *result but the name: outcome, status, seconds, the first line of stderr. The
 * program runs in / and in a process group of its own, of which nothing is left afterwards. What it
 * writes goes on to our stderr. -ECONNRESET when the peer of watched went away, -ENOMEM.
 */
_must_check_ int hook_process_run(const struct hook_process *process, struct hook_result *result);
