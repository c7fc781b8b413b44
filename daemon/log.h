/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The daemon's log: structured to the journal when stderr is connected to it, else plain lines on
 * stderr. Job, slot and chip travel as fields MTKRB_JOB, MTKRB_SLOT, MTKRB_CHIP, so that
 * `journalctl MTKRB_JOB=12` finds them; on stderr they stand before the message. The journal alone
 * gets MESSAGE_ID, MTKRB_BACKUP and MTKRB_FAILURE.
 */

#include <stdint.h>
#include <syslog.h>

#include "protocol/base/cleanup.h"

/* 0 and NULL: none. */
struct log_context {
	const char *id; /* one of log-ids.h */
	int64_t job;
	const char *slot;
	const char *chip;
	const char *backup;  /* its id */
	const char *failure; /* its code, as a word */
};

/* The one process-wide setting besides argv: lines above level (LOG_INFO …) are dropped. */
void log_set_level(int level);

_must_check_ int log_level_from_string(const char *s, int *ret);

_printf_(3, 4) void log_event(int level, const struct log_context *context, const char *format,
			      ...);

#define log_error(...)   log_event(LOG_ERR, NULL, __VA_ARGS__)
#define log_warning(...) log_event(LOG_WARNING, NULL, __VA_ARGS__)
#define log_notice(...)  log_event(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_info(...)    log_event(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...)   log_event(LOG_DEBUG, NULL, __VA_ARGS__)
