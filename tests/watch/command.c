/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/command.h"

#include "protocol/base/bytes.h"

#define TARGET_SLA_AND_DAA 0x00000006U
#define BOOT_ROM_VERSION   0x05
#define PRELOADER_VERSION  0x01

static void refuse(struct boot_rom *rom, uint16_t status)
{
	boot_rom_trace(rom, "refused %04x", status);
	boot_rom_emit16(rom, status);
	rom->state = STATE_COMMAND;
}

/* The READ32 faults and the end of the flash: the status that refuses it, or 0. */
static uint16_t refuse_read32(struct boot_rom *rom)
{
	struct faults *faults = rom->config.faults;
	struct fault *block = faults_find(faults, FAULT_MAX_BLOCK);
	uint64_t bytes = (uint64_t)rom->arguments[1] * 4;
	uint32_t offset;

	rom->n_read32++;
	for (size_t i = 0; i < faults->n_items; i++) {
		if (faults->items[i].kind != FAULT_NACK || faults->items[i].value != rom->n_read32)
			continue;
		boot_rom_happens(rom, &faults->items[i]);
		return STATUS_BAD_LENGTH;
	}
	if (block && bytes > block->value) {
		boot_rom_happens(rom, block);
		return STATUS_BAD_LENGTH;
	}
	if (rom->flash.past_end == FLASH_ERROR &&
	    memory_in_flash(&rom->memory, rom->arguments[0], &offset) &&
	    !bytes_inside(rom->flash.size, offset, bytes))
		return STATUS_BAD_LENGTH;
	return 0;
}

static bool wants_agent(const struct boot_rom *rom)
{
	uint32_t offset;

	return rom->config.require_agent &&
	       memory_in_flash(&rom->memory, rom->arguments[0], &offset);
}

static uint16_t refuse_range(const struct boot_rom *rom)
{
	uint32_t address = rom->arguments[0], count = rom->arguments[1];
	unsigned int width = rom->command->width;

	if (address % width)
		return STATUS_MISALIGNED;
	if (count == 0)
		return STATUS_ZERO_LENGTH;
	if (!bytes_inside(0x100000000ULL, address, (uint64_t)count * width))
		return STATUS_BAD_LENGTH;
	return 0;
}

static void run_read(struct boot_rom *rom)
{
	const struct command *command = rom->command;
	uint16_t refused = 0;

	boot_rom_trace(rom, "%s %08x %08x", command->name, rom->arguments[0], rom->arguments[1]);
	if (command->statuses)
		refused = wants_agent(rom) ? STATUS_BAD_ADDRESS : refuse_range(rom);
	if (!refused && command->width == 4)
		refused = refuse_read32(rom);
	if (refused) {
		refuse(rom, refused);
		return;
	}
	if (command->statuses)
		boot_rom_emit16(rom, STATUS_READ);
	rom->reading = (struct reading){
		.address = rom->arguments[0] & ~(command->width - 1U),
		.remaining = rom->arguments[1],
		.width = command->width,
		.endless = command->width == 4 && boot_rom_has(rom, FAULT_STREAM),
	};
	rom->state = STATE_STREAM;
}

static void run_write(struct boot_rom *rom)
{
	const struct command *command = rom->command;
	uint16_t refused = command->statuses ? refuse_range(rom) : 0;

	if (refused) {
		boot_rom_trace(rom, "bad-%s %08x %08x", command->name, rom->arguments[0],
			       rom->arguments[1]);
		refuse(rom, refused);
		return;
	}
	if (command->statuses)
		boot_rom_emit16(rom, STATUS_WRITTEN);
	rom->address = rom->arguments[0] & ~(command->width - 1U);
	rom->remaining = rom->arguments[1];
	rom->state = rom->remaining > 0 ? STATE_WRITE : STATE_COMMAND;
}

static void run_send_da(struct boot_rom *rom)
{
	uint32_t address = rom->arguments[0], length = rom->arguments[1];

	boot_rom_trace(rom, "%s %08x %08x %08x", rom->command->name, address, length,
		       rom->arguments[2]);
	if (boot_rom_has(rom, FAULT_SECURE) || boot_rom_has(rom, FAULT_DA_REFUSE))
		refuse(rom, STATUS_AUTHENTICATE);
	else if (length == 0)
		refuse(rom, STATUS_ZERO_LENGTH);
	else if (!memory_ram(&rom->memory, address, 1))
		refuse(rom, STATUS_BAD_ADDRESS);
	else if (!memory_ram(&rom->memory, address, length))
		refuse(rom, STATUS_BAD_LENGTH);
	else {
		boot_rom_emit16(rom, STATUS_READ);
		rom->address = address;
		rom->remaining = length;
		rom->checksum = 0;
		rom->state = STATE_IMAGE;
	}
}

static bool has_image(const struct boot_rom *rom, uint32_t address)
{
	for (size_t i = 0; i < MIN_OF(rom->n_images, BOOT_ROM_IMAGES_MAX); i++)
		if (rom->images[i] == address)
			return true;
	return false;
}

static void run_jump_da(struct boot_rom *rom)
{
	boot_rom_trace(rom, "%s %08x", rom->command->name, rom->arguments[0]);
	if (boot_rom_has(rom, FAULT_SECURE)) {
		refuse(rom, STATUS_AUTHENTICATE);
		return;
	}
	if (!has_image(rom, rom->arguments[0])) {
		refuse(rom, STATUS_NO_AGENT);
		return;
	}
	boot_rom_emit16(rom, STATUS_READ);
	rom->state = STATE_AGENT;
	agent_start(rom);
}

static void run_target_config(struct boot_rom *rom)
{
	uint8_t config[4];

	boot_rom_trace(rom, "%s", rom->command->name);
	put_be32(config, boot_rom_has(rom, FAULT_SECURE) ? TARGET_SLA_AND_DAA : 0);
	boot_rom_emit(rom, config, sizeof(config));
	boot_rom_emit16(rom, STATUS_READ);
}

static void run_me_id(struct boot_rom *rom)
{
	uint8_t length[4];

	boot_rom_trace(rom, "%s", rom->command->name);
	put_be32(length, sizeof(rom->config.me_id));
	boot_rom_emit(rom, length, sizeof(length));
	boot_rom_emit(rom, rom->config.me_id, BOOT_ROM_ME_ID_SIZE);
	boot_rom_emit16(rom, STATUS_READ);
}

/* A boot ROM has no bootloader version and echoes; that is how hosts know it. */
static void run_bootloader_version(struct boot_rom *rom)
{
	uint8_t version = rom->command->byte;

	boot_rom_trace(rom, "%s", rom->command->name);
	if (boot_rom_is_preloader(rom))
		version = PRELOADER_VERSION;
	boot_rom_emit(rom, &version, 1);
}

static void run_version(struct boot_rom *rom)
{
	uint8_t version = BOOT_ROM_VERSION;

	boot_rom_trace(rom, "%s", rom->command->name);
	boot_rom_emit(rom, &version, 1);
}

/* "write" begins the log line of everything that changes a register, and of nothing else. */
static const struct command commands[] = {
	{ 0xA1, 2, 2, false, false, "write16-legacy", run_write },
	{ 0xA2, 2, 2, false, false, "read16-legacy", run_read },
	{ 0xD0, 2, 2, true, false, "read16", run_read },
	{ 0xD1, 2, 4, true, false, "read32", run_read },
	{ 0xD2, 2, 2, true, false, "write16", run_write },
	{ 0xD4, 2, 4, true, false, "write32", run_write },
	{ 0xD5, 1, 0, true, false, "jump-da", run_jump_da },
	{ 0xD7, 3, 0, true, false, "send-da", run_send_da },
	{ 0xD8, 0, 0, true, false, "get-target-config", run_target_config },
	{ 0xE1, 0, 0, true, false, "get-me-id", run_me_id },
	{ 0xFE, 0, 0, false, true, "get-bl-version", run_bootloader_version },
	{ 0xFF, 0, 0, false, true, "get-version", run_version },
};

const struct command *command_find(uint8_t byte)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].byte == byte)
			return &commands[i];
	}
	return NULL;
}
