/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/record.h"

#include <errno.h>

#include "tests/fuzz/conversation.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/line.h"
#include "tests/watch/boot-rom.h"

#define FLASH_BYTES (64U * 1024U)
#define SAID_MAX    (1U << 20)

struct transport {
	struct boot_rom *rom;
	struct faults faults;
	uint8_t flash[FLASH_BYTES];
	uint8_t said[SAID_MAX]; /* all of it; from taken on the host has not read it */
	size_t n_said, taken, written;
	uint64_t now;
	FILE *file;
};

/* As in line.c; here it stands still. */
uint64_t __wrap_time_now(void)
{
	return 1;
}

struct transport *record_new(FILE *file)
{
	struct transport *record = calloc(1, sizeof(*record));
	struct boot_rom_config config = {
		.me_id = "0123456789abcdef",
		.flash_size = FLASH_BYTES,
		.agent = { .jedec = CONVERSATION_JEDEC },
	};

	fuzz_require(record && chip_find("MT6261", &config.chip) == 0);
	memset(record->flash, 0xff, sizeof(record->flash));
	config.flash = record->flash;
	config.faults = &record->faults;
	fuzz_require(boot_rom_new(&config, &record->rom) == 0);
	record->file = file;
	fputc(LINE_ENDS_GONE, file);
	return record;
}

/* ---- The script ---- */

static size_t run_length(const uint8_t *data, size_t size)
{
	size_t n = 1;

	while (n < size && data[n] == data[0])
		n++;
	return n;
}

static void put_step(FILE *file, unsigned int what, size_t n)
{
	fputc((int)(what | (n - 1)), file);
}

/* What the host has read since the last time. */
static void put_said(struct transport *record)
{
	const uint8_t *data = record->said;

	while (record->written < record->taken) {
		size_t at = record->written, left = record->taken - at, n = 0;
		size_t eights = run_length(data + at, left) / 8;

		if (eights > 0) {
			eights = MIN_OF(eights, LINE_STEP);
			put_step(record->file, LINE_REPEAT, eights);
			fputc(data[at], record->file);
			record->written += eights * 8;
			continue;
		}
		while (n < MIN_OF(left, LINE_STEP) && run_length(data + at + n, left - n) < 8)
			n++;
		put_step(record->file, LINE_SAY, n);
		fwrite(data + at, 1, n, record->file);
		record->written += n;
	}
}

/* ---- The line ---- */

void transport_free(struct transport *record)
{
	put_said(record);
	boot_rom_free(record->rom);
	free(record);
}

enum line_kind transport_kind(const struct transport *record _unused_)
{
	return LINE_USB;
}

int transport_set_speed(struct transport *record _unused_, uint32_t baud _unused_)
{
	return 0;
}

static size_t pull(struct transport *record)
{
	size_t n = boot_rom_pull(record->rom, record->said + record->n_said,
				 MIN_OF(4096, SAID_MAX - record->n_said));

	record->n_said += n;
	return n;
}

int transport_write(struct transport *record, const void *data, size_t size,
		    uint64_t timeout_usec _unused_)
{
	const uint8_t *p = data;

	/* What answers two writes is two steps. */
	put_said(record);
	while (size > 0) {
		size_t n = boot_rom_push(record->rom, p, size), pulled = pull(record);

		p += n;
		size -= n;
		if (n == 0 && pulled == 0)
			return boot_rom_is_up(record->rom) ? -ETIMEDOUT : -ENODEV;
	}
	return 0;
}

int transport_read_some(struct transport *record, void *data, size_t size, uint64_t timeout_usec)
{
	size_t n;

	if (record->taken == record->n_said)
		(void)pull(record);
	n = MIN_OF(size, record->n_said - record->taken);
	if (n > 0) {
		memcpy(data, record->said + record->taken, n);
		record->taken += n;
		return (int)n;
	}
	put_said(record);
	if (!boot_rom_is_up(record->rom))
		return -ENODEV;
	put_step(record->file, LINE_SILENCE, 1);
	record->now += timeout_usec;
	boot_rom_tick(record->rom, record->now);
	return -ETIMEDOUT;
}

int transport_read(struct transport *record, void *data, size_t size, uint64_t silence_usec,
		   size_t *ret_got)
{
	size_t got = 0;
	int r = 0;

	while (got < size && r >= 0) {
		r = transport_read_some(record, (uint8_t *)data + got, size - got, silence_usec);
		if (r > 0)
			got += (size_t)r;
	}
	if (ret_got)
		*ret_got = got;
	return MIN_OF(r, 0);
}

int transport_drain(struct transport *record, uint64_t silence_usec, size_t limit_bytes _unused_,
		    uint64_t limit_usec _unused_)
{
	uint8_t scrap[4096];
	int r;

	do
		r = transport_read_some(record, scrap, sizeof(scrap), silence_usec);
	while (r > 0);
	return r == -ETIMEDOUT ? 0 : r;
}
