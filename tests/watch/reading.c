/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/reading.h"

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"

#define FLIPPED_BIT   0x10
#define INSERTED_BYTE 0xA7

static void advance(struct reading *reading, size_t bytes)
{
	reading->address += (uint32_t)bytes;
	if (!reading->endless)
		reading->remaining -= bytes / reading->width;
}

/* The CPU is little-endian, the line is not: every unit is turned round. */
static void take_units(struct reading *reading, const struct memory *memory, uint8_t *data,
		       size_t size)
{
	memory_read(memory, reading->address, data, size);
	advance(reading, size);
	if (reading->width == 4) {
		bytes_swap_words(data, size);
		return;
	}
	for (size_t i = 0; i < size; i += 2)
		put_be16(data + i, get_le16(data + i));
}

/* Leaves out the byte at place and what follows it in the flash, as far as the unit goes. */
static size_t leave_out(struct fault *fault, uint8_t *data, size_t width, size_t place)
{
	size_t n = (size_t)MIN_OF(fault->bytes, place + 1);

	memmove(data + place + 1 - n, data + place + 1, width - 1 - place);
	fault->value += n;
	fault->bytes -= n;
	fault->spent = fault->bytes == 0;
	return width - n;
}

/* A fault lies in the next unit, which begins at offset. */
static enum reading_step apply(struct reading *reading, const struct memory *memory,
			       struct fault *fault, uint32_t offset, uint8_t *data, uint64_t *ret)
{
	size_t width = reading->width;
	size_t place = width - 1 - (size_t)(fault->value - offset);

	fault->spent = true;
	*ret = fault->usec;
	if (fault->kind == FAULT_UNPLUG)
		return READING_UNPLUG;
	if (fault->kind == FAULT_STALL)
		return READING_STALL;
	take_units(reading, memory, data, width);
	*ret = width;
	if (fault->kind == FAULT_FLIP) {
		data[place] ^= FLIPPED_BIT;
	} else if (fault->kind == FAULT_INSERT) {
		memmove(data + place + 1, data + place, width - place);
		data[place] = INSERTED_BYTE;
		*ret = width + 1;
	} else {
		*ret = leave_out(fault, data, width, place);
	}
	return READING_DATA;
}

enum reading_step reading_next(struct reading *reading, const struct memory *memory,
			       struct faults *faults, uint8_t *data, size_t size, uint64_t *ret)
{
	const struct flash *flash = memory->flash;
	struct fault *fault = NULL;
	uint64_t length, clean;
	uint32_t offset;

	if (reading->remaining == 0)
		return READING_END;
	length = MIN_OF(size / reading->width, reading->remaining) * reading->width;
	if (memory_in_flash(memory, reading->address, &offset)) {
		if (flash->past_end == FLASH_STALL && offset >= flash->size) {
			*ret = USEC_NEVER;
			return READING_STALL;
		}
		if (flash->past_end == FLASH_STALL)
			length = MIN_OF(length, flash->size - offset);
		fault = faults_in_stream(faults, offset, length);
	}
	if (fault) {
		clean = (fault->value - offset) / reading->width * reading->width;
		if (clean == 0)
			return apply(reading, memory, fault, offset, data, ret);
		length = clean;
	}
	take_units(reading, memory, data, length);
	*ret = length;
	return READING_DATA;
}
