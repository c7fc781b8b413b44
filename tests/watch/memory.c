/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "tests/watch/sfi.h"

#define BANK_SIZE     0x10000000U
#define SRAM_BASE     0x70000000U
#define SRAM_SIZE     0x0000D000U
#define REGISTER_BASE 0x80000000U
#define BOOT_ROM_BASE 0xFFF00000U
#define BOOT_ROM_SIZE 0x00010000U
#define PSRAM_SIZE    0x00400000U
#define SFI_PAGE      0xA0140U
#define MAP_EXTERNAL  2U
#define MAP_SWAPPED   1U

/* A piece of the address space that is of one kind. */
struct region {
	uint8_t *data; /* NULL: reads fill, or registers */
	uint64_t length;
	uint8_t fill;
	bool registers;
};

/* Not the vendor's code: eight vectors as an ARM has them, then bytes that do not repeat. */
static void fill_boot_rom(uint8_t *data)
{
	uint32_t x = 0x6261CB01;

	for (uint32_t at = 0; at < BOOT_ROM_SIZE; at += 4) {
		x = x * 1664525U + 1013904223U;
		put_le32(data + at, at < 0x20 ? 0xE59FF018U : x);
	}
}

int memory_init(struct memory *memory, const struct flash *flash)
{
	*memory = (struct memory){
		.flash = flash,
		.boot_rom = malloc(BOOT_ROM_SIZE),
		.sram = malloc(SRAM_SIZE),
		.psram = malloc(PSRAM_SIZE),
	};
	if (!memory->boot_rom || !memory->sram || !memory->psram) {
		memory_done(memory);
		return -ENOMEM;
	}
	fill_boot_rom(memory->boot_rom);
	return 0;
}

void memory_done(struct memory *memory)
{
	free(memory->boot_rom);
	free(memory->sram);
	free(memory->psram);
	*memory = (struct memory){ 0 };
}

void memory_reset(struct memory *memory, const struct chip *chip)
{
	memset(memory->sram, 0, SRAM_SIZE);
	memset(memory->psram, 0, PSRAM_SIZE);
	registers_reset(&memory->registers, chip);
}

bool memory_in_flash(const struct memory *memory, uint32_t address, uint32_t *ret_offset)
{
	uint32_t map = registers_read(&memory->registers, REGISTER_MAP);
	uint32_t bank = address / BANK_SIZE;

	if (bank != (map & MAP_SWAPPED) || (bank == 0 && !(map & MAP_EXTERNAL)))
		return false;
	*ret_offset = address % BANK_SIZE;
	return true;
}

static struct region repeated(uint8_t *data, uint32_t size, uint32_t address)
{
	uint32_t at = address % size;

	return (struct region){ .data = data + at, .length = size - at };
}

static struct region bank_at(const struct memory *memory, uint32_t address)
{
	struct region region = { .fill = 0xFF };
	uint32_t offset;

	if (memory_in_flash(memory, address, &offset)) {
		region.data = (uint8_t *)flash_at(memory->flash, offset, &region.length);
		region.length = MIN_OF(region.length, (uint64_t)BANK_SIZE - offset);
		return region;
	}
	if (address < BANK_SIZE &&
	    !(registers_read(&memory->registers, REGISTER_MAP) & MAP_EXTERNAL))
		return repeated(memory->boot_rom, BOOT_ROM_SIZE, address);
	return repeated(memory->psram, PSRAM_SIZE, address);
}

static struct region region_at(const struct memory *memory, uint32_t address)
{
	if (address < 2 * BANK_SIZE)
		return bank_at(memory, address);
	if (address < SRAM_BASE)
		return (struct region){ .length = SRAM_BASE - address };
	if (address < SRAM_BASE + SRAM_SIZE)
		return (struct region){ .data = memory->sram + (address - SRAM_BASE),
					.length = SRAM_BASE + SRAM_SIZE - address };
	if (address < REGISTER_BASE)
		return (struct region){ .length = REGISTER_BASE - address };
	if (address < BOOT_ROM_BASE)
		return (struct region){ .length = BOOT_ROM_BASE - address, .registers = true };
	if (address < BOOT_ROM_BASE + BOOT_ROM_SIZE)
		return (struct region){ .data = memory->boot_rom + (address - BOOT_ROM_BASE),
					.length = BOOT_ROM_BASE + BOOT_ROM_SIZE - address };
	return (struct region){ .length = 0x100000000ULL - address };
}

static void read_registers(const struct memory *memory, uint32_t address, uint8_t *data,
			   size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint32_t at = address + (uint32_t)i;

		data[i] = (uint8_t)(registers_read(&memory->registers, at & ~3U) >> 8 * (at & 3));
	}
}

void memory_read(const struct memory *memory, uint32_t address, uint8_t *data, size_t length)
{
	while (length > 0) {
		struct region region = region_at(memory, address);
		size_t n = MIN_OF(length, region.length);

		if (region.registers)
			read_registers(memory, address, data, n);
		else if (region.data)
			memcpy(data, region.data, n);
		else
			memset(data, region.fill, n);
		address += (uint32_t)n;
		data += n;
		length -= n;
	}
}

uint8_t *memory_ram(const struct memory *memory, uint32_t address, uint32_t length)
{
	struct region region = region_at(memory, address);
	uint32_t offset;

	if (!region.data || region.length < length || memory_in_flash(memory, address, &offset))
		return NULL;
	if (address >= BOOT_ROM_BASE ||
	    (address < BANK_SIZE &&
	     !(registers_read(&memory->registers, REGISTER_MAP) & MAP_EXTERNAL)))
		return NULL;
	return region.data;
}

enum registers_effect memory_write(struct memory *memory, uint32_t address, uint32_t value,
				   unsigned int width)
{
	uint8_t *ram = memory_ram(memory, address, width);
	unsigned int shift = 8 * (address & 2);

	if (ram && width == 4) {
		put_le32(ram, value);
	} else if (ram) {
		put_le16(ram, (uint16_t)value);
	} else if (address >= REGISTER_BASE && address < BOOT_ROM_BASE) {
		uint32_t mask = width == 4 ? UINT32_MAX : 0xFFFFU << shift;
		enum registers_effect effect =
			registers_write(&memory->registers, address & ~3U,
					width == 4 ? value : value << shift, mask);

		if (address >> 12 == SFI_PAGE)
			sfi_written(&memory->registers, memory->flash, address & ~3U);
		return effect;
	}
	return REGISTERS_NOTHING;
}
