/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/progress.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/output/text.h"
#include "client/output/when.h"
#include "protocol/base/strings.h"

#define BAR_MIN      10U
#define BAR_MAX      40U
#define BYTES_SIZE   40U
#define BAR_CELL_MAX 3U /* bytes of one cell in UTF-8 */

unsigned int progress_percent(const struct progress *progress)
{
	if (progress->total == 0)
		return 0;
	if (progress->done >= progress->total)
		return 100;
	/* By double: done * 100 may wrap. Below the total it never rounds up to 100. */
	return MIN_OF((unsigned int)((double)progress->done * 100 / (double)progress->total), 99U);
}

/* "1.8/4.0 MiB": both in the unit of the total, so that the text keeps its width. */
static const char *progress_bytes(const struct progress *progress, char buf[BYTES_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double done = (double)MIN_OF(progress->done, progress->total);
	double total = (double)progress->total;
	size_t unit = 0;
	char total_text[16];
	int width;

	for (; total >= 1024 && unit + 1 < ARRAY_SIZE(units); unit++) {
		total /= 1024;
		done /= 1024;
	}
	width = snprintf(total_text, sizeof(total_text), "%.*f", unit ? 1 : 0, total);
	(void)snprintf(buf, BYTES_SIZE, "%*.*f/%s %s", width, unit ? 1 : 0, done, total_text,
		       units[unit]);
	return buf;
}

/* "210.0 KiB/s", empty when it is not known. */
static const char *progress_rate(const struct progress *progress, char buf[24])
{
	char bytes[16];

	buf[0] = '\0';
	if (progress->rate)
		(void)snprintf(buf, 24, "%s/s", format_bytes(progress->rate, bytes));
	return buf;
}

char *progress_text(const struct progress *progress)
{
	const char *phase = phase_to_string(progress->phase);
	char bytes[BYTES_SIZE], rate[24], span[WHEN_TEXT_SIZE];
	bool eta = progress->eta >= 0 && progress->done < progress->total;
	const char *unpadded;

	if (!phase)
		return strdup("");
	if (progress->total == 0)
		return strdup(phase);
	unpadded = progress_bytes(progress, bytes);
	unpadded += strspn(unpadded, " ");
	progress_rate(progress, rate);
	return str_format("%s %u %% (%s%s%s%s%s%s)", phase, progress_percent(progress), unpadded,
			  *rate ? ", " : "", rate, eta ? ", " : "",
			  eta ? when_span(MAX_OF(progress->eta, 1.0), span) : "",
			  eta ? " left" : "");
}

/* cells wide, with its colours; NULL: no memory. */
static char *progress_bar(const struct progress *progress, size_t cells, const struct term *term)
{
	const char *full = term->unicode ? "█" : "#", *empty = term->unicode ? "░" : "-";
	char done[BAR_MAX * BAR_CELL_MAX + 1] = "", rest[BAR_MAX * BAR_CELL_MAX + 1] = "";
	char *done_end = done, *rest_end = rest;
	size_t filled = cells * progress_percent(progress) / 100;
	enum tint tint = filled == cells ? TINT_GOOD : TINT_ACTIVE;

	for (size_t i = 0; i < cells; i++)
		if (i < filled)
			done_end = stpcpy(done_end, full);
		else
			rest_end = stpcpy(rest_end, empty);
	return str_format("%s%s%s%s%s%s", term_begin(term, tint), done, term_end(term, tint),
			  term_begin(term, TINT_FAINT), rest, term_end(term, TINT_FAINT));
}

/* What stands behind the bar: bytes, rate, time left; the first parts parts of it. */
static char *progress_tail(const struct progress *progress, int parts)
{
	char bytes[BYTES_SIZE], rate[24] = "", clock[WHEN_TEXT_SIZE] = "-:--";

	progress_bytes(progress, bytes);
	if (progress->eta >= 0)
		when_clock(progress->eta, clock);
	if (parts >= 3)
		return str_format("  %s  %11s  %5s left", bytes, progress_rate(progress, rate),
				  clock);
	if (parts == 2)
		return str_format("  %s  %5s left", bytes, clock);
	return parts == 1 ? str_format("  %s", bytes) : strdup("");
}

static char *progress_assemble(const struct progress *progress, const char *start, const char *tail,
			       size_t room, const struct term *term)
{
	_cleanup_free_ char *bar = NULL;
	size_t cells = MIN_OF(room, BAR_MAX);

	if (cells < BAR_MIN)
		return text_cut(start, term->columns - TERM_MARGIN, false, term->unicode);
	bar = progress_bar(progress, cells, term);
	return bar ? str_format("%s  %s%s", start, bar, tail) : NULL;
}

char *progress_line(const struct progress *progress, const char *head, const struct term *term)
{
	const char *phase = phase_to_string(progress->phase);
	_cleanup_free_ char *start = NULL;
	size_t columns = term->columns - TERM_MARGIN, used = 0;

	if (progress->total == 0)
		start = str_format("%s  %s", head, phase ? phase : "");
	else
		start = str_format("%s  %-6s %3u %%", head, phase ? phase : "",
				   progress_percent(progress));
	if (!start)
		return NULL;
	if (progress->total == 0)
		return text_cut(start, columns, false, term->unicode);
	for (int parts = 3; parts >= 0; parts--) {
		_cleanup_free_ char *tail = progress_tail(progress, parts);

		if (!tail)
			return NULL;
		used = text_columns(start) + 2 + text_columns(tail);
		if (parts == 0 || used + BAR_MIN <= columns)
			return progress_assemble(progress, start, tail,
						 used < columns ? columns - used : 0, term);
	}
	return NULL;
}
