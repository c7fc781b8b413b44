/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The address space of the chip, as its CPU sees it (little-endian):
 *
 *	00000000  bank 0: boot ROM until bit 1 of the map register is set, then flash (or PSRAM)
 *	10000000  bank 1: PSRAM (or flash, when bit 0 of the map register is set)
 *	70000000  SRAM, D000 bytes
 *	80000000  registers
 *	FFF00000  boot ROM, 64 KiB
 *
 * The banks are 256 MiB; boot ROM and PSRAM (4 MiB, as the FlashTool capture reports it) repeat in
 * theirs, the flash does what its owner chose. Everything else reads 0 and ignores writes: no
 * source says what a real chip does there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/watch/chip.h"
#include "tests/watch/flash.h"
#include "tests/watch/registers.h"

struct memory {
	const struct flash *flash; /* borrowed */
	struct registers registers;
	uint8_t *boot_rom;
	uint8_t *sram;
	uint8_t *psram;
};

/* -ENOMEM. */
_must_check_ int memory_init(struct memory *memory, const struct flash *flash);
void memory_done(struct memory *memory);

/* RAM and registers as after power-on. */
void memory_reset(struct memory *memory, const struct chip *chip);

/* Reads any length of any address; wraps at the end of the 32-bit space. */
void memory_read(const struct memory *memory, uint32_t address, uint8_t *data, size_t length);

/* Writes 2 or 4 bytes at a multiple of 2. */
enum registers_effect memory_write(struct memory *memory, uint32_t address, uint32_t value,
				   unsigned int width);

/* The RAM at address with room for length bytes, or NULL. */
uint8_t *memory_ram(const struct memory *memory, uint32_t address, uint32_t length);

/* True when address lies in the flash window as it is mapped now; its offset there. */
bool memory_in_flash(const struct memory *memory, uint32_t address, uint32_t *ret_offset);
