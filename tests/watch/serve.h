/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The loop that carries bytes between a boot ROM and a line, until a signal ends it. */

#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "tests/watch/boot-rom.h"
#include "tests/watch/line.h"

struct serve_config {
	struct boot_rom *rom;  /* borrowed */
	struct line *line;     /* borrowed, down */
	uint64_t latency_nsec; /* before the first byte of an answer */
	uint64_t replug_nsec;  /* from a hang-up to the next plug-in; UINT64_MAX: never */
	int signal_fd;         /* readable when it is time to end */

	/* The watch can be opened at this path; called at every plug-in. */
	void (*plugged)(const char *device);
};

/*
 * Plugs in and serves. 0 when signal_fd became readable, the error of the first line_open(), or
 * -EPIPE when the far end of a tty that is not ours went away and there is no re-plug.
 */
_must_check_ int serve(const struct serve_config *config);
