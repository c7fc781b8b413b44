/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* mtkrbd.conf and its drop-ins (inih). A broken line is an error with file, line and key. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/policy/retention.h"
#include "daemon/policy/rules.h"
#include "daemon/policy/slot-settings.h"
#include "protocol/base/cleanup.h"

/* [hooks]: programs that run after a job. */
struct hook_settings {
	bool enabled;
	double timeout;  /* seconds for each of them */
	char *directory; /* where they are */
};

struct config {
	int log_level;        /* syslog level */
	unsigned int workers; /* at most that many at once */

	double handshake_timeout_usb;  /* seconds */
	double handshake_timeout_uart; /* seconds */
	uint64_t resume_timeout_usec;  /* how long a waiting job waits for its watch */

	uint64_t free_space_floor; /* bytes that a new job must leave free */
	bool deduplicate;          /* equal backups are stored once */
	struct retention_rules retention;
	struct hook_settings hooks;

	struct slot_settings slots; /* [slots] and [slot NAME]; all have a name and a place */
	struct rules rules;         /* [rule NAME] and, as the last of them, [automatic] */
};

/* The longest place that a configuration can name; real ones are about 40 bytes. */
#define CONFIG_PLACE_BYTES 160

/*
 * Defaults, then path (may be absent only when required is false), then *.conf in path.d in order
 * of name. On failure *ret_error is a line "FILE:LINE: [section] key: what is wrong (allowed: …)" that
 * the caller frees, NULL when out of memory; -EINVAL, or the errno of reading the file.
 */
_must_check_ int config_load(const char *path, bool required, struct config *ret, char **ret_error);
void config_clear(struct config *config);
