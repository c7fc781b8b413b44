/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Decides how large a flash is from what its firmware says and from the wrap of its addresses.
 * Pure: no device, no file. A size that any piece of evidence contradicts is never decided.
 */

#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/manifest.h"
#include "protocol/device/address-alias.h"
#include "protocol/firmware/flash-facts.h"

/* A growing list of struct evidence; zero-initialise it. */
struct evidence_list {
	struct evidence *items;
	size_t n;
};

_must_check_ _printf_(4, 5) int evidence_add(struct evidence_list *list, const char *source,
					     uint64_t size, const char *format, ...);
void evidence_clear(struct evidence_list *list);

/* All of it as one line for people: "flash-info: …; address-alias: …". NULL: out of memory. */
char *evidence_to_line(const struct evidence_list *list);

enum flash_size_verdict {
	FLASH_SIZE_AGREED,
	FLASH_SIZE_CONTRADICTED,
	FLASH_SIZE_UNKNOWN, /* too little evidence */
};

/* *ret_size is set when agreed, *ret_reason (a static phrase) always. */
enum flash_size_verdict flash_size_decide(const struct flash_facts *facts,
					  const struct address_alias *alias, uint64_t *ret_size,
					  const char **ret_reason);

/* The largest size that the firmware allows for, a power of two; 0 when it says nothing. */
uint64_t flash_size_largest(const struct flash_facts *facts);

/* What a download agent says of the flash; size 0: no agent was asked. */
struct flash_report {
	uint64_t size;
	uint64_t part_size; /* of the part that its id names, 0: the id tells none */
	char id[17];        /* hexadecimal, empty: none */
};

/* The same with an agent's report, which counts for as much as the firmware's word. */
enum flash_size_verdict flash_size_decide_reported(const struct flash_facts *facts,
						   const struct address_alias *alias,
						   const struct flash_report *report,
						   uint64_t *ret_size, const char **ret_reason);

/* Puts an agent's report in words. -ENOMEM. */
_must_check_ int flash_size_describe_report(const struct flash_report *report,
					    struct evidence_list *list);

/* Puts what the firmware and the probe say in words. -ENOMEM. */
_must_check_ int flash_size_describe(const struct flash_facts *facts,
				     const struct address_alias *alias, struct evidence_list *list);
