/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A line of a batch, as a barcode scanner, a person or a spreadsheet gives it: the ticket and what
 * else is known of its watch, in fields; and the slot it is bound to.
 *
 *     4711
 *     4711;Ms. O'Hara;490154203237518;screen broken
 *     @A1 4711;Ms. O'Hara
 *     @A1
 *
 * Fields are separated by tabs when there is one, else by semicolons; blanks around them do not
 * count, empty ones say nothing. No files, no terminal.
 */

#include <stddef.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/label.h"
#include "protocol/control/limits.h"

#define TICKET_FIELDS   "ticket,customer,imei,note"
#define TICKET_WHY_SIZE 160

/* Which fields a line has, in their order. */
struct ticket_format {
	char *keys[LIMIT_LABELS]; /* of the labels they become; NULL: passed over */
	size_t n;
};

/*
 * KEY,KEY,...: labels, "-" for a field that is passed over; there must be a ticket, and no batch.
 * -EINVAL with the reason in why, -ENOMEM.
 */
_must_check_ int ticket_format_parse(const char *text, struct ticket_format *ret,
				     char why[TICKET_WHY_SIZE]);
void ticket_format_clear(struct ticket_format *format);

struct ticket {
	char *slot;       /* NULL: the line names none */
	const char *name; /* borrowed from labels; NULL: the line is empty but for a slot */
	struct label *labels;
	size_t n_labels;
};

/* The line ends with size. -EINVAL with the reason in why, -ENOMEM. */
_must_check_ int ticket_parse(const struct ticket_format *format, const char *line, size_t size,
			      struct ticket *ret, char why[TICKET_WHY_SIZE]);
void ticket_clear(struct ticket *ticket);

/* Why this cannot be an IMEI: its digits, or the last of them, which is made of the others. Else NULL. */
const char *ticket_doubt_imei(const char *imei);
