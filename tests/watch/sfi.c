/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/sfi.h"

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"

#define CONTROL    0xA0140000U
#define STATUS     0xA0140008U
#define SENT       0xA0140010U
#define WANTED     0xA0140014U
#define BUFFER     0xA0140800U
#define BUFFER_MAX 128U

#define DONE    0x02U
#define TRIGGER 0x04U
#define MANUAL  0x08U

static uint8_t capacity(uint64_t size)
{
	uint8_t exponent = 0;

	while (exponent < 63 && 1ULL << exponent < size)
		exponent++;
	return exponent;
}

/* Header, header of the basic table at 30, the table's first two words. */
static uint8_t sfdp_byte(uint64_t size, uint32_t at)
{
	uint8_t sfdp[0x38] = { 'S',  'F',  'D',  'P',  0x06, 0x01, 0x00, 0xFF,
			       0x00, 0x06, 0x01, 0x10, 0x30, 0x00, 0x00, 0xFF };

	put_le32(sfdp + 0x30, 0xFFF120E5);
	put_le32(sfdp + 0x34, (uint32_t)((8ULL << capacity(size)) - 1));
	return at < sizeof(sfdp) ? sfdp[at] : 0xFF;
}

static uint8_t answer_byte(const uint8_t *message, uint32_t sent, uint64_t size, uint32_t i)
{
	const uint8_t jedec[] = { 0xC2, 0x25, (uint8_t)(0x20 + capacity(size)) };

	if (message[0] == 0x9F && sent == 1)
		return jedec[i % 3];
	if (message[0] == 0x5A && sent == 5)
		return sfdp_byte(size,
				 (uint32_t)(message[1] << 16 | message[2] << 8 | message[3]) + i);
	return 0xFF;
}

static void exchange(struct registers *registers, uint64_t size)
{
	uint32_t sent = registers_read(registers, SENT), wanted = registers_read(registers, WANTED);
	uint8_t buffer[BUFFER_MAX] = { 0 };

	if (sent == 0 || sent > BUFFER_MAX || wanted > BUFFER_MAX - sent)
		return;
	for (uint32_t at = 0; at < BUFFER_MAX; at += 4)
		put_le32(buffer + at, registers_read(registers, BUFFER + at));
	for (uint32_t i = 0; i < wanted; i++)
		buffer[sent + i] = answer_byte(buffer, sent, size, i);
	for (uint32_t at = 0; at < sent + wanted; at += 4)
		(void)registers_write(registers, BUFFER + at, get_le32(buffer + at), UINT32_MAX);
}

void sfi_written(struct registers *registers, const struct flash *flash, uint32_t address)
{
	uint32_t control = registers_read(registers, CONTROL);

	/* The bus is always idle: nothing else uses it. */
	if (!(registers_read(registers, STATUS) & 0x100))
		(void)registers_write(registers, STATUS, 0x100, UINT32_MAX);
	if (address != CONTROL || (control & (MANUAL | TRIGGER)) != (MANUAL | TRIGGER))
		return;
	exchange(registers, flash->size);
	(void)registers_write(registers, CONTROL, (control & ~TRIGGER) | DONE, UINT32_MAX);
}
