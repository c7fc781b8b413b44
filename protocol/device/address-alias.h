/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Finds the size of a flash by the wrap of its addresses: a serial NOR ignores address bits that it
 * does not have, so its first bytes are seen again at its size. What a boot ROM does past the end
 * is documented by nobody; erased bytes, an error or silence are therefore told apart and reported,
 * and prove nothing by themselves.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/device/reader.h"

#define ADDRESS_ALIAS_FIRST  (512U * 1024U) /* smallest flash of these watches */
#define ADDRESS_ALIAS_LAST   (256ULL << 20) /* end of the boot ROM's flash window */
#define ADDRESS_ALIAS_PLACES 8U             /* compared before a wrap is believed */
#define ADDRESS_ALIAS_ENOUGH 3U             /* places with content, needed to tell anything */

enum past_end {
	PAST_END_UNKNOWN, /* nothing special was met as far as was probed */
	PAST_END_ERASED,  /* all places had one single byte value */
	PAST_END_ERROR,   /* the watch answered with an error */
	PAST_END_SILENT,  /* the watch did not answer, or did not the last time */
};

struct address_alias {
	uint64_t size;       /* where the flash begins again, 0: no wrap was seen */
	unsigned int places; /* that agreed there */
	uint64_t data_at;    /* highest probed address with content of its own, 0: none */
	uint64_t probed;     /* highest address that was probed, 0: none */
	enum past_end past_end;
	uint64_t past_end_at; /* lowest address of that behaviour with nothing else above */
	bool blank; /* the first 512 KiB have too little content to compare: nothing can be told */
};

struct address_alias_limits {
	uint64_t last;  /* no probe reaches behind this address */
	uint64_t avoid; /* the last probe here hung the watch: stop before it; 0: none */
	uint64_t safe;  /* probes below it cannot be past the end: before is not called */
	/* Called before a probe that could hang the watch; an error ends the search. May be NULL. */
	int (*before)(void *userdata, uint64_t address);
	void *userdata;
};

/*
 * Probes 512 KiB, 1 MiB, … in ascending order and never past the first wrap. -ENODEV, -ECANCELED,
 * -EHOSTDOWN when a probe hung the watch beyond recovery, -EIO when not even the first 512 KiB can
 * be read, or the error of before.
 */
_must_check_ int address_alias_find(struct reader *reader,
				    const struct address_alias_limits *limits,
				    struct address_alias *ret);

/* "erased", "error", "no answer", "unknown". */
const char *past_end_to_string(enum past_end past_end);
