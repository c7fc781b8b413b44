/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which backups of a watch may go: a pure function of the backups, the rules of [retention] and the
 * time. It errs on the side of keeping. A backup goes only when a newer one of the same watch is at
 * least as large and as healthy and not damaged, so the only backup of a watch never does, and neither
 * does one whose watch is not known. That the newer one holds the same parts of the flash is not in the
 * rows: who removes looks at that (archive_stands_for).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/backup.h"

struct retention_rules {
	uint64_t keep_last;        /* of a watch, the rest goes; 0: none goes for their number */
	uint64_t keep_for_usec;    /* what is younger stays */
	struct label *keep_labels; /* what carries one of these stays; value NULL: any value */
	size_t n_keep_labels;
	bool make_room; /* at the floor of free space the oldest that may go does */
};

void retention_rules_clear(struct retention_rules *rules);

enum retention_verdict {
	RETENTION_UNKNOWN_WATCH, /* kept: without ME ID nobody knows what else there is of it */
	RETENTION_LABEL,         /* kept: it carries a label of keep-label */
	RETENTION_YOUNG,         /* kept: younger than keep-for */
	RETENTION_NO_SUCCESSOR,  /* kept: no newer one is whole, as large and as healthy */
	RETENTION_AMONG_LAST,    /* kept: one of the keep-last */
	RETENTION_SPARE,         /* kept as long as there is room: keep-last is not set */
	RETENTION_BEYOND_LAST,   /* goes: as many newer ones as keep-last says are there */
	_RETENTION_VERDICT_MAX,
};

struct retention_decision {
	enum retention_verdict verdict;
	/* The newest backup that stands for it, borrowed; set whenever there is one. */
	const struct backup *successor;
};

/* Why it is kept, or goes, as a line ends for people. */
const char *retention_verdict_to_string(enum retention_verdict verdict);

/* True when no rule protects it, so that it may go where room is needed. */
bool retention_may_go(enum retention_verdict verdict);

/*
 * Decides on the n backups of one watch (one ME ID, or all without), the newest first, as the store
 * lists them; decisions has room for n. now is real time in microseconds.
 */
void retention_decide(const struct backup *backups, size_t n, const struct retention_rules *rules,
		      uint64_t now, struct retention_decision *decisions);
