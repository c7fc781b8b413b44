/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The serial-flash controller in manual mode, and behind it a Macronix MX25U part of the flash's
 * size: JEDEC id and SFDP. Registers as mediatek_flash uses them on a real watch. Every other opcode
 * is answered by FF and does nothing.
 */

#include <stdint.h>

#include "tests/watch/flash.h"
#include "tests/watch/registers.h"

/* The register at address was written: does what the controller would do. */
void sfi_written(struct registers *registers, const struct flash *flash, uint32_t address);
