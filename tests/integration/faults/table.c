/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/faults/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>

_printf_(3, 0) static void set_text(char *text, size_t size, const char *format, va_list ap)
{
	(void)vsnprintf(text, size, format, ap);
}

struct row *table_add(struct table *table, const char *format, ...)
{
	struct row *row = &table->rows[table->n++];
	va_list ap;

	assert(table->n <= TABLE_ROWS_MAX);
	va_start(ap, format);
	set_text(row->fault, sizeof(row->fault), format, ap);
	va_end(ap);
	return row;
}

void row_end(struct row *row, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_text(row->outcome, sizeof(row->outcome), format, ap);
	va_end(ap);
	row->state = row->lost == 0 && row->tried > 0 ? ROW_PASSED : ROW_FAILED;
}

void row_fail(struct row *row, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_text(row->outcome, sizeof(row->outcome), format, ap);
	va_end(ap);
	row->state = ROW_FAILED;
}

void row_skip(struct row *row, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_text(row->outcome, sizeof(row->outcome), format, ap);
	va_end(ap);
	row->state = ROW_SKIPPED;
}

static const char *row_word(const struct row *row)
{
	switch (row->state) {
	case ROW_PASSED:
		return "";
	case ROW_SKIPPED:
		return "SKIPPED: ";
	case ROW_BEGUN:
		return "FAILED: broken off ";
	default:
		return "FAILED: ";
	}
}

static const char *verdict(unsigned int bad, unsigned int skipped, char text[48])
{
	if (bad > 0)
		return "FAILED";
	if (skipped == 0)
		return "every promise kept";
	(void)snprintf(text, 48, "%u SKIPPED, the others kept", skipped);
	return text;
}

bool table_print(const struct table *table, FILE *file)
{
	unsigned int tried = 0, bad = 0, skipped = 0;
	uint64_t lost = 0;
	char text[48];

	fprintf(file, "%-56s %6s %10s  %s\n", "fault", "tried", "lost bytes", "outcome");
	for (size_t i = 0; i < table->n; i++) {
		const struct row *row = &table->rows[i];

		fprintf(file, "%-56s %6u %10" PRIu64 "  %s%s\n", row->fault, row->tried, row->lost,
			row_word(row), row->outcome);
		tried += row->tried;
		lost += row->lost;
		bad += row->state == ROW_BEGUN || row->state == ROW_FAILED;
		skipped += row->state == ROW_SKIPPED;
	}
	fprintf(file, "%-56s %6u %10" PRIu64 "  %s\n", "all", tried, lost,
		verdict(bad, skipped, text));
	return bad == 0;
}
