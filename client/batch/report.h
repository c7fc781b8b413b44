/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What came of a batch: a row for each job, in the order in which they were queued, and totals. A
 * ticket has passed when a job for it is done; a job without a ticket is one of its own.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/batch/jobs.h"
#include "client/output/term.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/backup.h"

struct client;

enum report_format { REPORT_TABLE, REPORT_CSV, REPORT_JSON, _REPORT_MAX };

struct report_row {
	const struct job *job;
	const char *ticket; /* NULL: none */
	struct backup backup;
	bool has_backup; /* the job made one and it is still there */
};

struct batch_report {
	const struct batch_jobs *jobs; /* borrowed */
	struct report_row *rows;       /* jobs->n of them */
	size_t tickets, passed, failed, open;
	uint64_t bytes; /* of all backups */
};

/* Asks for the backups. Returns an exit status: what is not STATUS_DONE has been printed. */
_must_check_ int batch_report_make(struct client *client, const struct batch_jobs *jobs,
				   struct batch_report *ret);
void batch_report_clear(struct batch_report *report);

/* -EINVAL for a word that is none of the formats. */
_must_check_ int report_format_from_string(const char *word, enum report_format *ret);

/* term is of out, and matters to the table alone. -ENOMEM. */
_must_check_ int batch_report_write(const struct batch_report *report, enum report_format format,
				    const struct term *term, FILE *out);
