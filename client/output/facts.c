/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/facts.h"

#include <stdarg.h>
#include <stdlib.h>

#include "protocol/base/time.h"

int facts_new(struct table **ret)
{
	static const struct column columns[] = { { .right = true }, { .right = false } };

	return table_new(columns, ARRAY_SIZE(columns), ret);
}

void facts_add(struct table *table, const char *name, enum tint tint, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	table_add(table, TINT_FAINT, name);
	table_add(table, tint, text);
}

void facts_add_known(struct table *table, const char *name, const char *text)
{
	if (text)
		facts_add(table, name, TINT_NONE, "%s", text);
}

void facts_add_time(struct table *table, const char *name, uint64_t real_usec)
{
	char local[WHEN_TEXT_SIZE], ago[WHEN_TEXT_SIZE];

	if (real_usec)
		facts_add(table, name, TINT_NONE, "%s (%s)", when_local(real_usec, local),
			  when_ago(time_real(), real_usec, ago));
}
