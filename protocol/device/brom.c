/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/brom.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"
#include "protocol/device/brom-internal.h"
#include "protocol/device/brom-sync.h"
#include "protocol/device/brom-wire.h"

enum {
	LEGACY_READ16 = 0xA2,
	READ16 = 0xD0,
	READ32 = 0xD1,
	WRITE16 = 0xD2,
	WRITE32 = 0xD4,
	GET_TARGET_CONFIG = 0xD8,
	GET_MEID = 0xE1,
	GET_HW_SW_VERSION = 0xFC,
	GET_HW_CODE = 0xFD,
	GET_BOOTLOADER_VERSION = 0xFE,
	GET_BROM_VERSION = 0xFF,
};

/* The id registers of the MT6261 family (capture). */
#define ID_HW_VERSION 0x80000000U
#define ID_SW_VERSION 0x80000004U
#define ID_HW_CODE    0x80000008U
#define ID_HW_SUB     0x8000000CU

/* Bits of the flash map register (capture, MTreader, mtkclient). */
#define MAP_EXTERNAL 0x2U /* address 0 is the external bus, not the boot ROM */
#define MAP_SWAPPED  0x1U /* the flash is in the second bank, not the first */

/* The serial flash's bank; the next one is RAM. */
#define FLASH_BANK_SIZE 0x10000000U

#define MEID_SANE_MAX 64

struct brom {
	struct brom_wire wire;
	struct brom_identity identity; /* chip is NULL until it was asked for */
	bool mapped;
};

int brom_new(struct transport *transport, struct brom **ret)
{
	struct brom *brom = calloc(1, sizeof(*brom));

	if (!brom)
		return -ENOMEM;
	brom->wire.transport = transport;
	*ret = brom;
	return 0;
}

void brom_free(struct brom *brom)
{
	free(brom);
}

struct brom_wire *brom_internal_wire(struct brom *brom)
{
	return &brom->wire;
}

uint16_t brom_status(const struct brom *brom)
{
	return brom->wire.status;
}

const struct chip *brom_chip(const struct brom *brom)
{
	return brom->identity.chip;
}

bool brom_combines(const struct brom *brom)
{
	return brom->wire.combines;
}

int brom_handshake(struct brom *brom, uint64_t timeout_usec)
{
	brom->identity = (struct brom_identity){ 0 };
	brom->mapped = false;
	brom->wire.combines = false;
	return brom_sync_handshake(&brom->wire, timeout_usec);
}

/*
 * MTreader sends a read command in one write, FlashTool and the LinkIt uploader wait for each echo.
 * The first is much faster, so it is tried, and given up for good where it does not get its echo.
 */
static int begin_read(struct brom *brom, uint8_t opcode, uint32_t address, uint32_t count)
{
	bool combined = brom->wire.combines;
	int r = brom_wire_read_command(&brom->wire, opcode, address, count);

	if (combined && (r == -ETIMEDOUT || r == -EPROTO)) {
		brom->wire.combines = false;
		r = brom_resync(brom);
		if (r >= 0)
			r = brom_wire_read_command(&brom->wire, opcode, address, count);
	}
	return r < 0 ? r : brom_wire_status(&brom->wire);
}

int brom_read16(struct brom *brom, uint32_t address, uint16_t *ret)
{
	uint16_t value = 0;
	int r = begin_read(brom, READ16, address, 1);

	if (r >= 0)
		r = brom_wire_get16(&brom->wire, &value);
	if (r >= 0)
		r = brom_wire_status(&brom->wire);
	if (r >= 0)
		*ret = value;
	return r;
}

int brom_read32(struct brom *brom, uint32_t address, uint32_t *ret)
{
	uint32_t value = 0;
	int r = begin_read(brom, READ32, address, 1);

	if (r >= 0)
		r = brom_wire_get32(&brom->wire, &value);
	if (r >= 0)
		r = brom_wire_status(&brom->wire);
	if (r >= 0)
		*ret = value;
	return r;
}

static int write_register(struct brom *brom, uint8_t opcode, uint32_t address, uint32_t value,
			  size_t size)
{
	int r;

	if (!chip_allows_write(brom->identity.chip, address))
		return -EPERM;
	r = brom_wire_write_command(&brom->wire, opcode, address, 1);
	if (r < 0)
		return r;
	r = brom_wire_value(&brom->wire, value, size);
	return r < 0 ? r : brom_wire_status(&brom->wire);
}

int brom_write16(struct brom *brom, uint32_t address, uint16_t value)
{
	return write_register(brom, WRITE16, address, value, 2);
}

int brom_write32(struct brom *brom, uint32_t address, uint32_t value)
{
	return write_register(brom, WRITE32, address, value, 4);
}

static int read_id(struct brom *brom, uint32_t address, uint16_t *ret)
{
	int r = brom_wire_read_command(&brom->wire, LEGACY_READ16, address, 1);

	return r < 0 ? r : brom_wire_get16(&brom->wire, ret);
}

static int stop_watchdog(struct brom *brom)
{
	const struct chip *chip = brom->identity.chip;

	return brom_write16(brom, chip->watchdog, chip->watchdog_off);
}

/* What was never written, or wiped out, is the same in many watches. */
static bool is_blank(const uint8_t *meid)
{
	return (meid[0] == 0x00 || meid[0] == 0xFF) &&
	       memcmp(meid, meid + 1, BROM_MEID_SIZE - 1) == 0;
}

/* An ME ID of another length than 16, or a blank one, is read and not believed. */
static int ask_meid(struct brom *brom, uint8_t meid[BROM_MEID_SIZE], bool *ret_has_meid)
{
	uint8_t answer[MEID_SANE_MAX];
	uint32_t length = 0;
	int r = brom_wire_opcode(&brom->wire, GET_MEID);

	if (r >= 0)
		r = brom_wire_get32(&brom->wire, &length);
	if (r < 0)
		return r;
	if (length == 0 || length > sizeof(answer))
		return -EPROTO;
	r = brom_wire_receive(&brom->wire, answer, length);
	if (r >= 0)
		r = brom_wire_status(&brom->wire);
	if (r < 0)
		return r;
	*ret_has_meid = length == BROM_MEID_SIZE && !is_blank(answer);
	if (*ret_has_meid)
		memcpy(meid, answer, BROM_MEID_SIZE);
	return 0;
}

static int ask_target_config(struct brom *brom)
{
	uint32_t config = 0;
	int r = brom_wire_opcode(&brom->wire, GET_TARGET_CONFIG);

	if (r >= 0)
		r = brom_wire_get32(&brom->wire, &config);
	if (r >= 0)
		r = brom_wire_status(&brom->wire);
	if (r >= 0)
		brom->identity.target_config = config;
	return r;
}

/* FE comes back as FE from a boot ROM, as a version from a preloader (capture, mtkproto). */
static int ask_mode(struct brom *brom)
{
	struct brom_identity *id = &brom->identity;
	int r = brom_wire_ask(&brom->wire, GET_BOOTLOADER_VERSION, &id->bootloader_version);

	if (r >= 0 && id->bootloader_version != GET_BOOTLOADER_VERSION)
		id->mode = BROM_MODE_PRELOADER;
	return r;
}

static int ask_fuse(struct brom *brom)
{
	struct brom_identity *id = &brom->identity;
	uint32_t word;
	int r;

	if (id->chip->fuse_register == 0)
		return 0;
	r = brom_read32(brom, id->chip->fuse_register, &word);
	if (r < 0)
		return r;
	id->fuse = (uint16_t)(word >> 16);
	id->chip = chip_find(id->hw_code, id->fuse);
	return 0;
}

/* A question whose answer we can do without: only a lost watch is a failure. */
static int do_without(struct brom *brom, int r)
{
	if (r >= 0 || r == -EREMOTEIO)
		return 0;
	if (r == -ETIMEDOUT || r == -EPROTO)
		return brom_resync(brom);
	return r;
}

/* What a 6261 family boot ROM can tell, in FlashTool's order, after its watchdog was stopped. */
static int ask_family(struct brom *brom)
{
	struct brom_identity *id = &brom->identity;
	int r;

	r = stop_watchdog(brom);
	if (r >= 0)
		r = read_id(brom, ID_HW_VERSION, &id->hw_version);
	if (r >= 0)
		r = read_id(brom, ID_HW_SUB, &id->hw_sub);
	if (r >= 0)
		r = read_id(brom, ID_SW_VERSION, &id->sw_version);
	if (r >= 0)
		r = do_without(brom, ask_fuse(brom));
	if (r >= 0)
		r = do_without(brom,
			       brom_wire_ask(&brom->wire, GET_BROM_VERSION, &id->brom_version));
	if (r >= 0)
		r = do_without(brom, ask_mode(brom));
	if (r >= 0)
		r = do_without(brom, ask_meid(brom, id->meid, &id->has_meid));
	if (r >= 0)
		r = do_without(brom, ask_target_config(brom));
	return r;
}

/*
 * Only for a watch that does not know A2: a 6261 echoes FD and then says nothing (mtkclient). What
 * answers it is no chip whose registers we know, even if it gives the number of one.
 */
static int ask_phone(struct brom *brom)
{
	struct brom_identity *id = &brom->identity;
	int r;

	r = transport_drain(brom->wire.transport, 100 * USEC_PER_MSEC, 4096, USEC_PER_SEC);
	if (r >= 0)
		r = brom_wire_opcode(&brom->wire, GET_HW_CODE);
	if (r >= 0)
		r = brom_wire_get16(&brom->wire, &id->hw_code);
	if (r >= 0)
		r = brom_wire_get16(&brom->wire, &id->hw_version);
	if (r < 0)
		return r;
	id->chip = chip_find(id->hw_code, 0);
	if (id->chip && id->chip->readable)
		id->chip = NULL;
	r = brom_wire_opcode(&brom->wire, GET_HW_SW_VERSION);
	if (r >= 0)
		r = brom_wire_get16(&brom->wire, &id->hw_sub);
	if (r >= 0)
		r = brom_wire_get16(&brom->wire, &id->hw_version);
	if (r >= 0)
		r = brom_wire_get16(&brom->wire, &id->sw_version);
	if (r >= 0)
		r = brom_wire_status(&brom->wire);
	return r;
}

int brom_identify(struct brom *brom, struct brom_identity *ret)
{
	struct brom_identity *id = &brom->identity;
	int r;

	*id = (struct brom_identity){ 0 };
	brom->wire.combines = false;
	r = read_id(brom, ID_HW_CODE, &id->hw_code);
	if (r >= 0) {
		id->chip = chip_find(id->hw_code, 0);
		r = id->chip && id->chip->readable ? ask_family(brom)
						   : do_without(brom, ask_mode(brom));
	} else if ((r == -ETIMEDOUT || r == -EPROTO) && brom_wire_ignored(&brom->wire)) {
		r = ask_phone(brom);
		if (id->hw_code != 0)
			r = do_without(brom, r);
		if (r >= 0)
			r = do_without(brom, ask_mode(brom));
	}
	if (r < 0)
		return r;
	brom->wire.combines = id->chip && id->chip->readable;
	*ret = *id;
	return 0;
}

int brom_map_flash(struct brom *brom)
{
	const struct chip *chip = brom->identity.chip;
	uint32_t map;
	int r;

	if (!chip || chip->flash_map == 0)
		return -EOPNOTSUPP;
	r = brom_read32(brom, chip->flash_map, &map);
	if (r < 0)
		return r;
	map = (map | MAP_EXTERNAL) & ~MAP_SWAPPED;
	r = brom_write32(brom, chip->flash_map, map);
	if (r >= 0)
		r = brom_read32(brom, chip->flash_map, &map);
	if (r < 0)
		return r;
	if ((map & (MAP_EXTERNAL | MAP_SWAPPED)) != MAP_EXTERNAL)
		return -EPROTO;
	brom->mapped = true;
	return 0;
}

int brom_read_flash(struct brom *brom, uint32_t address, void *data, size_t size)
{
	int r;

	if (size == 0 || size % 4 != 0 || address % 4 != 0 || size > BROM_BLOCK_MAX)
		return -EINVAL;
	if (!bytes_inside(FLASH_BANK_SIZE, address, size))
		return -ERANGE;
	if (!brom->mapped)
		return -EPERM;
	r = begin_read(brom, READ32, address, (uint32_t)(size / 4));
	if (r >= 0)
		r = brom_wire_receive(&brom->wire, data, size);
	if (r >= 0)
		r = brom_wire_status(&brom->wire);
	if (r >= 0)
		bytes_swap_words(data, size);
	return r;
}

/*
 * The watch restarted behind our back: its watchdog runs and address 0 shows the boot ROM again.
 * -ENODEV when it is not even the same watch.
 */
static int restore(struct brom *brom)
{
	const struct brom_identity *id = &brom->identity;
	uint8_t meid[BROM_MEID_SIZE];
	bool has_meid = false;
	uint16_t hw_code = 0;
	int r;

	if (!id->chip || !id->chip->readable)
		return 0;
	r = read_id(brom, ID_HW_CODE, &hw_code);
	if (r < 0)
		return r;
	if (hw_code != id->hw_code)
		return -ENODEV;
	r = stop_watchdog(brom);
	if (r >= 0 && id->has_meid) {
		r = ask_meid(brom, meid, &has_meid);
		if (r >= 0 && (!has_meid || memcmp(meid, id->meid, sizeof(meid)) != 0))
			r = -ENODEV;
	}
	return r >= 0 && brom->mapped ? brom_map_flash(brom) : r;
}

int brom_resync(struct brom *brom)
{
	bool combines = brom->wire.combines, restarted = false;
	int r = brom_sync_recover(&brom->wire, &restarted);

	if (r < 0 || !restarted)
		return r;
	/* One thing at a time until the watch is as it was. */
	brom->wire.combines = false;
	r = restore(brom);
	brom->wire.combines = combines;
	return r;
}

int brom_reset(struct brom *brom)
{
	const struct chip *chip = brom->identity.chip;
	int r;

	if (!chip || chip->reset == 0)
		return -EOPNOTSUPP;
	brom->mapped = false;
	r = brom_wire_write_command(&brom->wire, WRITE16, chip->reset, 1);
	if (r < 0)
		return r;
	/* Waiting for the echo sees the key out of the line; the watch may be gone before it comes. */
	r = brom_wire_value(&brom->wire, chip->reset_key, 2);
	return r == -ENODEV || r == -ETIMEDOUT ? 0 : r;
}
