/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/health.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/firmware/health-internal.h"

#define CHIP_ID_MIN 3U
#define CHIP_ID_MAX 8U

static _printf_(1, 0) char *format_text(const char *format, va_list ap)
{
	char *text;

	return vasprintf(&text, format, ap) < 0 ? NULL : text;
}

void health_add(struct health *health, const struct health_check *like, const char *format, ...)
{
	struct health_report *report = health->report;
	struct health_check *check;
	va_list ap;

	if (health->error < 0)
		return;
	if (report->n_checks == health->capacity) {
		size_t capacity = MAX_OF(health->capacity * 2, 64U);
		void *checks = reallocarray(report->checks, capacity, sizeof(*report->checks));

		if (!checks) {
			health->error = -ENOMEM;
			return;
		}
		report->checks = checks;
		health->capacity = capacity;
	}
	check = &report->checks[report->n_checks];
	*check = *like;
	va_start(ap, format);
	check->text = format_text(format, ap);
	va_end(ap);
	if (!check->text) {
		health->error = -ENOMEM;
		return;
	}
	report->n_checks++;
	report->n_outcomes[check->outcome]++;
	if (check->outcome == HEALTH_FAIL)
		report->n_failed[check->severity]++;
}

void health_hint(struct health *health, const char *format, ...)
{
	struct health_report *report = health->report;
	char **hint;
	va_list ap;

	if (health->error < 0)
		return;
	hint = &report->checks[report->n_checks - 1].hint;
	va_start(ap, format);
	free(*hint);
	*hint = format_text(format, ap);
	va_end(ap);
	if (!*hint)
		health->error = -ENOMEM;
}

/* ---- The second readback ---- */

static void check_second(struct health *health)
{
	const struct layout *layout = health->layout;
	struct image_difference *difference = &health->report->difference;
	struct health_check check = {
		.name = "second-readback",
		.length = layout_firmware_end(layout),
		.severity = HEALTH_ERROR,
		.outcome = HEALTH_UNKNOWN,
	};
	uint64_t n_places;

	if (!health->options.second) {
		health_add(health, &check, "There is no second readback to compare with.");
		health_hint(health, "read the watch again and compare the two files");
		return;
	}
	image_compare(layout->image, layout->size, health->options.second,
		      health->options.second_size, check.length, difference);
	n_places = difference->n_ranges + difference->n_ranges_left_out;
	check.outcome = health_pass_if(difference->bytes == 0 && difference->missing == 0);
	if (difference->n_ranges > 0)
		check.offset = difference->ranges[0].offset;
	check.length = difference->compared - check.offset;
	if (difference->missing > 0)
		health_add(health, &check,
			   "One of the files lacks %" PRIu64 " bytes of what the other has below "
			   "the user area, and %" PRIu64 " bytes differ.",
			   difference->missing, difference->bytes);
	else if (difference->bytes > 0)
		health_add(health, &check,
			   "The second readback differs in %" PRIu64 " byte%s at %" PRIu64
			   " place%s below the user area.",
			   difference->bytes, difference->bytes == 1 ? "" : "s", n_places,
			   n_places == 1 ? "" : "s");
	else
		health_add(health, &check,
			   "The second readback has the same %" PRIu64
			   " bytes below the user area.",
			   difference->compared);
	if (check.outcome == HEALTH_FAIL)
		health_hint(health, "one of the two is wrong: read the watch a third time");
}

/* ---- Files without a digest ---- */

/* Nothing in them tells whether they are what the flash has; a second readback does. */
static void check_contents(struct health *health)
{
	const struct layout *layout = health->layout;
	const struct image_difference *difference = &health->report->difference;
	bool same = health->options.second && difference->bytes == 0 && difference->missing == 0;

	for (size_t i = 0; i < layout->n_parts; i++) {
		const struct layout_part *part = &layout->parts[i];
		struct health_check check = health_of_part(part, "content", HEALTH_ERROR);

		if (health->digest_good[i] || part->gfh.signature_type == GFH_SIGNATURE_PHASH)
			continue;
		check.outcome = same ? HEALTH_PASS : HEALTH_UNKNOWN;
		if (same)
			health_add(health, &check, "%s is the same in both readbacks.", part->name);
		else
			health_add(health, &check,
				   "%s has no digest: one readback alone cannot prove its content.",
				   part->name);
	}
}

/* ---- Coverage ---- */

static void cover_region(struct health *health, const struct layout_region *region)
{
	struct health_coverage *coverage = &health->report->coverage;

	switch (region->kind) {
	case REGION_BOOT_HEADER:
	case REGION_BOOT_LAYOUT:
		coverage->firmware += region->length;
		coverage->structure += region->length;
		break;
	case REGION_FILE:
	case REGION_ZIMAGE:
	case REGION_DCM:
	case REGION_ALICE:
		coverage->firmware += region->length;
		if (health->digest_good[region->part])
			coverage->digest += region->length;
		else if (region->kind == REGION_ALICE &&
			 health->alice_proven.offset == region->offset)
			coverage->structure += MIN_OF(health->alice_proven.length, region->length);
		break;
	default:
		break;
	}
}

static void cover(struct health *health)
{
	struct health_coverage *coverage = &health->report->coverage;

	for (size_t i = 0; i < health->layout->n_regions; i++)
		cover_region(health, &health->layout->regions[i]);
	coverage->unproven = coverage->firmware - coverage->digest - coverage->structure;
	coverage->same = health->report->difference.compared - health->report->difference.bytes;
}

/* ---- ---- */

static void make_score(struct health_report *report)
{
	size_t passed = report->n_outcomes[HEALTH_PASS];
	size_t all = passed + report->n_outcomes[HEALTH_FAIL] + report->n_outcomes[HEALTH_UNKNOWN];

	/* Checks that pass because there is nothing to fail prove nothing. */
	report->score = report->coverage.firmware > 0 ? (unsigned int)(passed * 100 / all) : 0;
}

static void check_all(struct health *health)
{
	health_check_size(health);
	/* Nothing can be said about the content of an image that has none. */
	if (!health->layout->blank) {
		health_check_boot(health);
		health_check_set(health);
		health_check_flash(health);
		health_check_parts(health);
		health_check_viva(health);
		health_check_pages(health);
		check_second(health);
		check_contents(health);
	}
	cover(health);
	make_score(health->report);
}

int health_check(const struct layout *layout, const struct health_options *options,
		 struct health_report **ret)
{
	_cleanup_(health_report_freep) struct health_report *report = calloc(1, sizeof(*report));
	struct health health = { .layout = layout, .report = report };

	if (!report)
		return -ENOMEM;
	if (options)
		health.options = *options;
	if (health.options.chip_id && (health.options.chip_id_length < CHIP_ID_MIN ||
				       health.options.chip_id_length > CHIP_ID_MAX))
		return -EINVAL;
	check_all(&health);
	if (health.error < 0)
		return health.error;
	*ret = TAKE_PTR(report);
	return 0;
}

void health_report_free(struct health_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->n_checks; i++) {
		free(report->checks[i].text);
		free(report->checks[i].hint);
	}
	free(report->checks);
	free(report);
}

bool health_is_good(const struct health_report *report)
{
	return report->n_failed[HEALTH_FATAL] == 0 && report->n_failed[HEALTH_ERROR] == 0;
}

bool health_can_rebuild(const struct health_report *report)
{
	return report->n_failed[HEALTH_FATAL] == 0;
}

const char *health_outcome_to_string(enum health_outcome outcome)
{
	static const char *const words[_HEALTH_OUTCOME_MAX] = {
		[HEALTH_PASS] = "pass",
		[HEALTH_FAIL] = "fail",
		[HEALTH_UNKNOWN] = "unknown",
		[HEALTH_REMARK] = "note",
	};

	return words[outcome];
}

const char *health_severity_to_string(enum health_severity severity)
{
	static const char *const words[_HEALTH_SEVERITY_MAX] = {
		[HEALTH_FATAL] = "fatal",
		[HEALTH_ERROR] = "error",
		[HEALTH_NOTE] = "note",
	};

	return words[severity];
}

/* In tenths of a percent, rounded down: only all is 100.0. */
static unsigned int permille(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (unsigned int)(part * 1000 / whole) : 0;
}

char *health_summary(const struct health_report *report)
{
	const struct health_coverage *coverage = &report->coverage;
	const struct image_difference *difference = &report->difference;
	unsigned int digest = permille(coverage->digest, coverage->firmware);
	unsigned int structure = permille(coverage->structure, coverage->firmware);
	size_t all = report->n_outcomes[HEALTH_PASS] + report->n_outcomes[HEALTH_FAIL] +
		     report->n_outcomes[HEALTH_UNKNOWN];
	char bytes[16];

	if (coverage->firmware == 0)
		return str_format("No firmware was found, so there is nothing to prove.");
	if (difference->compared > 0 && difference->bytes == 0 && difference->missing == 0)
		return str_format("%zu of %zu checks passed, and a second readback has every "
				  "byte below the user area the same.",
				  report->n_outcomes[HEALTH_PASS], all);
	return str_format("%zu of %zu checks passed; they cover a part of the firmware: a digest "
			  "proves %u.%u %% of its bytes, a structure %u.%u %%, nothing the "
			  "remaining %s.",
			  report->n_outcomes[HEALTH_PASS], all, digest / 10, digest % 10,
			  structure / 10, structure % 10, format_bytes(coverage->unproven, bytes));
}
