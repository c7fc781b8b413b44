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
	"Usage: bench [--quick] [--json] [--strict]\n"
	"\n"
	"Measures a backup over the boot ROM with the real programs and virtual watches. Every\n"
	"figure is a ratio or a count of this run. MTKRB_BIN_DIR names the folder of the "
	"programs.\n"
	"\n"
	"  --quick    smaller flashes, fewer repetitions\n"
	"  --json     print JSON instead of a table\n"
	"  --strict   exit status 1 when a goal is missed\n"
	"  --help\n";

struct arguments {
	bool quick, json, strict;
};

/* 1: done, nothing to measure. */
static int parse_arguments(int argc, char **argv, struct arguments *ret)
{
	static const struct option options[] = {
		{ "quick", no_argument, NULL, 'q' },
		{ "json", no_argument, NULL, 'j' },
		{ "strict", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
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
		case 'h':
			fputs(help, stdout);
			return 1;
		default:
			return -1;
		}
	}
	return optind < argc ? -1 : 0;
}

static void measure(struct figures *figures, bool quick)
{
	static void (*const benches[])(struct figures *, bool) = {
		bench_speed,  bench_line, bench_system_calls, bench_plugs,
		bench_memory, bench_idle, bench_check,
	};

	for (size_t i = 0; i < ARRAY_SIZE(benches); i++)
		benches[i](figures, quick);
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct figures figures = { 0 };
	int r = parse_arguments(argc, argv, &arguments);

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
	measure(&figures, arguments.quick);
	if (!arguments.json) {
		figures_print_table(&figures);
	} else if (figures_print_json(&figures) < 0) {
		fprintf(stderr, "bench: out of memory\n");
		return EXIT_FAILURE;
	}
	return arguments.strict && figures_any_missed(&figures) ? EXIT_FAILURE : EXIT_SUCCESS;
}
