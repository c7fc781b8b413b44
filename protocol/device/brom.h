/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The boot ROM's (and preloader's) command language: handshake, identification, register access,
 * READ32 streaming. Numbers are big-endian, every command byte and argument is echoed; facts are
 * from a capture of the vendor's FlashTool with an MT6261 and from independent open tools, named
 * where they are used.
 *
 * Errors beyond transport.h's: -EPROTO an echo or reply that cannot be, -EREMOTEIO the watch
 * answered with an error status (brom_status tells which), -EOPNOTSUPP the chip cannot do it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/device/chips.h"
#include "protocol/device/transport.h"

#define BROM_MEID_SIZE 16
#define BROM_BLOCK_MIN 1024U          /* what every open tool uses */
#define BROM_BLOCK_MAX (128U * 1024U) /* of one READ32; beyond it turn-arounds no longer matter */

/* Bits of GET_TARGET_CONFIG (mtkclient). */
#define BROM_CONFIG_SBC 0x1U
#define BROM_CONFIG_SLA 0x2U
#define BROM_CONFIG_DAA 0x4U

enum brom_mode { BROM_MODE_BROM, BROM_MODE_PRELOADER };

struct brom_identity {
	enum brom_mode mode;
	uint16_t hw_code, hw_sub, hw_version, sw_version;
	uint16_t fuse;              /* top half of the fuse word, 0 where not read */
	uint8_t brom_version;       /* answer to FF */
	uint8_t bootloader_version; /* answer to FE: FE itself from a boot ROM */
	uint32_t target_config;
	uint8_t meid[BROM_MEID_SIZE];
	bool has_meid;
	const struct chip *chip; /* NULL: not in the table */
};

struct brom;

/* Borrows transport. */
_must_check_ int brom_new(struct transport *transport, struct brom **ret);
void brom_free(struct brom *brom);
DEFINE_CLEANUP(struct brom *, brom_free);

/*
 * Synchronises within timeout_usec: A0 0A 50 05 answered by their complements. Copes with noise and
 * a preloader's READY text before it, with a line that echoes our own bytes (it answers A0 by A0
 * and 5F), and with a boot ROM that is synchronised already (A0 answered by A0 alone).
 */
_must_check_ int brom_handshake(struct brom *brom, uint64_t timeout_usec);

/*
 * Asks everything that is safe to ask, watchdog off as soon as the chip is known. An unknown chip
 * is not an error here: chip is NULL and nothing was written.
 */
_must_check_ int brom_identify(struct brom *brom, struct brom_identity *ret);

/* What brom_identify found; NULL before it, and for a chip that is not in the table. */
const struct chip *brom_chip(const struct brom *brom);

/*
 * True while a read command is sent in one write. A watch that does not give its echo is from then
 * on asked field by field, for the rest of the session.
 */
bool brom_combines(const struct brom *brom);

/* The status word of the last -EREMOTEIO. */
uint16_t brom_status(const struct brom *brom);

_must_check_ int brom_read16(struct brom *brom, uint32_t address, uint16_t *ret);
_must_check_ int brom_read32(struct brom *brom, uint32_t address, uint32_t *ret);

/* -EPERM for every register that chip_allows_write does not name. */
_must_check_ int brom_write16(struct brom *brom, uint32_t address, uint16_t value);
_must_check_ int brom_write32(struct brom *brom, uint32_t address, uint32_t value);

/* Shows the serial flash at address 0 (read, set bit 1, clear bit 0, check). -EOPNOTSUPP. */
_must_check_ int brom_map_flash(struct brom *brom);

/*
 * Reads size bytes (a multiple of 4, at most BROM_BLOCK_MAX) of mapped flash at address (a multiple
 * of 4) in flash byte order. After any failure call brom_resync before the next command. -EINVAL,
 * -ERANGE beyond the flash's 256 MiB window, -EPERM before brom_map_flash.
 */
_must_check_ int brom_read_flash(struct brom *brom, uint32_t address, void *data, size_t size);

/*
 * After a failure: waits until the line is silent, then makes sure that the boot ROM listens for a
 * command again, without ever sending bytes that could be taken for a write. A watch that restarted
 * meanwhile is synchronised, compared with what brom_identify found (-ENODEV: another watch) and
 * brought back to where it was. -EPROTO when it cannot be had back, -ETIMEDOUT when it stays silent
 * for 10 s, -EOVERFLOW when it streams for ever.
 */
_must_check_ int brom_resync(struct brom *brom);

/*
 * FlashTool's charger and power-latch sequence (capture), which keeps a watch without a battery
 * alive; -EOPNOTSUPP for chips where it is not confirmed. Only for a watch that needs it.
 * -ETIMEDOUT also when the RTC stays busy for a second.
 */
_must_check_ int brom_keep_power(struct brom *brom);

/* Resets the watch, which leaves at once: no answer is waited for. -EOPNOTSUPP. */
_must_check_ int brom_reset(struct brom *brom);
