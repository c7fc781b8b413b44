/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "tests/bench/bench.h"

#define EXIT_USAGE 2

static const char help[] =
	"Usage: bench [--quick] [--json] [--strict] [--only=NAME]\n"
	"\n"
	"Measures a backup over the boot ROM with the real programs and virtual watches. Every\n"
	"figure is a ratio or a count of this run. MTKRB_BIN_DIR names the folder of the "
	"programs.\n"
	"\n"
	"  --quick    smaller flashes, fewer repetitions\n"
	"  --json     print JSON instead of a table\n"
	"  --strict   exit status 1 when a goal is missed\n"
	"  --only=NAME  one of speed, line, system-calls, plugs, memory, idle, latency, check,\n"
	"               submits, full-store, many-watches\n"
	"  --help\n";

struct arguments {
	bool quick, json, strict;
	const char *only; /* the one to run, NULL: all */
};

/* 1: done, nothing to measure. */
static int parse_arguments(int argc, char **argv, struct arguments *ret)
{
	static const struct option options[] = {
		{ "quick", no_argument, NULL, 'q' },  { "json", no_argument, NULL, 'j' },
		{ "strict", no_argument, NULL, 's' }, { "only", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },   { NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'q':
			ret->quick = true;
			break;
		case 'j':
			ret->json = true;
			break;
		case 's':
			ret->strict = true;
			break;
		case 'o':
			ret->only = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return 1;
		default:
			return -1;
		}
	}
	return optind < argc ? -1 : 0;
}

static const struct {
	const char *name;
	void (*run)(struct figures *figures, bool quick);
} benches[] = {
	{ "speed", bench_speed },
	{ "line", bench_line },
	{ "system-calls", bench_system_calls },
	{ "plugs", bench_plugs },
	{ "memory", bench_memory },
	{ "idle", bench_idle },
	{ "latency", bench_latency },
	{ "check", bench_check },
	{ "submits", bench_submits },
	{ "full-store", bench_full_store },
	{ "many-watches", bench_many_watches },
};

static bool is_bench(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(benches); i++)
		if (streq(benches[i].name, name))
			return true;
	return false;
}

static void measure(struct figures *figures, const struct arguments *arguments)
{
	for (size_t i = 0; i < ARRAY_SIZE(benches); i++)
		if (!arguments->only || streq(arguments->only, benches[i].name))
			benches[i].run(figures, arguments->quick);
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct figures figures = { 0 };
	int r = parse_arguments(argc, argv, &arguments);

	if (r == 0 && arguments.only && !is_bench(arguments.only)) {
		fprintf(stderr, "bench: --only=%s: there is no such measurement\n", arguments.only);
		r = -1;
	}
	if (r != 0) {
		if (r < 0)
			fprintf(stderr, "hint: bench --help\n");
		return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
	}
	/* The rig ends a failed test with a jump into cmocka; there is none here to jump to. */
	if (!getenv("MTKRB_BIN_DIR") || setenv("CMOCKA_TEST_ABORT", "1", 1) < 0) {
		fprintf(stderr, "bench: MTKRB_BIN_DIR is not set\nhint: use tests/bench/run\n");
		return EXIT_USAGE;
	}
	measure(&figures, &arguments);
	if (!arguments.json) {
		figures_print_table(&figures);
	} else if (figures_print_json(&figures) < 0) {
		fprintf(stderr, "bench: out of memory\n");
		return EXIT_FAILURE;
	}
	return arguments.strict && figures_any_missed(&figures) ? EXIT_FAILURE : EXIT_SUCCESS;
}
