/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a number or word of an error means: our own failure words, and the numbers of boot ROMs,
 * download agents and MediaTek's tools, in one form.
 */

#include <stddef.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"
#include "protocol/device/errors.h"

struct json_object;

struct explanation {
	const struct device_error *error; /* NULL: one of our failure words */
	enum failure_code failure;
};

#define EXPLANATION_MATCHES_MAX (DEVICE_ERROR_MATCHES_MAX + 1U)

/* All that typed may mean; how many, at most EXPLANATION_MATCHES_MAX. */
size_t explanation_find(const char *typed, struct explanation ret[EXPLANATION_MATCHES_MAX]);

/* How many there are, and each one: our words first, then family by family. */
size_t explanation_count(void);
struct explanation explanation_at(size_t index);

const char *explanation_family(const struct explanation *explanation);
const char *explanation_name(const struct explanation *explanation);
const char *explanation_meaning(const struct explanation *explanation);
const char *explanation_hint(const struct explanation *explanation); /* NULL: nothing to do */

/* "1D0D", "3039", "6010 to 6019"; "" for a word. As the family writes its numbers. */
#define EXPLANATION_CODE_SIZE 32
const char *explanation_code(const struct explanation *explanation,
			     char buf[EXPLANATION_CODE_SIZE]);

/* {family, code, hex, last, name, symbol, meaning, hint, confirmed, source}. -ENOMEM. */
_must_check_ int explanation_to_json(const struct explanation *explanation,
				     struct json_object **ret);

/*
 * Names near to one that does not exist, best first, into ret; how many, at most max. They are
 * borrowed from the tables.
 */
size_t explanation_suggest(const char *typed, const char **ret, size_t max);
