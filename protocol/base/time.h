/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Two clocks: monotonic for deadlines, real time for what people read. Both in microseconds. */

#include <stdint.h>

#include "protocol/base/cleanup.h"

#define USEC_PER_SEC  1000000ULL
#define USEC_PER_MSEC 1000ULL
#define USEC_NEVER    UINT64_MAX

#define TIME_TEXT_SIZE 32

/* CLOCK_MONOTONIC. */
uint64_t time_now(void);

/* CLOCK_REALTIME. */
uint64_t time_real(void);

/* RFC 3339 in UTC with seconds, "2026-11-23T14:31:10Z"; returns buf. */
const char *time_format(uint64_t real_usec, char buf[TIME_TEXT_SIZE]);

/* "20261123T143110Z", as file names carry it; returns buf. */
const char *time_format_compact(uint64_t real_usec, char buf[TIME_TEXT_SIZE]);

/* RFC 3339 in UTC (a fraction is allowed), or a date alone; -EINVAL. */
_must_check_ int time_parse(const char *s, uint64_t *ret_real_usec);
