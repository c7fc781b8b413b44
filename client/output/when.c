/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/when.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define MINUTE 60U
#define HOUR   (60U * MINUTE)
#define DAY    (24U * HOUR)

/* Longer is a mistake of whoever counted; keeps the conversion to whole seconds defined. */
#define LONGEST_SPAN (100.0 * 365 * DAY)

/* False when the time is none that a calendar has. */
static bool when_calendar(uint64_t real_usec, struct tm *ret)
{
	time_t seconds = (time_t)(real_usec / USEC_PER_SEC);

	return localtime_r(&seconds, ret) != NULL;
}

const char *when_local(uint64_t real_usec, char buf[WHEN_TEXT_SIZE])
{
	struct tm tm;

	if (!when_calendar(real_usec, &tm) || strftime(buf, WHEN_TEXT_SIZE, "%F %T", &tm) == 0)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "-");
	return buf;
}

const char *when_of_day(uint64_t real_usec, char buf[WHEN_TEXT_SIZE])
{
	struct tm tm;

	if (!when_calendar(real_usec, &tm) || strftime(buf, WHEN_TEXT_SIZE, "%T", &tm) == 0)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "-");
	return buf;
}

uint64_t when_day_began(uint64_t real_usec)
{
	struct tm tm;
	time_t seconds;

	if (!when_calendar(real_usec, &tm))
		return 0;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	seconds = mktime(&tm);
	return seconds > 0 ? (uint64_t)seconds * USEC_PER_SEC : 0;
}

static const char *when_date(uint64_t real_usec, char buf[WHEN_TEXT_SIZE])
{
	struct tm tm;

	if (!when_calendar(real_usec, &tm) || strftime(buf, WHEN_TEXT_SIZE, "%F", &tm) == 0)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "-");
	return buf;
}

const char *when_ago(uint64_t now, uint64_t then, char buf[WHEN_TEXT_SIZE])
{
	uint64_t age = then < now ? (now - then) / USEC_PER_SEC : 0;

	if (age < 2)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "just now");
	else if (age < 2 * MINUTE)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "%u s ago", (unsigned int)age);
	else if (age < 2 * HOUR)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "%u min ago", (unsigned int)(age / MINUTE));
	else if (age < 2 * DAY)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "%u h ago", (unsigned int)(age / HOUR));
	else if (age < 14 * DAY)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "%u d ago", (unsigned int)(age / DAY));
	else
		return when_date(then, buf);
	return buf;
}

/* A whole number of seconds that everything below can count with. */
static uint64_t when_whole(double seconds)
{
	if (!(seconds > 0))
		return 0;
	return (uint64_t)(seconds < LONGEST_SPAN ? seconds : LONGEST_SPAN);
}

static const char *when_pair(uint64_t big, const char *big_unit, uint64_t small,
			     const char *small_unit, char buf[WHEN_TEXT_SIZE])
{
	if (small)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "%u %s %u %s", (unsigned int)big, big_unit,
			       (unsigned int)small, small_unit);
	else
		(void)snprintf(buf, WHEN_TEXT_SIZE, "%u %s", (unsigned int)big, big_unit);
	return buf;
}

const char *when_span(double seconds, char buf[WHEN_TEXT_SIZE])
{
	uint64_t whole = when_whole(seconds);

	if (seconds > 0 && seconds < 1)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "%.0f ms", seconds * 1000);
	else if (whole < MINUTE)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "%u s", (unsigned int)whole);
	else if (whole < HOUR)
		return when_pair(whole / MINUTE, "min", whole % MINUTE, "s", buf);
	else if (whole < DAY)
		return when_pair(whole / HOUR, "h", whole % HOUR / MINUTE, "min", buf);
	else
		return when_pair(whole / DAY, "d", whole % DAY / HOUR, "h", buf);
	return buf;
}

const char *when_clock(double seconds, char buf[WHEN_TEXT_SIZE])
{
	uint64_t whole = when_whole(seconds);
	unsigned int hours = (unsigned int)(whole / HOUR);
	unsigned int minutes = (unsigned int)(whole % HOUR / MINUTE);
	unsigned int rest = (unsigned int)(whole % MINUTE);

	if (hours)
		(void)snprintf(buf, WHEN_TEXT_SIZE, "%u:%02u:%02u", hours, minutes, rest);
	else
		(void)snprintf(buf, WHEN_TEXT_SIZE, "%u:%02u", minutes, rest);
	return buf;
}

int when_parse(const char *value, uint64_t *ret_real_usec)
{
	uint64_t now = time_real(), usec;
	double seconds;

	if (time_parse(value, &usec) < 0) {
		if (parse_duration(value, &seconds) < 0 ||
		    seconds * (double)USEC_PER_SEC >= (double)now)
			return -EINVAL;
		usec = now - (uint64_t)(seconds * (double)USEC_PER_SEC);
	}
	*ret_real_usec = usec;
	return 0;
}
