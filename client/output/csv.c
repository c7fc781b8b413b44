/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/csv.h"

#include <stdarg.h>
#include <string.h>

static void separate(struct csv *csv)
{
	if (csv->in_row)
		putc(',', csv->out);
	csv->in_row = true;
}

void csv_add(struct csv *csv, const char *text)
{
	bool quoted = text && strpbrk(text, ",\"\r\n");

	separate(csv);
	if (!text || !*text)
		return;
	if (quoted)
		putc('"', csv->out);
	if (strchr("=+-@\t\r", *text))
		putc('\'', csv->out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', csv->out);
		putc(*text, csv->out);
	}
	if (quoted)
		putc('"', csv->out);
}

void csv_addf(struct csv *csv, const char *format, ...)
{
	va_list ap;

	separate(csv);
	va_start(ap, format);
	(void)vfprintf(csv->out, format, ap);
	va_end(ap);
}

void csv_end_row(struct csv *csv)
{
	fputs("\r\n", csv->out);
	csv->in_row = false;
}
