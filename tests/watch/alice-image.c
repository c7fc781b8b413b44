/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/alice-image.h"

#include <stdlib.h>

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"

#define HEADER_SIZE     0x28U
#define CLASSES         7 /* of the dictionary; class 7 is a raw halfword */
#define CLASS_BITS      3
#define HALF_GROUP      32 /* halfwords between two byte boundaries */
#define GROUP_BYTES_MIN 56 /* 64 codes of the shortest class, 7 bits */
#define FIRST_HALF_BIAS 13
#define ADDRESS_MASK    0x3FFFFFFU

/* The prefixes of Thumb BL and BLX begin at E800: stay below, they are packed differently. */
#define HALFWORD_LIMIT 0xE800U

static const uint8_t widths[CLASSES] = { 4, 5, 6, 7, 8, 9, 10 };

struct packer {
	uint8_t *out;
	size_t length;
	uint32_t bits;
	unsigned int n_bits;
	struct noise *noise;
};

static void put_bits(struct packer *packer, uint32_t value, unsigned int count)
{
	packer->bits = packer->bits << count | value;
	packer->n_bits += count;
	while (packer->n_bits >= 8) {
		packer->n_bits -= 8;
		packer->out[packer->length++] = (uint8_t)(packer->bits >> packer->n_bits);
	}
}

static void align(struct packer *packer)
{
	if (packer->n_bits > 0)
		put_bits(packer, 0, 8 - packer->n_bits);
}

static void put_raw(struct packer *packer, uint16_t halfword)
{
	put_bits(packer, CLASSES, CLASS_BITS);
	put_bits(packer, halfword, 16);
}

static uint16_t any_halfword(struct noise *noise)
{
	return (uint16_t)(noise_next(noise) % HALFWORD_LIMIT);
}

/* Real code finds most of its halfwords in the dictionary, few are raw. */
static void put_any(struct packer *packer)
{
	uint32_t random = noise_next(packer->noise);
	unsigned int class = random % (CLASSES + 1);

	if (class == CLASSES) {
		put_raw(packer, any_halfword(packer->noise));
		return;
	}
	put_bits(packer, class, CLASS_BITS);
	put_bits(packer, random >> 8 & ((1U << widths[class]) - 1), widths[class]);
}

static void put_half_group(struct packer *packer, bool first_of_all)
{
	unsigned int n = 0;

	if (first_of_all) {
		put_raw(packer, 'C' | 'A' << 8);
		put_raw(packer, 'K' | 'E' << 8);
		n = 2;
	}
	for (; n < HALF_GROUP; n++)
		put_any(packer);
	align(packer);
}

/* Packs groups until target bytes; the map of them goes to map. Returns how many. */
static size_t put_groups(struct packer *packer, size_t target, uint32_t base, uint32_t *map)
{
	size_t n = 0;

	while (packer->length < target) {
		size_t begin = packer->length;
		uint32_t first_half;

		put_half_group(packer, begin == 0);
		first_half = (uint32_t)(packer->length - begin);
		put_half_group(packer, false);
		map[n++] = (first_half - FIRST_HALF_BIAS) << 26 |
			   ((base + (uint32_t)begin) & ADDRESS_MASK);
	}
	map[n++] = (base + (uint32_t)packer->length) & ADDRESS_MASK;
	return n;
}

static size_t put_dictionary(uint8_t *out, struct noise *noise)
{
	size_t n = 0;

	for (int i = 0; i < CLASSES; i++)
		n += (size_t)1 << widths[i];
	for (size_t i = 0; i < n; i++)
		put_le16(out + 2 * i, any_halfword(noise));
	return 2 * n;
}

static void put_header(uint8_t *out, uint32_t base, uint32_t map, uint32_t dictionary, bool second)
{
	memset(out, 0, HEADER_SIZE);
	memcpy(out, second ? "ALICE_2" : "ALICE_1", 7);
	put_le32(out + 0x08, base);
	put_le32(out + 0x0C, map);
	put_le32(out + 0x10, dictionary);
	for (size_t i = 0; i < CLASSES; i++)
		put_le16(out + 0x14 + 2 * i, widths[i]);
	out[0x22] = 9;
	out[0x23] = 1;
	put_le16(out + 0x24, second ? 0x40 : 0);
	put_le16(out + 0x26, 0xFFFF);
}

size_t alice_image_make(uint8_t *out, size_t target, uint32_t address, bool second,
			struct noise *noise)
{
	struct packer packer = { .out = out + HEADER_SIZE, .noise = noise };
	uint32_t base = address + HEADER_SIZE;
	_cleanup_free_ uint32_t *map = NULL;
	size_t at, n, dictionary;

	map = calloc(target / GROUP_BYTES_MIN + 2, sizeof(*map));
	if (!map)
		return 0;
	n = put_groups(&packer, target - target / 24, base, map);
	at = HEADER_SIZE + packer.length;
	while (at % 4)
		out[at++] = 0;
	for (size_t i = 0; i < n; i++)
		put_le32(out + at + 4 * i, map[i]);
	dictionary = at + 4 * n;
	put_header(out, base, address + (uint32_t)at, address + (uint32_t)dictionary, second);
	return dictionary + put_dictionary(out + dictionary, noise);
}
