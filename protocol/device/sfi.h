/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Asks the flash itself what it is, through the registers of the MT6261 family's serial-flash
 * controller at A0140000: JEDEC id (opcode 9F) and SFDP (5A). No other opcode can be sent from here.
 *
 * Registers (mediatek_flash, whose code runs on the watch; that it works from the boot ROM's WRITE32
 * and READ32 too has been confirmed by nobody): +0 control, with bit 0 busy, 1 done, 2 trigger, 3
 * manual mode, 4 four lines; +8 bit 8 the bus is idle; +10 bytes to send; +14 bytes to receive; +800
 * the bytes sent, the answer right behind them. While it lasts the flash cannot be read; afterwards
 * the control register is as it was.
 */

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/device/brom.h"

struct sfi_identity {
	uint8_t jedec[3];
	bool has_jedec;     /* false: it answered all 00 or all FF */
	uint64_t sfdp_size; /* bytes, 0: it has no SFDP, or one that tells no size */
};

/*
 * -EOPNOTSUPP for a chip whose controller is not known, -EBUSY when the controller does not become
 * idle or does not end; else as brom.h.
 */
_must_check_ int sfi_identify(struct brom *brom, struct sfi_identity *ret);
