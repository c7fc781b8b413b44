/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a job is compared with: the least code that gets a flash out of a watch, with plain read()
 * into one buffer, no checks and no files, as a process of its own.
 */

#include <stdint.h>

struct bare_loop {
	double read_seconds; /* the blocks alone */
	double seconds;      /* with start, handshake, watchdog and remap */
	double cpu_seconds;  /* user and system, all of the process */
};

/* Reads bytes (a multiple of 128 KiB) of flash from a virtual watch that has just been started. */
struct bare_loop bare_loop_run(const char *device, uint64_t bytes);
