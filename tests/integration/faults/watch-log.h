/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a virtual watch wrote down: which writes it was sent, which pieces of flash were asked for. */

#include <stdint.h>

struct writes {
	uint64_t commands; /* that write, or start and steer a download agent */
	uint64_t outside;  /* those that reading does not need */
	char first[128];   /* of those */
	unsigned int logs;
};

/*
 * Counts the writing commands of a log. Allowed are: watchdog off, reset, flash map, the charger and
 * power-latch registers, and for a job that reads through an agent its upload, start, speed, read,
 * finish and reset.
 */
void writes_count(struct writes *writes, const char *log, bool agent);

/* The read of the flash that a log ends with, whose pieces follow one another. */
struct reading_run {
	uint64_t start; /* of the first piece */
	uint64_t last;  /* start of the last piece: all before it had come when that broke off */
};

struct reading_run watch_log_run(const char *log);
