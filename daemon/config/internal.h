/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the configuration share: one file while it is read, and who sets which section. */

#include <stdint.h>

#include "daemon/config/config.h"
#include "protocol/base/cleanup.h"

/* One file while it is read; problem holds the first error, errors of inih's own have none. */
struct config_parser {
	struct config *config;
	const char *path;
	const char *rest; /* what inih has not asked for yet */
	int line;         /* number of the line before rest */
	char *problem;
	int error;
};

/* Notes the first thing that is wrong, key NULL for a whole line; allowed may be NULL. Returns error. */
int config_fail(struct config_parser *parser, int error, const char *section, const char *key,
		const char *reason, const char *allowed);

/* The same for a value that a setter refused with error. */
int config_refuse(struct config_parser *parser, int error, const char *section, const char *key,
		  const char *allowed);

/* Setters of one value: -EINVAL what is not understood, -ERANGE, -ENOMEM. */
_must_check_ int config_seconds(const char *value, double min, double max, double *ret);
_must_check_ int config_usec(const char *value, double max_seconds, uint64_t *ret);
/* "KEY=VALUE": the last value of a key counts. */
_must_check_ int config_label(const char *value, struct label **labels, size_t *n);

/* ---- config.c ---- */

/* The line of a section was read. Negative: it is refused, and noted. */
int config_begin_section(struct config_parser *parser, const char *section);

/* A key of a section. Negative: it is refused, and noted. */
_must_check_ int config_set_key(struct config_parser *parser, const char *section, const char *key,
				const char *value);

/* ---- read.c ---- */

/* Reads one file, or path.d; *ret_error as config_load has it. */
_must_check_ int config_read_file(struct config *config, const char *path, char **ret_error);
_must_check_ int config_read_drop_ins(struct config *config, const char *path, char **ret_error);

/* ---- retention.c: [retention] ---- */

_must_check_ int config_set_keep_last(struct config *config, const char *value);
_must_check_ int config_set_keep_for(struct config *config, const char *value);
_must_check_ int config_add_keep_label(struct config *config, const char *value);
_must_check_ int config_set_make_room(struct config *config, const char *value);

/* ---- hooks.c: [hooks] ---- */

_must_check_ int config_set_hooks_enabled(struct config *config, const char *value);
_must_check_ int config_set_hooks_timeout(struct config *config, const char *value);
_must_check_ int config_set_hooks_directory(struct config *config, const char *value);

/* hooks.d beside the configuration file, where none is configured. -ENOMEM. */
_must_check_ int config_default_hooks(struct config *config, const char *path);

/* ---- slots.c: [slots] and [slot NAME]; section is the text between the brackets ---- */

_must_check_ int config_slots_set(struct config_parser *parser, const char *section,
				  const char *no_name, const char *name, const char *path);
_must_check_ int config_slot_begin(struct config_parser *parser, const char *section,
				   const char *name);
_must_check_ int config_slot_set(struct config_parser *parser, const char *section,
				 const char *name, const char *key, const char *value);

/* When all files are read: what has no place is called as it is attached; rules must be there. */
_must_check_ int config_slots_complete(struct config *config, char **ret_error);

/* ---- rules.c: [rule NAME] and [automatic] ---- */

_must_check_ int config_rule_begin(struct config_parser *parser, const char *section,
				   const char *name);
_must_check_ int config_rule_set(struct config_parser *parser, const char *section,
				 const char *name, const char *key, const char *value);
_must_check_ int config_automatic_set(struct config_parser *parser, const char *section,
				      const char *no_name, const char *key, const char *value);
