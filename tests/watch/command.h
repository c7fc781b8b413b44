/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The commands of the boot ROM: what each takes, and what it does once it has that. */

#include "tests/watch/boot-rom-internal.h"

/*
 * Success and errors of the newer commands: reads and writes by the FlashTool capture, the errors
 * as mtkclient names them.
 */
#define STATUS_READ         0x0000
#define STATUS_WRITTEN      0x0001
#define STATUS_BAD_ADDRESS  0x1D01
#define STATUS_AUTHENTICATE 0x1D0D
#define STATUS_MISALIGNED   0x1D11
#define STATUS_BAD_LENGTH   0x1D12
#define STATUS_ZERO_LENGTH  0x1D13
#define STATUS_NO_AGENT     0x1D16

/* The command of a byte, NULL when there is none. */
const struct command *command_find(uint8_t byte);
