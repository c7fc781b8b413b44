/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The registers of the chip, as far as the FlashTool capture shows them: the identity, the eFuse
 * word, the watchdog, the charger, the clock with its power latch, and the map of the flash.
 * What the capture does not show is chosen: a register that nobody knows reads 0 until it is
 * written and then keeps the value; identity and eFuse ignore writes.
 */

#include <stdint.h>

#include "tests/watch/chip.h"

/* MODE of the watchdog: upper byte is the key 22, bit 0 switches it on. */
#define REGISTER_WATCHDOG 0xA0030000U
/* Writing 1971 starts its time again. */
#define REGISTER_WATCHDOG_KICK 0xA0030008U
/* Writing 1209 resets the chip at once. */
#define REGISTER_WATCHDOG_RESET 0xA003001CU
/* Bit 1: flash and PSRAM instead of the boot ROM at 0; bit 0: the two banks are swapped. */
#define REGISTER_MAP 0xA0510000U

#define REGISTERS_MAX 128 /* kept; a write of one more is ignored */

struct registers {
	struct {
		uint32_t address; /* a multiple of 4 */
		uint32_t value;
		uint32_t latched; /* of the clock: written, not yet taken over */
	} items[REGISTERS_MAX];
	size_t n_items;
};

/* What a write does beyond the register. */
enum registers_effect {
	REGISTERS_NOTHING,
	REGISTERS_WATCHDOG_ON,
	REGISTERS_WATCHDOG_OFF,
	REGISTERS_WATCHDOG_KICK,
	REGISTERS_RESET,
};

/* The state after power-on. */
void registers_reset(struct registers *registers, const struct chip *chip);

/* The 32-bit word at a multiple of 4; a 16-bit register is its lower half. */
uint32_t registers_read(const struct registers *registers, uint32_t address);

/* Writes the bits of mask in the word at a multiple of 4. */
enum registers_effect registers_write(struct registers *registers, uint32_t address, uint32_t value,
				      uint32_t mask);
