/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The boot ROM's grammar below the commands: fields that are echoed, answers, status words, and
 * what the watch may still be waiting for when something went wrong. Errors as in brom.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/device/transport.h"

/* How long a boot ROM may think about one answer; real ones need about 1 ms (capture). */
#define BROM_WIRE_SILENCE_USEC 1000000ULL

/* What the last command left behind, for brom-sync.h. */
enum brom_wire_debt {
	BROM_WIRE_NOTHING, /* every argument arrived, or the command has none */
	BROM_WIRE_READ,    /* a read whose arguments were not all echoed */
	BROM_WIRE_WRITE,   /* a write whose value was not echoed: any byte now could be written */
};

struct brom_wire {
	struct transport *transport; /* borrowed */
	bool line_echoes;            /* the line gives our own bytes back before the watch's */
	bool combines;               /* a read command goes out in one write */
	uint16_t status;             /* of the last -EREMOTEIO */
	enum brom_wire_debt debt;
	size_t unechoed; /* bytes of a BROM_WIRE_READ that came no more */
};

_must_check_ int brom_wire_send(struct brom_wire *wire, const void *data, size_t size);
_must_check_ int brom_wire_receive(struct brom_wire *wire, void *data, size_t size);

/* Sends a byte that begins a command and awaits its echo. */
_must_check_ int brom_wire_opcode(struct brom_wire *wire, uint8_t opcode);

/* Sends a byte and takes the one that answers it, whatever it is (FE and FF have no echo). */
_must_check_ int brom_wire_ask(struct brom_wire *wire, uint8_t opcode, uint8_t *ret);

/*
 * Sends opcode, address and count, awaiting every echo; in one write when wire->combines. A write
 * command always goes field by field, so nothing follows an address that was not understood.
 */
_must_check_ int brom_wire_read_command(struct brom_wire *wire, uint8_t opcode, uint32_t address,
					uint32_t count);
_must_check_ int brom_wire_write_command(struct brom_wire *wire, uint8_t opcode, uint32_t address,
					 uint32_t count);

/* True when the last read command's opcode did not come back: the watch does not know it. */
bool brom_wire_ignored(const struct brom_wire *wire);

/* The value of a write command, 2 or 4 bytes. */
_must_check_ int brom_wire_value(struct brom_wire *wire, uint32_t value, size_t size);

_must_check_ int brom_wire_get16(struct brom_wire *wire, uint16_t *ret);
_must_check_ int brom_wire_get32(struct brom_wire *wire, uint32_t *ret);

/* A status word: below 0100 is success (0000 for reads, 0001 for writes: capture). */
_must_check_ int brom_wire_status(struct brom_wire *wire);
