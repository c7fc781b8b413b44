/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The worker's cage: what a watch that takes over its worker can do from then on. It can use the
 * port, talk to the daemon over the inherited socket, and reach files below the directories that
 * the daemon passed: nothing else. No other path, no new socket, process or program, no page that
 * is both written and run, no signal to others. What breaks the rules of system calls (seccomp)
 * kills the worker; a path outside (Landlock) is refused with EACCES.
 */

#include <stdbool.h>

#include "protocol/base/cleanup.h"

/* Where the worker may still open files; -1: not at all. Both are borrowed. */
struct sandbox_paths {
	int directory; /* to read and, if writable, to write below */
	bool writable;
	int agents; /* to read below */
	int twin;   /* likewise */
};

/* Parts of the cage. */
/* The one priority that a worker in the cage may give itself: behind those that still read. */
#define SANDBOX_NICE 10

enum sandbox_part {
	SANDBOX_PATHS = 1 << 0, /* Landlock */
	SANDBOX_CALLS = 1 << 1, /* seccomp */
};

/*
 * Shuts the cage, for good: to be called with the port open and before the first byte from it or
 * from a backup is read. *ret_missing has the parts that this kernel does not know, or that this
 * build leaves out: a sanitizer and counts of coverage need files and calls of their own, and a
 * build with tests leaves all open when it runs on a simulated bus (UMOCKDEV_DIR in the
 * environment), which answers through sockets. Who sets the daemon's environment owns the daemon as
 * it is. Any other error means that the worker must not go on.
 */
_must_check_ int sandbox_enter(const struct sandbox_paths *paths, unsigned int *ret_missing);

/*
 * Takes away all paths but these, which lie below those of sandbox_enter. 0 also where that had
 * nothing to shut.
 */
_must_check_ int sandbox_narrow(const struct sandbox_paths *paths);

/* The parts in words for people: "Landlock", "seccomp", both or "nothing". */
const char *sandbox_describe(unsigned int parts);
