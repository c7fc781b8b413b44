/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Assertions about a health report. */

#include "tests/unit/image-bench.h"

/* The check of a name, about a part (NULL: any or none); NULL when it was not made. */
_unused_ static const struct health_check *check_of(const struct bench *bench, const char *name,
						    const char *part)
{
	for (size_t i = 0; i < bench->report->n_checks; i++) {
		const struct health_check *check = &bench->report->checks[i];

		if (streq(check->name, name) && (!part || streq_ptr(check->part, part)))
			return check;
	}
	return NULL;
}

_unused_ static const struct health_check *assert_outcome(const struct bench *bench,
							  const char *name, const char *part,
							  enum health_outcome outcome)
{
	const struct health_check *check = check_of(bench, name, part);

	if (!check)
		fail_msg("no check %s of %s", name, part ? part : "the image");
	else if (check->outcome != outcome)
		fail_msg("%s of %s: %s: %s", name, part ? part : "the image",
			 health_outcome_to_string(check->outcome), check->text);
	return check;
}

/* The check failed, with that severity. */
_unused_ static const struct health_check *assert_fails(const struct bench *bench, const char *name,
							const char *part,
							enum health_severity severity)
{
	const struct health_check *check = assert_outcome(bench, name, part, HEALTH_FAIL);

	assert_int_equal(check->severity, severity);
	return check;
}

/* What every report has to keep, whatever the image. */
_unused_ static void assert_sound(const struct bench *bench)
{
	const struct health_report *report = bench->report;
	const struct health_coverage *coverage = &report->coverage;
	_cleanup_free_ char *summary = health_summary(report);
	size_t n = 0;

	assert_non_null(summary);
	for (size_t i = 0; i < _HEALTH_OUTCOME_MAX; i++)
		n += report->n_outcomes[i];
	assert_int_equal(n, report->n_checks);
	assert_int_equal(coverage->digest + coverage->structure + coverage->unproven,
			 coverage->firmware);
	assert_true(coverage->firmware <= bench->size);
	assert_true(report->score <= 100);
	if (report->n_outcomes[HEALTH_UNKNOWN] + report->n_outcomes[HEALTH_FAIL] > 0)
		assert_true(report->score < 100);
	for (size_t i = 0; i < report->n_checks; i++) {
		const struct health_check *check = &report->checks[i];
		size_t length = strlen(check->text);

		assert_true(length > 10 && check->text[length - 1] == '.');
		assert_true(check->length <= bench->size + 0x10000000ULL);
	}
}

_unused_ static void judge(struct bench *bench)
{
	bench_judge(bench, NULL);
	assert_sound(bench);
}
