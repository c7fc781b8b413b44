/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the vendor FlashTool sent to a real MT6261, sent to the virtual one: the answers must be the
 * real ones, byte for byte: those of the boot ROM and those of the download agent that was started.
 * Only the checksums of the two images differ, because these are not in the capture: zeros are sent,
 * whose checksum is 0.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "protocol/base/strings.h"
#include "tests/watch/boot-rom.h"

#define CAPTURE      MTKRB_TEST_DATA "/captures/mt6261-flashtool.txt"
#define CAPTURE_MEID "f81da2153082cc5e21ac5236876844c2"
#define FLASH_SIZE   4096

struct replay {
	struct boot_rom *rom;
	uint8_t answer[256]; /* pulled, not yet compared */
	size_t answer_size;
	bool image_sent; /* the next answer is a checksum */
	unsigned int host_lines, device_lines, images;
};

static void send(struct replay *replay, const uint8_t *data, size_t size)
{
	size_t taken;

	taken = boot_rom_push(replay->rom, data, size);
	assert_int_equal(taken, size);
	replay->answer_size += boot_rom_pull(replay->rom, replay->answer + replay->answer_size,
					     sizeof(replay->answer) - replay->answer_size);
}

static void host_line(struct replay *replay, const char *text)
{
	static const uint8_t zeros[1024];
	uint8_t data[64];
	size_t size;

	if (!replay->image_sent)
		assert_int_equal(replay->answer_size, 0);
	replay->host_lines++;
	if (sscanf(text, "(%zu bytes of a download agent", &size) == 1) {
		assert_true(size <= sizeof(zeros));
		replay->images += !replay->image_sent;
		replay->image_sent = true;
		send(replay, zeros, size);
		return;
	}
	size = strlen(text) / 2;
	assert_true(size > 0 && size <= sizeof(data));
	assert_int_equal(hex_decode(text, data, size), 0);
	send(replay, data, size);
}

static void device_line(struct replay *replay, const char *text)
{
	uint8_t expected[64];
	size_t size = strlen(text) / 2;

	replay->device_lines++;
	assert_true(size > 0 && size <= sizeof(expected));
	assert_int_equal(hex_decode(text, expected, size), 0);
	if (replay->image_sent) {
		replay->image_sent = false;
		memset(expected, 0, size);
	}
	assert_true(size <= replay->answer_size);
	assert_memory_equal(replay->answer, expected, size);
	replay->answer_size -= size;
	memmove(replay->answer, replay->answer + size, replay->answer_size);
}

static void replay_file(struct replay *replay)
{
	char line[512], text[400], direction;
	FILE *file;

	file = fopen(CAPTURE, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		assert_int_equal(sscanf(line, "%*u %*f ep%*s %c %399[^\n]", &direction, text), 2);
		if (direction == '>')
			host_line(replay, text);
		else
			device_line(replay, text);
	}
	fclose(file);
}

static void test_flashtool(void **state)
{
	static const uint8_t flash[FLASH_SIZE];
	struct faults faults = { 0 };
	struct boot_rom_config config = {
		.flash = flash,
		.flash_size = sizeof(flash),
		.faults = &faults,
		.agent = { .jedec = { 0xC2, 0x20, 0x16 }, .nor_size = 4U << 20 },
	};
	struct replay replay = { 0 };
	uint8_t unknown[] = { 0xA0, 0xD1 };

	(void)state;
	assert_int_equal(chip_find("mt6261", &config.chip), 0);
	assert_int_equal(hex_decode(CAPTURE_MEID, config.me_id, sizeof(config.me_id)), 0);
	assert_int_equal(boot_rom_new(&config, &replay.rom), 0);
	replay_file(&replay);
	assert_int_equal(replay.answer_size, 0);
	assert_true(boot_rom_is_up(replay.rom));
	assert_int_equal(replay.images, 2);
	assert_int_equal(replay.host_lines, 429);
	assert_int_equal(replay.device_lines, 842);

	/* What the boot ROM would answer means nothing to the agent. */
	send(&replay, unknown, sizeof(unknown));
	assert_int_equal(replay.answer_size, 0);
	boot_rom_free(replay.rom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flashtool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
