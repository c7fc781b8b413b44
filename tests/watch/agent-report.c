/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/bytes.h"
#include "tests/watch/boot-rom-internal.h"

/* The codes of the capture, and 3009 for a flash that no row fits. */
#define BMT_NONE        3234
#define OTP_EXISTS      3074
#define OTP_NONE        3073
#define NAND_NONE       3051
#define EMMC_NONE       3179
#define NOR_UNKNOWN     3009
#define BOOT_STYLE_NOR  1031
#define OTP_SIZE        0x1C0
#define CHIP_SELECTS    0x0008
#define INTERNAL_RAM    0xD000
#define EXTERNAL_RAM    0x400000
#define END_MARK        0x5A5A
#define SOC_OK          0xC1
#define EFUSE_SIGNATURE 0xABABABABU

struct writer {
	uint8_t *to;
	size_t n;
};

static void put8(struct writer *w, uint8_t value)
{
	w->to[w->n++] = value;
}

static void put16(struct writer *w, uint16_t value)
{
	put_be16(w->to + w->n, value);
	w->n += 2;
}

static void put32(struct writer *w, uint32_t value)
{
	put_be32(w->to + w->n, value);
	w->n += 4;
}

static void put_zeros(struct writer *w, size_t n)
{
	memset(w->to + w->n, 0, n);
	w->n += n;
}

uint64_t agent_nor_size(const struct boot_rom *rom)
{
	uint64_t told = rom->config.agent.nor_size;

	return told ? told : rom->flash.size;
}

static void put_nor(struct writer *w, const struct boot_rom *rom)
{
	const struct agent *agent = &rom->agent;
	uint32_t size = agent->matched ? (uint32_t)agent_nor_size(rom) : 0;

	put32(w, agent->matched ? 0 : NOR_UNKNOWN);
	put16(w, CHIP_SELECTS);
	put16(w, agent->id);
	put32(w, size);
	put32(w, size);
	for (size_t i = 0; i < 4; i++)
		put16(w, agent->codes[i]);
	put32(w, OTP_EXISTS);
	put32(w, OTP_SIZE);
	/* no second die */
	put16(w, 0xFFFF);
	put_zeros(w, 12);
	put32(w, OTP_NONE);
	put_zeros(w, 4);
}

static void put_nand(struct writer *w)
{
	put32(w, NAND_NONE);
	put8(w, 0);
	put16(w, 0xFFFF);
	put_zeros(w, 28);
}

static void put_emmc(struct writer *w)
{
	put32(w, EMMC_NONE);
	put_zeros(w, 40);
}

static void put_ram(struct writer *w, const struct boot_rom *rom)
{
	put32(w, 0);
	put32(w, INTERNAL_RAM);
	put32(w, 0);
	put8(w, 1);
	put8(w, 1);
	put32(w, EXTERNAL_RAM);
	/* what answered where a flash could be */
	put8(w, 0xFF);
	put8(w, 0xFF);
	put8(w, 0xFF);
	for (size_t i = 0; i < AGENT_JEDEC_SIZE; i++)
		put8(w, rom->config.agent.jedec[i]);
	put_zeros(w, 6);
}

size_t agent_report(const struct boot_rom *rom, uint8_t *data)
{
	struct writer w = { .to = data };

	put32(&w, BMT_NONE);
	put_nor(&w, rom);
	put_nand(&w);
	put_emmc(&w);
	put_ram(&w, rom);
	if (rom->config.agent.newer) {
		put32(&w, EFUSE_SIGNATURE);
		put_zeros(&w, AGENT_EXTRA_SIZE - 4);
	}
	put16(&w, END_MARK);
	put32(&w, 0);
	put32(&w, BOOT_STYLE_NOR);
	put8(&w, SOC_OK);
	return w.n;
}
