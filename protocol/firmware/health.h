/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Is a flash image whole? Every check has a stable name, says where it looked and what came out in
 * a plain sentence. The score is never more than the checks: what one read cannot prove (the ROM
 * has no digest) is counted as unknown, and the coverage says how many bytes that is. Only a second
 * readback that is the same below the user area proves the rest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/firmware/image-compare.h"
#include "protocol/firmware/layout.h"

enum health_outcome {
	HEALTH_PASS,
	HEALTH_FAIL,
	HEALTH_UNKNOWN, /* could not be decided from this image */
	HEALTH_REMARK,  /* nothing to pass or fail; worth knowing */
	_HEALTH_OUTCOME_MAX,
};

/* What a failure of the check means. */
enum health_severity {
	HEALTH_FATAL, /* no firmware files can be made of the image */
	HEALTH_ERROR, /* they can, but something is damaged */
	HEALTH_NOTE,  /* not a damage by itself */
	_HEALTH_SEVERITY_MAX,
};

struct health_check {
	const char *name; /* "boot-header", "digest", "alice-walk", …; stable, static */
	const char *part; /* the file it is about ("ROM"), static or borrowed from the layout;
			     NULL: the image */
	uint64_t offset, length; /* where it looked; length 0: nowhere in particular */
	enum health_outcome outcome;
	enum health_severity severity;
	char *text; /* a sentence */
	char *hint; /* a way out, NULL where there is none */
};

/*
 * Bytes of the firmware (boot header, BRLYT and files below the image's end, each byte once), by
 * the best proof for them: digest + structure + unproven = firmware.
 */
struct health_coverage {
	uint64_t firmware;
	uint64_t digest;    /* a SHA-1 in the file matches */
	uint64_t structure; /* a structure that damage would break holds together */
	uint64_t unproven;  /* nothing can prove them from one read */
	uint64_t same;      /* bytes below the user area that a second readback has the same */
};

struct health_report {
	struct health_check *checks; /* in the order they were made */
	size_t n_checks;
	size_t n_outcomes[_HEALTH_OUTCOME_MAX];
	size_t n_failed[_HEALTH_SEVERITY_MAX];
	/*
	 * Passed of all that passed, failed or stayed unknown, in percent, rounded down; 0 without
	 * any firmware.
	 */
	unsigned int score;
	struct health_coverage coverage;
	struct image_difference difference; /* all zero without a second image */
};

struct health_options {
	const uint8_t *chip_id; /* JEDEC id that the watch itself told; NULL: not known */
	size_t chip_id_length;  /* 3 to 8 */
	const uint8_t *second;  /* a second readback; NULL: none */
	uint64_t second_size;
};

/* options may be NULL. -EINVAL for a chip id of a wrong length, -ENOMEM, -EIO without SHA-1. */
_must_check_ int health_check(const struct layout *layout, const struct health_options *options,
			      struct health_report **ret);
void health_report_free(struct health_report *report);
DEFINE_CLEANUP(struct health_report *, health_report_free);

/* True when no check of the severities fatal and error failed. */
bool health_is_good(const struct health_report *report);

/* True when firmware files can be made: no fatal check failed. */
bool health_can_rebuild(const struct health_report *report);

/* "pass", "fail", "unknown", "note". */
const char *health_outcome_to_string(enum health_outcome outcome);

/* "fatal", "error", "note". */
const char *health_severity_to_string(enum health_severity severity);

/* One sentence that says what the score covers and what not; a new string, NULL: no memory. */
char *health_summary(const struct health_report *report);
