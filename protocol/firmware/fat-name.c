/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/firmware/fat-internal.h"

#define PIECE_UNITS 13U
#define LAST_PIECE  0x40U
#define LOWER_BASE  0x08U /* of byte 12: the name, the ending is in lower case */
#define LOWER_END   0x10U

static void forget(struct fat_long_name *name)
{
	name->pieces = 0;
	name->left = 0;
}

/* Pieces come last first; one that does not follow makes the long name void. */
void fat_name_add(struct fat_long_name *name, const uint8_t *record)
{
	static const uint8_t places[PIECE_UNITS] = {
		1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30
	};
	unsigned int number = record[0] & 0x3fU;

	if (record[0] & LAST_PIECE) {
		name->pieces = name->left = number;
		name->checksum = record[13];
	} else if (number + 1 != name->left || record[13] != name->checksum) {
		forget(name);
		return;
	}
	if (number == 0 || number * PIECE_UNITS > sizeof(name->units) / sizeof(*name->units)) {
		forget(name);
		return;
	}
	name->left = number;
	for (size_t i = 0; i < PIECE_UNITS; i++)
		name->units[(number - 1) * PIECE_UNITS + i] = get_le16(record + places[i]);
}

static uint8_t checksum(const uint8_t *record)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < 11; i++)
		sum = (uint8_t)((sum << 7 | sum >> 1) + record[i]);
	return sum;
}

/* What would lead elsewhere, or could not be shown, is no part of a name. */
static bool is_allowed(uint32_t code)
{
	return code >= 0x20 && code != '/' && code != '\\' && (code < 0x7f || code >= 0xa0);
}

static size_t encode(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | code >> 12);
	out[1] = (char)(0x80 | (code >> 6 & 0x3f));
	out[2] = (char)(0x80 | (code & 0x3f));
	return 3;
}

/* Characters outside the first plane are not used by such watches: then the short name serves. */
static bool take_long(const struct fat_long_name *name, char ret[FAT_NAME_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < name->pieces * PIECE_UNITS && name->units[i] != 0; i++) {
		if (i >= FAT_NAME_UNITS || !is_allowed(name->units[i]) ||
		    (name->units[i] >= 0xd800 && name->units[i] < 0xe000))
			return false;
		n += encode(name->units[i], ret + n);
	}
	ret[n] = '\0';
	return n > 0 && strcmp(ret, ".") != 0 && strcmp(ret, "..") != 0;
}

/* Copies up to the padding; false for a character that cannot be in a short name. */
static bool copy_short(const uint8_t *from, size_t size, bool lower, char *to, size_t *at)
{
	while (size > 0 && from[size - 1] == ' ')
		size--;
	for (size_t i = 0; i < size; i++) {
		uint8_t c = from[i];

		if (c < 0x20 || c == 0x7f || strchr("\"*+,./:;<=>?[\\]|", c))
			return false;
		/* The code page is not told. */
		if (c >= 0x80)
			c = '_';
		to[(*at)++] = (char)(lower && c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	return true;
}

static bool take_short(const uint8_t *record, char ret[FAT_NAME_SIZE])
{
	uint8_t base[8];
	size_t n = 0, dot;

	memcpy(base, record, sizeof(base));
	if (base[0] == 0x05) /* stands for E5, which means deleted */
		base[0] = 0xe5;
	if (base[0] == ' ' || !copy_short(base, 8, record[12] & LOWER_BASE, ret, &n))
		return false;
	dot = n;
	ret[n++] = '.';
	if (!copy_short(record + 8, 3, record[12] & LOWER_END, ret, &n))
		return false;
	ret[n == dot + 1 ? dot : n] = '\0';
	return true;
}

bool fat_name_take(struct fat_long_name *name, const uint8_t *record, char ret[FAT_NAME_SIZE])
{
	bool complete = name->pieces > 0 && name->left == 1 && name->checksum == checksum(record);
	char in_short[FAT_NAME_SIZE];
	bool good = take_short(record, in_short);

	if (good && !(complete && take_long(name, ret)))
		memcpy(ret, in_short, sizeof(in_short));
	forget(name);
	return good;
}
