/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the state machine of the boot ROM (boot-rom.c) and its commands (command.c) share. */

#include "tests/watch/agent.h"
#include "tests/watch/boot-rom.h"
#include "tests/watch/memory.h"
#include "tests/watch/reading.h"

/* Answers that wait; a byte of the host brings at most OUT_RESERVE of them. */
#define OUT_SIZE    1024
#define OUT_RESERVE 256

#define BOOT_ROM_ARGUMENTS_MAX 3
#define BOOT_ROM_IMAGES_MAX    8

enum state {
	STATE_HANDSHAKE,
	STATE_COMMAND,
	STATE_ARGUMENTS,
	STATE_WRITE,  /* the values of a write, each echoed */
	STATE_IMAGE,  /* the bytes of SEND_DA, not echoed */
	STATE_STREAM, /* the answer to a read */
	STATE_AGENT,  /* JUMP_DA: what was uploaded listens */
};

struct boot_rom;

struct command {
	uint8_t byte;
	uint8_t n_arguments;
	uint8_t width; /* of the units it reads or writes */
	bool statuses; /* the newer form, with a status before and after the data */
	bool silent;   /* the command byte is not echoed */
	const char *name;
	void (*run)(struct boot_rom *rom);
};

struct boot_rom {
	struct boot_rom_config config;
	struct flash flash;
	struct memory memory;

	uint64_t now;
	uint64_t watchdog_at;
	uint64_t stalled_until;
	bool up;
	unsigned int power_ons;

	enum state state;
	unsigned int handshake; /* bytes of it that were right */
	bool garbage_sent;
	uint64_t n_read32; /* since the first power-on */

	const struct command *command;
	uint32_t arguments[BOOT_ROM_ARGUMENTS_MAX];
	unsigned int n_arguments;
	uint8_t field[4];
	unsigned int field_size;

	struct reading reading;

	/* of a write, or of an image with a width of 1 */
	uint32_t address;
	uint32_t remaining; /* units */
	uint16_t checksum;

	uint32_t images[BOOT_ROM_IMAGES_MAX]; /* where complete images begin */
	size_t n_images;
	struct agent agent;

	uint8_t out[OUT_SIZE];
	size_t out_begin, out_end;
};

/* Puts an answer, big-endian, behind those that wait. */
void boot_rom_emit(struct boot_rom *rom, const void *data, size_t size);
void boot_rom_emit16(struct boot_rom *rom, uint16_t value);

/* One line for the log. */
_printf_(2, 3) void boot_rom_trace(const struct boot_rom *rom, const char *format, ...);

/* The line hangs up once all is said. */
void boot_rom_go_down(struct boot_rom *rom, const char *why);

/* The log says of each fault once that it happened. */
void boot_rom_happens(const struct boot_rom *rom, struct fault *fault);

/* True when the watch has this fault, which happens then. */
bool boot_rom_has(const struct boot_rom *rom, enum fault_kind kind);
