/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs: each one's name, options and help, and what it runs. the files of verbs/ define them. */

#include <stddef.h>

#include "protocol/base/cleanup.h"

struct arguments;
struct client;

struct verb_option {
	const char *name;     /* without the dashes; NULL ends a list */
	int key;              /* what arguments_next returns: above 0, below OPTION_SOCKET; when it
				 is a letter, that is the short option (h and H are general) */
	const char *argument; /* what its argument is called in the help, NULL: it has none */
	const char *text;     /* one line of help; NULL: not offered */
};

/* What becomes of it with -H HOST. */
enum verb_host {
	HOST_ASKED,   /* it runs here and asks the daemon there */
	HOST_RUNS,    /* it runs there, or what of it reads that machine's files does */
	HOST_REFUSED, /* it works on files of this machine, or on none, and needs no daemon */
};

struct verb {
	const char *name;
	const char *group; /* heading in the program's help; NULL: for programs, not
					      shown there */
	enum verb_host host;
	const char *arguments;                  /* "[ID...]", "" where it takes none */
	const char *summary;                    /* one line */
	const char *details;                    /* more lines for its own help; NULL: none */
	const struct verb_option *options;      /* NULL: none of its own */
	const struct verb_option *more_options; /* of something that it makes use of; NULL: none */
	const char *more_title;                 /* heading of those in its help */
	int (*run)(struct client *client,
		   struct arguments *arguments); /* returns the exit status */
};

/* In the order of the help; the groups stand together. */
extern const struct verb *const verbs[];
extern const size_t n_verbs;

/* NULL when there is none of that name. */
const struct verb *verb_find(const char *name);

/* A sentence for who reads about the verb; NULL where -H does what it does everywhere. */
const char *verb_host_text(const struct verb *verb);

/* The nearest name to one that does not exist, or NULL. */
const char *verb_suggest(const char *name);

/* Options that hold everywhere; ends with a NULL name. */
extern const struct verb_option general_options[];
enum general_option {
	OPTION_SOCKET = 0x1000,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_NO_COLOR,
	OPTION_HELP,
	OPTION_VERSION,
};

/* Help on stdout: for the program, for one verb. */
void verb_print_program_help(void);
void verb_print_help(const struct verb *verb);

extern const struct verb verb_status, verb_board;
extern const struct verb verb_ports, verb_attach, verb_detach;
extern const struct verb verb_audit, verb_metrics;
extern const struct verb verb_slot, verb_rules;
extern const struct verb verb_submit, verb_batch;
extern const struct verb verb_jobs, verb_show, verb_cancel, verb_retry;
extern const struct verb verb_follow, verb_monitor;
extern const struct verb verb_da;
extern const struct verb verb_backups, verb_backup, verb_verify, verb_export, verb_diff,
	verb_remove, verb_prune;
extern const struct verb verb_bridge, verb_complete, verb_manual;
extern const struct verb verb_explain, verb_doctor;
extern const struct verb verb_check, verb_rebuild, verb_cut;
extern const struct verb verb_files, verb_extract;
