/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/registers.h"

#include <stdbool.h>
#include <string.h>

#define REGISTER_HW_VERSION 0x80000000U
#define REGISTER_SW_VERSION 0x80000004U
#define REGISTER_HW_CODE    0x80000008U
#define REGISTER_HW_SUB     0x8000000CU
#define REGISTER_FUSE       0xA01C0108U

/* Bit 8 cleared lets bit 3 rise: 6001 is written, 6009 is read (FlashTool capture). */
#define REGISTER_CHARGER 0xA0700A14U

/*
 * The clock takes its registers over when 1 is written to the trigger; bit 6 of the first would
 * say that it is busy, but the capture never sees it set. The first needs the key 43 in the upper
 * byte: 430E is written, 000E is read.
 */
#define REGISTER_CLOCK 0xA0710000U
#define CLOCK_TRIGGER  (REGISTER_CLOCK + 0x74)
#define CLOCK_KEY      0x43

#define WATCHDOG_KEY   0x22
#define WATCHDOG_KICK  0x1971
#define WATCHDOG_RESET 0x1209

static bool in_clock(uint32_t address)
{
	return address >= REGISTER_CLOCK && address < CLOCK_TRIGGER;
}

static size_t find(const struct registers *registers, uint32_t address)
{
	size_t i = 0;

	while (i < registers->n_items && registers->items[i].address != address)
		i++;
	return i;
}

static void set(struct registers *registers, uint32_t address, uint32_t value)
{
	size_t i = find(registers, address);

	if (i == REGISTERS_MAX)
		return;
	if (i == registers->n_items)
		registers->n_items++;
	registers->items[i].address = address;
	registers->items[i].value = value;
	registers->items[i].latched = value;
}

void registers_reset(struct registers *registers, const struct chip *chip)
{
	memset(registers, 0, sizeof(*registers));
	set(registers, REGISTER_HW_VERSION, chip->hw_version);
	set(registers, REGISTER_SW_VERSION, chip->sw_version);
	set(registers, REGISTER_HW_CODE, chip->hw_code);
	set(registers, REGISTER_HW_SUB, chip->hw_sub);
	set(registers, REGISTER_FUSE, (uint32_t)chip->fuse << 16);
	set(registers, REGISTER_WATCHDOG, 0x0005);
	set(registers, REGISTER_MAP, 0);
	set(registers, 0xA0700A00, 0xF262);
	set(registers, 0xA0700A08, 0x000F);
	set(registers, REGISTER_CHARGER, 0x6101);
	set(registers, 0xA0700A24, 0x0010);
	set(registers, 0xA0700A28, 0x0010);
	set(registers, REGISTER_CLOCK, 0x0005);
	set(registers, REGISTER_CLOCK + 0x50, 0xFF5F);
	set(registers, REGISTER_CLOCK + 0x54, 0xFDDE);
}

uint32_t registers_read(const struct registers *registers, uint32_t address)
{
	size_t i = find(registers, address);
	uint32_t value;

	if (i == registers->n_items)
		return 0;
	value = registers->items[i].value;
	if (address == REGISTER_CHARGER && !(value & 0x0100))
		value |= 0x0008;
	return value;
}

static bool is_read_only(uint32_t address)
{
	return (address >= REGISTER_HW_VERSION && address <= REGISTER_HW_SUB) ||
	       address == REGISTER_FUSE;
}

static void clock_take_over(struct registers *registers)
{
	for (size_t i = 0; i < registers->n_items; i++) {
		uint32_t latched = registers->items[i].latched;

		if (!in_clock(registers->items[i].address))
			continue;
		if (registers->items[i].address != REGISTER_CLOCK)
			registers->items[i].value = latched;
		else if (latched >> 8 == CLOCK_KEY)
			registers->items[i].value = latched & 0xFF;
	}
}

static void latch(struct registers *registers, uint32_t address, uint32_t value, uint32_t mask)
{
	size_t i = find(registers, address);

	if (i == registers->n_items)
		set(registers, address, 0);
	if (i < registers->n_items)
		registers->items[i].latched =
			(registers->items[i].latched & ~mask) | (value & mask);
}

static enum registers_effect effect_of(uint32_t address, uint32_t value)
{
	switch (address) {
	case REGISTER_WATCHDOG:
		return value & 1 ? REGISTERS_WATCHDOG_ON : REGISTERS_WATCHDOG_OFF;
	case REGISTER_WATCHDOG_KICK:
		return (value & 0xFFFF) == WATCHDOG_KICK ? REGISTERS_WATCHDOG_KICK
							 : REGISTERS_NOTHING;
	case REGISTER_WATCHDOG_RESET:
		return (value & 0xFFFF) == WATCHDOG_RESET ? REGISTERS_RESET : REGISTERS_NOTHING;
	default:
		return REGISTERS_NOTHING;
	}
}

enum registers_effect registers_write(struct registers *registers, uint32_t address, uint32_t value,
				      uint32_t mask)
{
	uint32_t word = (registers_read(registers, address) & ~mask) | (value & mask);

	if (is_read_only(address))
		return REGISTERS_NOTHING;
	if (address == REGISTER_WATCHDOG && (word >> 8 & 0xFF) != WATCHDOG_KEY)
		return REGISTERS_NOTHING;
	if (in_clock(address)) {
		latch(registers, address, value, mask);
		return REGISTERS_NOTHING;
	}
	set(registers, address, word);
	if (address == CLOCK_TRIGGER && word == 1)
		clock_take_over(registers);
	return effect_of(address, word);
}
