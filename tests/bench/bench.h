/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The measurements; each adds its figures. What does not work ends the program. */

#include <stdbool.h>

#include "tests/bench/figures.h"

/* Speed and CPU time of a job beside those of the bare loop. */
void bench_speed(struct figures *figures, bool quick);

/* A line as fast as USB full speed: how much of it is used. */
void bench_line(struct figures *figures, bool quick);

/* System calls of a whole job, counted by strace where it is there and allowed. */
void bench_system_calls(struct figures *figures, bool quick);

/* From the uevent to the first byte of the handshake. */
void bench_plugs(struct figures *figures, bool quick);

/* What daemon and workers occupy at most, for small and large flashes. */
void bench_memory(struct figures *figures, bool quick);

/* How often a daemon with nothing to do wakes up. */
void bench_idle(struct figures *figures, bool quick);

/* How long a client waits while others do their worst, beside a bare echo. */
void bench_latency(struct figures *figures, bool quick);

/* The health check of an image beside SHA-256 over it. */
void bench_check(struct figures *figures, bool quick);

/* Jobs a second that are stored durably, beside what the disk can do. */
void bench_submits(struct figures *figures, bool quick);

/* Start and list of a daemon that has a hundred thousand finished jobs. */
void bench_full_store(struct figures *figures, bool quick);

/* 64 watches at USB full speed at once, beside as many bare loops, and how fast the daemon answers. */
void bench_many_watches(struct figures *figures, bool quick);
