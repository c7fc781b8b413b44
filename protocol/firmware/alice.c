/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/alice.h"

#include <string.h>

#include "protocol/base/bytes.h"

#define CLASS_BITS      3U
#define RAW_BITS        16U
#define WIDTH_MAX       16U
#define HALF_GROUP      32U /* codes between two byte boundaries */
#define GROUP_MIN       24U /* bytes of 64 codes of three bits: shorter is none */
#define MAP_ENTRY       4U
#define MAP_OFFSET_MASK 0x3ffffffU /* of an entry; above is the length of the first half … */
#define MAP_HALF_SHIFT  26U
#define MAP_HALF_BIAS   13U /* … less this */

/*
 * A 64-bit load is at most 7 bits off, and 57 bits hold three codes of the longest, 19 bits. So 32
 * codes are ten loads with three and one with two.
 */
#define CODES_PER_LOAD 3U

enum alice_state alice_parse(const uint8_t *data, uint64_t size, uint32_t address,
			     struct alice *ret)
{
	struct alice alice = { .stream = ALICE_HEADER_SIZE, .end = size };
	uint64_t dictionary_bytes = 0;

	if (size < ALICE_HEADER_SIZE || memcmp(data, "ALICE_", 6) != 0 ||
	    (data[6] != '1' && data[6] != '2') || data[7] != 0)
		return ALICE_NO_MARK;
	alice.generation = data[6] - (unsigned int)'0';
	for (unsigned int i = 0; i < ALICE_CLASSES; i++) {
		uint16_t width = get_le16(data + 0x14 + 2 * i);

		if (width > WIDTH_MAX)
			return ALICE_WIDTHS;
		alice.widths[i] = (uint8_t)width;
		dictionary_bytes += 2ULL << width;
	}
	alice.base = get_le32(data + 0x08);
	alice.map = (uint32_t)(get_le32(data + 0x0c) - address);
	alice.dictionary = (uint32_t)(get_le32(data + 0x10) - address);
	if (alice.base != (uint32_t)(address + ALICE_HEADER_SIZE) || alice.map < alice.stream ||
	    alice.dictionary < alice.map + 2 * MAP_ENTRY || alice.dictionary > size ||
	    (alice.dictionary - alice.map) % MAP_ENTRY != 0)
		return ALICE_ADDRESSES;
	if (alice.dictionary + dictionary_bytes != size)
		return ALICE_DICTIONARY;
	/* The last entry is where the stream ends. */
	alice.n_groups = (alice.dictionary - alice.map) / MAP_ENTRY - 1;
	*ret = alice;
	return ALICE_GOOD;
}

static uint64_t load(const uint8_t *data, uint64_t size, uint64_t at)
{
	uint8_t bytes[8] = { 0 };

	if (!bytes_inside(size, at, sizeof(bytes))) {
		memcpy(bytes, data + MIN_OF(at, size), size - MIN_OF(at, size));
		return (uint64_t)get_be32(bytes) << 32 | get_be32(bytes + 4);
	}
	return (uint64_t)get_be32(data + at) << 32 | get_be32(data + at + 4);
}

/* The whole length of a code of each class, a byte each, class 0 lowest. */
static uint64_t pack_lengths(const struct alice *alice)
{
	uint64_t lengths = (uint64_t)(CLASS_BITS + RAW_BITS) << 56;

	for (unsigned int i = 0; i < ALICE_CLASSES; i++)
		lengths |= (uint64_t)(CLASS_BITS + alice->widths[i]) << 8 * i;
	return lengths;
}

/* Bytes of the half group at a place of the stream, rounded up to whole ones. */
static uint64_t half_length(const uint8_t *data, uint64_t size, uint64_t at, uint64_t lengths)
{
	uint64_t bit = 0;

	for (unsigned int left = HALF_GROUP; left > 0;) {
		uint64_t bits = load(data, size, at + bit / 8) << bit % 8;
		unsigned int n = MIN_OF(left, CODES_PER_LOAD);

		left -= n;
		for (; n > 0; n--) {
			unsigned int length = lengths >> (bits >> 58 & 0x38) & 0xff;

			bits <<= length;
			bit += length;
		}
	}
	return (bit + 7) / 8;
}

/* Where the entry of the map says that its group begins, as an offset in the stream. */
static uint64_t entry_offset(const struct alice *alice, uint32_t entry)
{
	return (entry - alice->base) & MAP_OFFSET_MASK;
}

/* True when a group has the lengths that its entry and the next one say. */
static bool group_fits(const uint8_t *stream, uint64_t size, uint64_t lengths, uint32_t entry,
		       uint64_t begin, uint64_t next)
{
	uint64_t half;

	if (next > size || next < begin + GROUP_MIN)
		return false;
	half = begin + half_length(stream, size, begin, lengths);
	return half - begin == (entry >> MAP_HALF_SHIFT) + MAP_HALF_BIAS && half < next &&
	       half + half_length(stream, size, half, lengths) == next;
}

void alice_walk(const struct alice *alice, const uint8_t *data, struct alice_walk *ret)
{
	const uint8_t *stream = data + alice->stream, *map = data + alice->map;
	uint64_t lengths = pack_lengths(alice), size = alice->map - alice->stream;
	struct alice_walk walk = { 0 };
	uint64_t at = 0;

	/* Each group is begun where the map has it, so that damage does not spread. */
	for (uint64_t i = 0; i < alice->n_groups; i++) {
		uint32_t entry = get_le32(map + MAP_ENTRY * i);
		uint64_t begin = entry_offset(alice, entry);
		uint64_t next = entry_offset(alice, get_le32(map + MAP_ENTRY * (i + 1)));

		if (begin == at && group_fits(stream, size, lengths, entry, begin, next)) {
			at = next;
			continue;
		}
		if (walk.n_bad++ == 0)
			walk.first_bad = alice->stream + at;
		walk.last_bad = alice->stream + at;
		at = MIN_OF(next, size);
	}
	/* The map begins on a multiple of four. */
	if ((uint32_t)(((alice->base + at + 3) & ~3ULL) - alice->base) != size && walk.n_bad++ == 0)
		walk.first_bad = walk.last_bad = alice->stream + at;
	*ret = walk;
}

const char *alice_state_to_string(enum alice_state state)
{
	static const char *const words[_ALICE_STATE_MAX] = {
		[ALICE_GOOD] = "has a good header",
		[ALICE_NO_MARK] = "does not begin with ALICE_1 or ALICE_2",
		[ALICE_WIDTHS] = "names a width of more than 16 bits",
		[ALICE_ADDRESSES] = "names addresses that do not lie behind one another in it",
		[ALICE_DICTIONARY] = "has a dictionary that does not end where the file ends",
	};

	return words[state];
}
