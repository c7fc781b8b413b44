/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Points in time and spans as people say them. */

#include <stdint.h>

#include "protocol/base/cleanup.h"

#define WHEN_TEXT_SIZE 32

/*
 * "3 min ago" for real times in microseconds; a date from two weeks on, "just now" also for a moment
 * that is still to come (two clocks never agree). Returns buf.
 */
const char *when_ago(uint64_t now, uint64_t then, char buf[WHEN_TEXT_SIZE]);

/* "850 ms", "12 s", "3 min 5 s", "2 h 10 min", "4 d 3 h"; seconds below 0 count as 0. Returns buf. */
const char *when_span(double seconds, char buf[WHEN_TEXT_SIZE]);

/* "0:12", "1:02:03", as counters show it. Returns buf. */
const char *when_clock(double seconds, char buf[WHEN_TEXT_SIZE]);

/* "2026-11-23 14:31:10" in the local time zone. Returns buf. */
const char *when_local(uint64_t real_usec, char buf[WHEN_TEXT_SIZE]);

/* "14:31:10" in the local time zone. Returns buf. */
const char *when_of_day(uint64_t real_usec, char buf[WHEN_TEXT_SIZE]);

/* The midnight that the local day of this time began with. */
uint64_t when_day_began(uint64_t real_usec);

/* A point in time as people give it: one of WHEN_FORMS; an age counts back from now. -EINVAL. */
_must_check_ int when_parse(const char *value, uint64_t *ret_real_usec);
#define WHEN_FORMS "a date (2026-11-23), a time (2026-11-23T14:00:00Z) or an age (12h, 7d)"
