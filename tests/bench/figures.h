/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was measured, beside what was wanted; printed as a table or as JSON. */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/cleanup.h"

#define FIGURES_MAX 48

enum goal_kind {
	GOAL_NONE, /* printed for comparison only */
	GOAL_AT_LEAST,
	GOAL_AT_MOST,
	GOAL_BELOW,
};

struct figure {
	const char *name; /* as JSON has it; borrowed */
	const char *what; /* in words, for the table; borrowed */
	const char *unit; /* borrowed */
	enum goal_kind kind;
	double goal;
	double measured;
	const char *skipped; /* why there is no measurement, NULL: there is one; borrowed */
};

struct figures {
	struct figure list[FIGURES_MAX];
	size_t n;
};

/* More than FIGURES_MAX end the program. */
void figures_add(struct figures *figures, struct figure figure);

/* True when a figure is there and misses its goal. */
bool figure_is_missed(const struct figure *figure);
bool figures_any_missed(const struct figures *figures);

void figures_print_table(const struct figures *figures);

/* {"figures": [{"name", "unit", "measured", "goal", "ok"} …]}; negative errno. */
_must_check_ int figures_print_json(const struct figures *figures);

/* The middle of n values, which are put in order; n is not 0. */
double median(double *values, size_t n);
