/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/figures.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/control/message.h"

static const char *const comparisons[] = {
	[GOAL_NONE] = "",
	[GOAL_AT_LEAST] = ">=",
	[GOAL_AT_MOST] = "<=",
	[GOAL_BELOW] = "<",
};

void figures_add(struct figures *figures, struct figure figure)
{
	if (figures->n == FIGURES_MAX)
		abort();
	figures->list[figures->n++] = figure;
}

bool figure_is_missed(const struct figure *figure)
{
	if (figure->skipped)
		return false;
	switch (figure->kind) {
	case GOAL_AT_LEAST:
		return figure->measured < figure->goal;
	case GOAL_AT_MOST:
		return figure->measured > figure->goal;
	case GOAL_BELOW:
		return figure->measured >= figure->goal;
	default:
		return false;
	}
}

bool figures_any_missed(const struct figures *figures)
{
	for (size_t i = 0; i < figures->n; i++)
		if (figure_is_missed(&figures->list[i]))
			return true;
	return false;
}

static const char *verdict(const struct figure *figure)
{
	if (figure->skipped)
		return figure->skipped;
	if (figure->kind == GOAL_NONE)
		return "";
	return figure_is_missed(figure) ? "MISSED" : "ok";
}

static void print_row(const struct figure *figure)
{
	char measured[32] = "-", goal[32] = "";

	if (!figure->skipped)
		(void)snprintf(measured, sizeof(measured), "%.*f", figure->measured < 100 ? 2 : 0,
			       figure->measured);
	if (figure->kind != GOAL_NONE)
		(void)snprintf(goal, sizeof(goal), "%s %g", comparisons[figure->kind],
			       figure->goal);
	printf("%-62s %9s %9s  %-10s %s\n", figure->what, measured, goal, figure->unit,
	       verdict(figure));
}

void figures_print_table(const struct figures *figures)
{
	printf("%-62s %9s %9s\n", "figure", "measured", "goal");
	for (size_t i = 0; i < figures->n; i++)
		print_row(&figures->list[i]);
}

static int to_json(const struct figure *figure, struct json_object **ret)
{
	const bool there = !figure->skipped, aimed = figure->kind != GOAL_NONE;

	return message_build(
		ret, MEMBERS(M_STRING("name", figure->name), M_STRING("what", figure->what),
			     M_STRING("unit", figure->unit),
			     M_REAL_IF(there, "measured", figure->measured),
			     aimed ? M_STRING("comparison", comparisons[figure->kind]) : M_NONE,
			     M_REAL_IF(aimed, "goal", figure->goal),
			     there && aimed ? M_BOOL("ok", !figure_is_missed(figure)) : M_NONE,
			     M_STRING_OPT("skipped", figure->skipped)));
}

int figures_print_json(const struct figures *figures)
{
	_cleanup_message_ struct json_object *document = NULL;
	struct json_object *array;
	_cleanup_free_ char *text = NULL;
	int r = message_new_array(&array);

	if (r < 0)
		return r;
	for (size_t i = 0; r >= 0 && i < figures->n; i++) {
		struct json_object *row;

		r = to_json(&figures->list[i], &row);
		if (r >= 0)
			r = message_append(array, row);
	}
	if (r < 0) {
		message_unref(array);
		return r;
	}
	r = message_build(&document, MEMBERS(M_OBJECT("figures", array)));
	if (r >= 0)
		r = message_to_pretty_text(document, &text);
	if (r >= 0)
		puts(text);
	return r;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}
