/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Another client, which asks for the status over and over in a process of its own and keeps how long
 * each answer took.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WITNESS_SAMPLES_MAX 100000U

struct witness {
	pid_t pid;
	struct witness_samples {
		volatile bool stop, failed;
		volatile uint32_t n;
		uint32_t usec[WITNESS_SAMPLES_MAX];
	} * samples; /* shared with it */
};

/* Milliseconds. */
struct witness_report {
	double median, p99, longest;
	uint32_t n;
};

/* Asks whoever listens at that path, which is whether or not the daemon. */
void witness_start(struct witness *witness, const char *socket);

/* It has asked that often, or gave up. */
bool witness_has_seen(const struct witness *witness, uint32_t n);

/* Ends it; one that was not served all the time ends the test. */
struct witness_report witness_end(struct witness *witness);
