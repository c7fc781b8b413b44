/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/metrics.h"

#include <inttypes.h>

void metric_family(FILE *out, const char *name, enum metric_type type, const char *unit,
		   const char *help)
{
	static const char *const words[] = {
		[METRIC_GAUGE] = "gauge",
		[METRIC_COUNTER] = "counter",
		[METRIC_SUMMARY] = "summary",
	};

	fprintf(out, "# TYPE %s %s\n", name, words[type]);
	if (unit)
		fprintf(out, "# UNIT %s %s\n", name, unit);
	fprintf(out, "# HELP %s %s\n", name, help);
}

static void put_value(FILE *out, const char *value)
{
	for (; *value; value++)
		switch (*value) {
		case '\n':
			fputs("\\n", out);
			break;
		case '\\':
		case '"':
			fputc('\\', out);
			/* fallthrough */
		default:
			fputc(*value, out);
			break;
		}
}

void metric_int(FILE *out, const char *name, const char *label, const char *value, int64_t number)
{
	fputs(name, out);
	if (label) {
		fprintf(out, "{%s=\"", label);
		put_value(out, value);
		fputs("\"}", out);
	}
	fprintf(out, " %" PRId64 "\n", number);
}

void metric_real(FILE *out, const char *name, double number)
{
	int64_t thousandths = (int64_t)(number * 1000);

	/* Not %f, which writes a comma where people do. */
	fprintf(out, "%s %" PRId64 ".%03" PRId64 "\n", name, thousandths / 1000,
		thousandths % 1000);
}

void metric_end(FILE *out)
{
	fputs("# EOF\n", out);
}
