/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/sfi.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/bytes.h"

#define CONTROL 0xA0140000U
#define STATUS  0xA0140008U
#define SENT    0xA0140010U
#define WANTED  0xA0140014U
#define BUFFER  0xA0140800U

#define CONTROL_BUSY    0x01U
#define CONTROL_DONE    0x02U
#define CONTROL_TRIGGER 0x04U
#define CONTROL_MANUAL  0x08U
#define CONTROL_QUAD    0x10U
#define STATUS_IDLE     0x100U

#define POLLS_MAX      50U /* each is a round trip of about 1 ms; the boot ROM itself waits 1 ms */
#define MESSAGE_MAX    8U
#define ANSWER_MAX     32U
#define SFDP_SIGNATURE 0x50444653U

enum opcode {
	READ_JEDEC = 0x9F,
	READ_SFDP = 0x5A,
};

static int wait_for(struct brom *brom, uint32_t address, uint32_t mask, uint32_t wanted)
{
	for (unsigned int i = 0; i < POLLS_MAX; i++) {
		uint32_t value;
		int r = brom_read32(brom, address, &value);

		if (r < 0)
			return r;
		if ((value & mask) == wanted)
			return 0;
	}
	return -EBUSY;
}

/* Bytes lie in the buffer as in memory, lowest first in each word. */
static int put_message(struct brom *brom, const uint8_t *message, size_t size)
{
	int r = 0;

	for (size_t at = 0; r >= 0 && at < size; at += 4) {
		uint8_t word[4] = { 0 };

		memcpy(word, message + at, MIN_OF(size - at, 4U));
		r = brom_write32(brom, BUFFER + (uint32_t)at, get_le32(word));
	}
	return r;
}

static int get_answer(struct brom *brom, size_t sent, uint8_t *answer, size_t size)
{
	uint32_t value = 0;

	for (size_t i = 0; i < size; i++) {
		size_t at = sent + i;

		if (i == 0 || at % 4 == 0) {
			int r = brom_read32(brom, BUFFER + (uint32_t)(at - at % 4), &value);

			if (r < 0)
				return r;
		}
		answer[i] = (uint8_t)(value >> 8 * (at % 4));
	}
	return 0;
}

static int run(struct brom *brom, uint32_t control, size_t sent, size_t wanted)
{
	int r = brom_write32(brom, SENT, (uint32_t)sent);

	if (r >= 0)
		r = brom_write32(brom, WANTED, (uint32_t)wanted);
	if (r >= 0)
		r = wait_for(brom, STATUS, STATUS_IDLE, STATUS_IDLE);
	if (r >= 0)
		r = brom_write32(brom, CONTROL,
				 (control & ~CONTROL_QUAD) | CONTROL_MANUAL | CONTROL_TRIGGER);
	if (r >= 0)
		r = wait_for(brom, CONTROL, CONTROL_DONE | CONTROL_BUSY, CONTROL_DONE);
	return r;
}

/* One exchange. The first byte decides what the flash does, so it is looked at here, last of all. */
static int exchange(struct brom *brom, const uint8_t *message, size_t sent, uint8_t *answer,
		    size_t wanted)
{
	uint32_t control;
	int r, restored;

	if (message[0] != READ_JEDEC && message[0] != READ_SFDP)
		return -EPERM;
	if (sent > MESSAGE_MAX || wanted > ANSWER_MAX)
		return -EINVAL;
	r = brom_read32(brom, CONTROL, &control);
	if (r < 0)
		return r;
	r = put_message(brom, message, sent);
	if (r >= 0)
		r = run(brom, control, sent, wanted);
	if (r == -ENODEV || r == -ECANCELED)
		return r;
	/* After an exchange that failed half-way too: the line may still be good. */
	restored = brom_write32(brom, CONTROL,
				control & ~(CONTROL_BUSY | CONTROL_DONE | CONTROL_TRIGGER));
	if (r >= 0)
		r = restored;
	return r < 0 ? r : get_answer(brom, sent, answer, wanted);
}

static int read_jedec(struct brom *brom, struct sfi_identity *identity)
{
	const uint8_t message[] = { READ_JEDEC };
	int r = exchange(brom, message, sizeof(message), identity->jedec, sizeof(identity->jedec));

	if (r >= 0)
		identity->has_jedec =
			!bytes_are_uniform(identity->jedec, sizeof(identity->jedec)) ||
			(identity->jedec[0] != 0x00 && identity->jedec[0] != 0xFF);
	return r;
}

/* SFDP (JEDEC JESD216): opcode, 24-bit address, one byte of waiting. */
static int read_sfdp(struct brom *brom, uint32_t address, uint8_t *data, size_t size)
{
	const uint8_t message[] = { READ_SFDP, (uint8_t)(address >> 16), (uint8_t)(address >> 8),
				    (uint8_t)address, 0 };

	return exchange(brom, message, sizeof(message), data, size);
}

/* The second word of the basic table: bits less one, or with the top bit set an exponent of 2. */
static uint64_t density_to_bytes(uint32_t density)
{
	uint32_t exponent = density & 0x7FFFFFFFU;

	if (!(density & 0x80000000U))
		return density % 8 == 7 ? ((uint64_t)density + 1) / 8 : 0;
	return exponent >= 3 && exponent <= 40 ? 1ULL << (exponent - 3) : 0;
}

/*
 * A header of 8 bytes, then headers of 8 bytes of each table: length in words at 3, address at 4. The
 * first is always the basic table.
 */
static int read_sfdp_size(struct brom *brom, struct sfi_identity *identity)
{
	uint8_t head[16], table[8];
	int r = read_sfdp(brom, 0, head, sizeof(head));

	if (r < 0 || get_le32(head) != SFDP_SIGNATURE || head[11] < 2)
		return MIN_OF(r, 0);
	r = read_sfdp(brom, get_le32(head + 12) & 0xFFFFFFU, table, sizeof(table));
	if (r >= 0)
		identity->sfdp_size = density_to_bytes(get_le32(table + 4));
	return r;
}

int sfi_identify(struct brom *brom, struct sfi_identity *ret)
{
	const struct chip *chip = brom_chip(brom);
	struct sfi_identity identity = { 0 };
	int r;

	if (!chip || !chip->readable || !chip_allows_write(chip, CONTROL))
		return -EOPNOTSUPP;
	r = read_jedec(brom, &identity);
	if (r >= 0)
		r = read_sfdp_size(brom, &identity);
	if (r >= 0)
		*ret = identity;
	return r;
}
