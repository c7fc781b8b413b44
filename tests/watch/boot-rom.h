/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The boot ROM of a MediaTek MT6261 and its relatives, as the FlashTool capture shows it: host
 * bytes in, device bytes out, and a clock that the caller moves. No descriptors, no waiting.
 *
 * Commands: A1 A2 D0 D1 D2 D4 D5 D7 D8 E1 FE FF. Every command byte (but FF) and every argument is
 * echoed; any other byte is echoed and that is all, which is what mtkclient relies on for FC and
 * FD. Chosen where the sources are silent:
 *   - SEND_DA checks that the address is RAM (1D01) and has room (1D12);
 *   - JUMP_DA wants an address that an image was sent to (1D16), and then agent.h takes over;
 *   - a READ or WRITE that would pass the end of the address space gets 1D12;
 *   - A1 and A2, which have no status, round an odd address down;
 *   - the write that resets is echoed, its status is not sent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "tests/watch/agent.h"
#include "tests/watch/chip.h"
#include "tests/watch/fault.h"
#include "tests/watch/flash.h"

#define BOOT_ROM_ME_ID_SIZE 16

struct boot_rom_config {
	struct chip chip;
	uint8_t me_id[BOOT_ROM_ME_ID_SIZE];
	const uint8_t *flash; /* borrowed */
	uint64_t flash_size;
	enum flash_past_end past_end;
	struct agent_config agent;
	uint64_t watchdog_usec;   /* from the first A0; 0: never */
	bool replug_as_preloader; /* from the second power-on on it is one */
	bool require_agent;       /* D0 and D1 of mapped flash are refused with 1D01 */
	struct faults *faults;    /* borrowed; those that happen once are marked there */

	/* One line per command, register write and reset, without a newline; may be NULL. */
	void (*log)(void *userdata, const char *line);
	void *userdata;
};

struct boot_rom;

/* A watch that is switched on; -ENOMEM. */
_must_check_ int boot_rom_new(const struct boot_rom_config *config, struct boot_rom **ret);
void boot_rom_free(struct boot_rom *rom);
DEFINE_CLEANUP(struct boot_rom *, boot_rom_free);
#define _cleanup_boot_rom_ _cleanup_(boot_rom_freep)

/* Off and on again: everything as fresh but the faults that have happened. */
void boot_rom_power_on(struct boot_rom *rom);

/* True when it is a preloader that speaks, always or since it came back. */
bool boot_rom_is_preloader(const struct boot_rom *rom);

/* Moves the clock (microseconds, never back): lets the watchdog bite and stalls end. */
void boot_rom_tick(struct boot_rom *rom, uint64_t now);

/* When the clock must be moved at the latest; USEC_NEVER when nothing is awaited. */
uint64_t boot_rom_deadline(const struct boot_rom *rom);

/* False after a reset, the watchdog or an unplug: the line hangs up once all is pulled. */
bool boot_rom_is_up(const struct boot_rom *rom);

/*
 * Takes what one write of the host brought. Returns how many bytes were consumed: fewer than size
 * while answers wait to be pulled.
 */
_must_check_ size_t boot_rom_push(struct boot_rom *rom, const uint8_t *data, size_t size);

/* The next bytes of the watch; 0 when it has nothing to say. Reads of any length come in pieces. */
_must_check_ size_t boot_rom_pull(struct boot_rom *rom, uint8_t *data, size_t size);
