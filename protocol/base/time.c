/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/time.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t time_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t time_real(void)
{
	return read_clock(CLOCK_REALTIME);
}

static void split_utc(uint64_t real_usec, struct tm *ret)
{
	time_t seconds = (time_t)(real_usec / USEC_PER_SEC);

	if (!gmtime_r(&seconds, ret))
		memset(ret, 0, sizeof(*ret));
}

const char *time_format(uint64_t real_usec, char buf[TIME_TEXT_SIZE])
{
	struct tm tm;

	split_utc(real_usec, &tm);
	(void)strftime(buf, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

const char *time_format_compact(uint64_t real_usec, char buf[TIME_TEXT_SIZE])
{
	struct tm tm;

	split_utc(real_usec, &tm);
	(void)strftime(buf, TIME_TEXT_SIZE, "%Y%m%dT%H%M%SZ", &tm);
	return buf;
}

int time_parse(const char *s, uint64_t *ret_real_usec)
{
	struct tm tm = { 0 };
	double fraction = 0;
	const char *end;
	time_t seconds;

	end = strptime(s, "%Y-%m-%d", &tm);
	if (!end)
		return -EINVAL;
	if (*end) {
		char *stop;

		end = strptime(end, "T%H:%M:%S", &tm);
		if (!end)
			return -EINVAL;
		if (*end == '.') {
			fraction = strtod(end, &stop);
			end = stop;
		}
		if (strcmp(end, "Z") != 0 && strcmp(end, "+00:00") != 0)
			return -EINVAL;
	}
	seconds = timegm(&tm);
	if (seconds < 0 || !isfinite(fraction) || fraction < 0 || fraction >= 1)
		return -EINVAL;
	*ret_real_usec = (uint64_t)seconds * USEC_PER_SEC + (uint64_t)(fraction * 1e6);
	return 0;
}
