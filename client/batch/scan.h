/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tickets from standard input, each made a job of a batch at once, until the input ends. */

#include <stdbool.h>

#include "client/batch/ticket.h"
#include "protocol/base/cleanup.h"

struct client;
struct request;

/* All borrowed. */
struct batch_scan {
	const char *name;              /* of the batch */
	const struct request *request; /* what each job is to be, but for the words of its line */
	const struct ticket_format *format;
	bool again; /* a ticket that is in the batch already gets another job */
};

/*
 * What is wrong with a line is said with its number, and the next is read. Returns the exit status:
 * STATUS_FAILED when any line was not taken.
 */
_must_check_ int batch_scan_run(struct client *client, const struct batch_scan *scan);
