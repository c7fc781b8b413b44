/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A health check while it is made; only the health-*.c see this. */

#include "protocol/base/cleanup.h"
#include "protocol/firmware/health.h"

struct health {
	const struct layout *layout;
	struct health_options options;
	struct health_report *report;
	size_t capacity; /* of report->checks */
	int error;       /* the first, kept until the end; negative errno */

	bool digest_good[LAYOUT_PARTS_MAX];
	struct layout_span alice_proven; /* what a good walk covers */
};

/*
 * Adds a check: name, part, place, outcome and severity of like, and a sentence. A lack of memory
 * is kept in error.
 */
_printf_(3, 4) void health_add(struct health *health, const struct health_check *like,
			       const char *format, ...);

/* Gives the check added last a way out. */
_printf_(2, 3) void health_hint(struct health *health, const char *format, ...);

static inline enum health_outcome health_pass_if(bool good)
{
	return good ? HEALTH_PASS : HEALTH_FAIL;
}

/* A check about a part: what the image has of it is where it looked. */
static inline struct health_check health_of_part(const struct layout_part *part, const char *name,
						 enum health_severity severity)
{
	return (struct health_check){
		.name = name,
		.part = part->name,
		.offset = part->offset,
		.length = part->available,
		.severity = severity,
	};
}

/* The groups of checks. */
void health_check_size(struct health *health);
void health_check_boot(struct health *health);
void health_check_set(struct health *health);
void health_check_flash(struct health *health);
void health_check_parts(struct health *health);
void health_check_viva(struct health *health);
void health_check_pages(struct health *health);
