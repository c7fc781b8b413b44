/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A line without a descriptor and a clock that only moves when the host waits, in the place of
 * protocol/device/transport.c and of time_now() (the linker's --wrap): so a watch that is silent
 * for ever is done with in microseconds, and every input gives the same run.
 *
 * What the watch says is a script. Its first byte is how the line ends: LINE_ENDS_*. Then come
 * steps, of two bits what and six bits n (three and five for the last two):
 *
 *	00 n	n + 1 bytes that follow
 *	01 n	n + 1 bytes of what the host sent and was not given back yet, the oldest first
 *	10 n	8 * (n + 1) times the byte that follows
 *	110 n	silence, until the host gives up waiting
 *	111 n	all that the host sent and was not given back yet
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/device/transport.h"

enum line_end {
	LINE_ENDS_GONE,
	LINE_ENDS_SILENT,
	LINE_ENDS_STREAMING, /* FF for ever */
	LINE_ENDS_ECHOING,
	_LINE_END_MAX,
};

#define LINE_SAY     0x00U
#define LINE_ECHO    0x40U
#define LINE_REPEAT  0x80U
#define LINE_SILENCE 0xC0U
#define LINE_MIRROR  0xE0U
#define LINE_STEP    64U /* the longest n + 1 */

/* Borrows script. */
struct transport *line_new(const uint8_t *script, size_t size);

/* As the linker names them. */
uint64_t __wrap_time_now(void);
