/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * ALICE, the packed code that ends a VIVA file: header, stream of groups of 64 halfwords, map with
 * one entry a group, dictionary. No digest covers it, but the length of every group follows from
 * its bits and must be what the map says, which damage does not survive: of a single wrong bit one
 * in seven is found, of 256 wrong bytes all. Layout by measuring real firmware packages.
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define ALICE_HEADER_SIZE 0x28U
#define ALICE_CLASSES     7U

enum alice_state {
	ALICE_GOOD,
	ALICE_NO_MARK,    /* it does not begin with "ALICE_1" or "ALICE_2" */
	ALICE_WIDTHS,     /* a width of the dictionary's classes cannot be */
	ALICE_ADDRESSES,  /* stream, map and dictionary do not lie behind one another in it */
	ALICE_DICTIONARY, /* the dictionary does not end where the file ends */
	_ALICE_STATE_MAX,
};

/* Offsets are from the header's begin. */
struct alice {
	unsigned int generation; /* 1: MT2502 and others, 2: MT6261 */
	uint8_t widths[ALICE_CLASSES];
	uint64_t stream, map, dictionary, end;
	uint32_t base; /* address of the stream, as the map's entries have it */
	uint64_t n_groups;
};

struct alice_walk {
	uint64_t n_bad;     /* groups whose length is not what the map says */
	uint64_t first_bad; /* offset of the first of them */
	uint64_t last_bad;  /* offset of the last */
};

/*
 * Reads the header. data has all size bytes from it to the file's end; address is what the file
 * says it is mapped at. *ret is written only when the result is ALICE_GOOD.
 */
_must_check_ enum alice_state alice_parse(const uint8_t *data, uint64_t size, uint32_t address,
					  struct alice *ret);

/* Walks over all groups; data as given to alice_parse, which was good. */
void alice_walk(const struct alice *alice, const uint8_t *data, struct alice_walk *ret);

/* What is wrong, as the rest of a sentence that begins with "ALICE": "has no mark", …. */
const char *alice_state_to_string(enum alice_state state);
