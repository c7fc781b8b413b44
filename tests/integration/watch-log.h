/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a virtual watch wrote down: what it was told to do, which pieces of flash were asked for. */

#include <stdbool.h>
#include <stdint.h>

struct writes {
	uint64_t commands; /* that write, or start and steer a download agent */
	uint64_t outside;  /* what reading does not need, and what the watch does not know */
	char first[128];   /* of those */
	unsigned int logs;
};

/*
 * Judges each line of a log: allowed are questions, reads of memory, and of writes the values of
 * design.md's list for the watchdog, the reset, the flash map, the charger and the power latch; for a
 * job that reads through an agent its upload, start, speed, read, finish and reset too. All else is
 * outside, an opcode that the watch only echoes among them.
 */
void writes_count(struct writes *writes, const char *log, bool agent);

/* The read of the flash that a log ends with, whose pieces follow one another. */
struct reading_run {
	uint64_t start; /* of the first piece */
	uint64_t last;  /* start of the last piece: all before it had come when that broke off */
	uint64_t end;   /* of the last piece */
};

struct reading_run watch_log_run(const char *log);
