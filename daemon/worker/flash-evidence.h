/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Gathers from a watch what tells the size of its flash: the firmware's tables and the wrap of its
 * addresses, by a few small reads, and decides (flash-size.h).
 */

#include <stdint.h>

#include "daemon/worker/flash-size.h"
#include "protocol/base/cleanup.h"
#include "protocol/device/reader.h"

struct flash_evidence_query {
	struct reader *reader;
	uint64_t end; /* all that is wanted ends here, and no probe reaches behind; 0: find out */
	const struct flash_report *report; /* of a download agent; NULL: none */
	uint64_t avoid;                    /* a probe here hung the watch; 0: none */
	/* Called before (and, with 0, after) a probe that may hang the watch. */
	int (*probing)(void *userdata, uint64_t address);
	void *userdata;
};

struct flash_evidence {
	struct flash_facts facts;
	struct address_alias alias;
	enum flash_size_verdict verdict;
	uint64_t size;      /* when agreed */
	const char *reason; /* static */
};

/* Errors of address_alias_find. A disagreement is looked at twice before it is believed. */
_must_check_ int flash_evidence_gather(const struct flash_evidence_query *query,
				       struct flash_evidence *ret);
