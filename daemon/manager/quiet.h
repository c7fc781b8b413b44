/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys that are left alone for a while: watches just read, slots whose watch is restarting. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quiet_entry {
	char *key;
	uint64_t until; /* monotonic */
};

struct quiet {
	struct quiet_entry *entries;
	size_t n;
};

void quiet_clear(struct quiet *quiet);

/* Leaves key alone for usec from now; a shorter time than before counts too. NULL is ignored. */
void quiet_keep(struct quiet *quiet, const char *key, uint64_t usec);

bool quiet_has(const struct quiet *quiet, const char *key);

/* When the first key that was left alone at that time is not any more; monotonic, or USEC_NEVER. */
uint64_t quiet_next(const struct quiet *quiet, uint64_t time);
