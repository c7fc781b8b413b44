/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The chips we know, what may be written on each, and who says so. A register that no source
 * confirms for a chip is zero here and therefore never written on that chip.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a chip's download agents are started and spoken to. */
enum chip_agent {
	CHIP_AGENT_UNKNOWN,    /* no public source tells */
	CHIP_AGENT_V32,        /* SEND_DA, JUMP_DA, protocol 3.2 with a flash table from the host */
	CHIP_AGENT_IOT,        /* an environment image (EPP) comes first */
	CHIP_AGENT_SMARTPHONE, /* other stages, mostly signed */
};

struct chip {
	const char *name;  /* "MT6261", "MT2502", … */
	uint16_t hw_code;  /* answer of the id register 80000008 */
	uint16_t fuse;     /* top half of fuse word A01C0108 that names the variant, 0: any other */
	bool readable;     /* its boot ROM can map the flash and READ32 streams it */
	uint32_t watchdog; /* 16-bit mode register, written watchdog_off */
	uint16_t watchdog_off;
	uint32_t reset; /* 16-bit software reset register, written reset_key */
	uint16_t reset_key;
	uint32_t flash_map; /* 32-bit register; bit 1 set and bit 0 clear shows the flash at 0 */
	uint32_t fuse_register; /* 32-bit word, read only */
	bool power_sequence;    /* FlashTool's charger and power-latch writes were captured on it */
	enum chip_agent agent;
	const char *source; /* who says so */
};

/* The table's entry, best match first by fuse; NULL for a chip we do not know. */
const struct chip *chip_find(uint16_t hw_code, uint16_t fuse);

/* By name, any case; NULL when unknown. */
const struct chip *chip_by_name(const char *name);

/*
 * The only registers of a chip that anything may be written to: its watchdog, reset and flash map,
 * with power_sequence the ones of that, and where the flash is readable the serial-flash controller
 * (A0140000, 4 KiB: for identification). Nothing on a chip that is NULL.
 */
bool chip_allows_write(const struct chip *chip, uint32_t address);

/* All entries, for listings and tests. */
const struct chip *chip_table(size_t *ret_n);
