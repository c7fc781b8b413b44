/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One thing, described in lines of name and value: a table of two columns without a header. */

#include "client/output/table.h"
#include "client/output/when.h"

/* -ENOMEM. The table is printed and freed like any other. */
_must_check_ int facts_new(struct table **ret);

_printf_(4, 5) void facts_add(struct table *table, const char *name, enum tint tint,
			      const char *format, ...);

/* Left out when text is NULL. */
void facts_add_known(struct table *table, const char *name, const char *text);

/* "2026-11-23 14:31:10 (3 min ago)"; left out when the time is 0. */
void facts_add_time(struct table *table, const char *name, uint64_t real_usec);
