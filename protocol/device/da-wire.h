/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The grammar of a v3.2 download agent below its commands. Nothing is echoed, numbers are
 * big-endian. A command is answered by 5A, or by A5 and a code (disassembly, two builds); unknown
 * ones are not answered at all.
 *
 * Only commands that read, ask, or end the session can be sent: every other byte is refused here,
 * so that no mistake above can erase or program anything.
 *
 * Errors as in transport.h; -EPROTO an answer that cannot be.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/device/transport.h"

#define DA_WIRE_ACK      0x5AU
#define DA_WIRE_NACK     0xA5U
#define DA_WIRE_CONTINUE 0x69U
#define DA_WIRE_SYNC     0xC0U

/* How long an agent may think about an answer; it needs up to 0.5 s for its report (capture). */
#define DA_WIRE_SILENCE_USEC 3000000ULL

enum da_command {
	DA_COMMAND_SPEED = 0xD2, /* of a UART */
	DA_COMMAND_READ = 0xD6,
	DA_COMMAND_FINISH = 0xD9,
	DA_COMMAND_DSP_VERSION = 0xDA,
	DA_COMMAND_WATCHDOG = 0xDB,    /* resets the watch in the end */
	DA_COMMAND_POWER_LATCH = 0xB9, /* lets the watch go off */
	DA_COMMAND_USB_CLOSE = 0xC9,
	DA_COMMAND_PROJECT_ID = 0xEF,
	DA_COMMAND_FAT_INFO = 0xF0,
};

/* True for the bytes of enum da_command, and for no other. */
bool da_wire_allows(uint8_t command);

/* Sends a command and its arguments (at most 16 bytes) in one write. -EPERM. */
_must_check_ int da_wire_command(struct transport *transport, uint8_t command,
				 const void *arguments, size_t size);

/* Acknowledges a packet, or asks for it again. */
_must_check_ int da_wire_answer(struct transport *transport, bool good);

_must_check_ int da_wire_get8(struct transport *transport, uint8_t *ret);

/* Reads 5A; -EREMOTEIO for A5, with its code in *ret_code. */
_must_check_ int da_wire_accepted(struct transport *transport, uint32_t *ret_code);

/* The sum of all bytes, which ends every packet (disassembly, mtkclient). */
uint16_t da_wire_sum(const uint8_t *data, size_t size);
