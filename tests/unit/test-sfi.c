/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Against a small boot ROM with a flash controller, in a process of its own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/bytes.h"
#include "protocol/device/sfi.h"

#define BASE 0xA0140000U

enum variant {
	PLAIN,
	NEVER_IDLE, /* the bus */
	NEVER_DONE, /* the exchange */
	NO_FLASH,   /* all answers are FF */
	NO_SFDP,
	OTHER_CHIP,
};

static uint32_t words[0x900 / 4];

static uint8_t get8(int fd)
{
	uint8_t byte;

	if (read(fd, &byte, 1) != 1) {
		/* The end: manual mode is left and the lines are as they were. */
		_exit((words[0] & 0x1C) == 0x10 ? 0 : 3);
	}
	return byte;
}

static void put(int fd, uint64_t value, size_t size)
{
	uint8_t data[8];

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(value >> 8 * (size - 1 - i));
	if (write(fd, data, size) != (ssize_t)size)
		_exit(4);
}

static uint32_t echo(int fd, size_t size)
{
	uint32_t value = 0;

	for (size_t i = 0; i < size; i++) {
		uint8_t byte = get8(fd);

		put(fd, byte, 1);
		value = value << 8 | byte;
	}
	return value;
}

static uint8_t answer_byte(enum variant variant, const uint8_t *message, size_t i)
{
	static const uint8_t jedec[] = { 0xEF, 0x40, 0x17 };
	static const uint8_t sfdp[] = { 'S', 'F', 'D', 'P', 6,    1, 0, 0xFF,
					0,   6,   1,   9,   0x80, 0, 0, 0xFF };

	if (variant == NO_FLASH)
		return 0xFF;
	if (message[0] == 0x9F)
		return jedec[i % 3];
	if (message[3] == 0x80) /* 2^26 bits */
		return i == 4 ? 26 : i == 7 ? 0x80 : 0;
	return variant == NO_SFDP ? 0 : sfdp[i];
}

static void exchange(enum variant variant)
{
	uint8_t *buffer = (uint8_t *)words + 0x800;
	size_t sent = words[4], wanted = words[5];

	if (buffer[0] != 0x9F && buffer[0] != 0x5A)
		_exit(5);
	if ((words[0] & 0x10) || sent > 8 || wanted > 32)
		_exit(6);
	for (size_t i = 0; i < wanted; i++)
		buffer[sent + i] = answer_byte(variant, buffer, i);
	words[0] = (words[0] & ~4U) | (variant == NEVER_DONE ? 1 : 2);
}

static uint32_t read_word(enum variant variant, uint32_t address)
{
	if (address == 0x80000008)
		return variant == OTHER_CHIP ? 0x2523 : 0x6261;
	if (address == BASE + 8)
		return variant == NEVER_IDLE ? 0 : 0x100;
	return address - BASE < sizeof(words) ? words[(address - BASE) / 4] : 0;
}

static void write_word(enum variant variant, uint32_t address, uint32_t value)
{
	if (address - BASE >= sizeof(words))
		return;
	words[(address - BASE) / 4] = value;
	if (address == BASE && (value & 0xC) == 0xC)
		exchange(variant);
}

static void serve_write(int fd, enum variant variant, size_t size)
{
	uint32_t address = echo(fd, 4);

	(void)echo(fd, 4);
	put(fd, 1, 2);
	write_word(variant, address, echo(fd, size));
	put(fd, 1, 2);
}

static void serve_read(int fd, enum variant variant, uint8_t opcode)
{
	uint32_t address = echo(fd, 4), count = echo(fd, 4);

	if (opcode != 0xA2)
		put(fd, 0, 2);
	for (uint32_t i = 0; i < count; i++)
		put(fd, read_word(variant, address + 4 * i), opcode == 0xD1 ? 4 : 2);
	if (opcode != 0xA2)
		put(fd, 0, 2);
}

_noreturn_ static void serve(int fd, enum variant variant)
{
	words[0] = 0x10; /* as FlashTool's world may have left it: four lines */
	for (;;) {
		uint8_t opcode = get8(fd);

		put(fd, opcode == 0xFF ? 5 : opcode, 1);
		if (opcode == 0xA2 || opcode == 0xD0 || opcode == 0xD1)
			serve_read(fd, variant, opcode);
		else if (opcode == 0xD2 || opcode == 0xD4)
			serve_write(fd, variant, opcode == 0xD2 ? 2 : 4);
		else if (opcode == 0xD8)
			put(fd, 0, 6);
		else if (opcode == 0xE1) {
			put(fd, 16, 4);
			put(fd, 1, 8);
			put(fd, 2, 8);
			put(fd, 0, 2);
		}
	}
}

static int identify(enum variant variant, struct sfi_identity *ret)
{
	struct transport *transport = NULL;
	struct brom *brom = NULL;
	struct brom_identity identity;
	int ends[2], status, r;
	pid_t child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		serve(ends[1], variant);
	}
	close(ends[1]);
	assert_int_equal(transport_new(ends[0], -1, LINE_USB, &transport), 0);
	assert_int_equal(brom_new(transport, &brom), 0);
	assert_int_equal(brom_identify(brom, &identity), 0);
	r = sfi_identify(brom, ret);
	brom_free(brom);
	transport_free(transport);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return r;
}

static void test_both_answers(void **state _unused_)
{
	struct sfi_identity identity;

	assert_int_equal(identify(PLAIN, &identity), 0);
	assert_true(identity.has_jedec);
	assert_memory_equal(identity.jedec, "\xEF\x40\x17", 3);
	assert_int_equal(identity.sfdp_size, 8U << 20);
}

static void test_parts_that_say_less(void **state _unused_)
{
	struct sfi_identity identity;

	assert_int_equal(identify(NO_SFDP, &identity), 0);
	assert_true(identity.has_jedec);
	assert_int_equal(identity.sfdp_size, 0);
	assert_int_equal(identify(NO_FLASH, &identity), 0);
	assert_false(identity.has_jedec);
	assert_int_equal(identity.sfdp_size, 0);
}

/* It gives up, and leaves the controller as it was (the child's exit status). */
static void test_busy(void **state _unused_)
{
	struct sfi_identity identity;

	assert_int_equal(identify(NEVER_IDLE, &identity), -EBUSY);
	assert_int_equal(identify(NEVER_DONE, &identity), -EBUSY);
}

static void test_other_chip(void **state _unused_)
{
	struct sfi_identity identity;

	assert_int_equal(identify(OTHER_CHIP, &identity), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_answers),
		cmocka_unit_test(test_parts_that_say_less),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_other_chip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
