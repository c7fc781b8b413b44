/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/bare-loop.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/base/time.h"
#include "tests/integration/rig.h"

#define BLOCK_BYTES (128U * 1024U)

/* Commands and registers as protocol/device has them (capture). */
#define READ32       0xD1
#define WRITE16      0xD2
#define WRITE32      0xD4
#define WATCHDOG     0xA0030000U
#define WATCHDOG_OFF 0x2200U
#define FLASH_MAP    0xA0510000U
#define MAP_EXTERNAL 0x2U

#define COMMAND_SIZE 9
#define STATUS_SIZE  2

static uint8_t buffer[BLOCK_BYTES];

static bool get(int fd, size_t size)
{
	for (size_t got = 0; got < size;) {
		ssize_t n = read(fd, buffer + got, size - got);

		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

/* Sends bytes and takes as many back. */
static bool say(int fd, const void *data, size_t size)
{
	return write(fd, data, size) == (ssize_t)size && get(fd, size);
}

static bool command(int fd, uint8_t opcode, uint32_t address, uint32_t count)
{
	uint8_t bytes[COMMAND_SIZE] = { opcode };

	put_be32(bytes + 1, address);
	put_be32(bytes + 5, count);
	return say(fd, bytes, sizeof(bytes)) && get(fd, STATUS_SIZE);
}

static bool write_register(int fd, uint8_t opcode, uint32_t address, uint32_t value, size_t size)
{
	uint8_t bytes[4];

	put_be32(bytes, value);
	return command(fd, opcode, address, 1) && say(fd, bytes + 4 - size, size) &&
	       get(fd, STATUS_SIZE);
}

static bool shake_hands(int fd)
{
	static const uint8_t pattern[] = { 0xA0, 0x0A, 0x50, 0x05 };

	for (size_t i = 0; i < sizeof(pattern); i++)
		if (!say(fd, &pattern[i], 1) || (buffer[0] ^ pattern[i]) != 0xFF)
			return false;
	return true;
}

static int open_line(const char *device)
{
	int fd = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios termios;

	if (fd < 0 || tcgetattr(fd, &termios) < 0)
		return -1;
	cfmakeraw(&termios);
	return tcsetattr(fd, TCSANOW, &termios) < 0 ? -1 : fd;
}

static bool read_blocks(int fd, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += BLOCK_BYTES)
		if (!command(fd, READ32, (uint32_t)at, BLOCK_BYTES / 4) || !get(fd, BLOCK_BYTES) ||
		    !get(fd, STATUS_SIZE))
			return false;
	return true;
}

/* The child's whole life: tells how long its blocks took. */
_noreturn_ static void run(const char *device, uint64_t bytes, int out)
{
	int fd = open_line(device);
	uint64_t begun;
	double seconds;

	if (fd < 0 || !shake_hands(fd) || !write_register(fd, WRITE16, WATCHDOG, WATCHDOG_OFF, 2) ||
	    !write_register(fd, WRITE32, FLASH_MAP, MAP_EXTERNAL, 4))
		_exit(1);
	begun = time_now();
	if (!read_blocks(fd, bytes))
		_exit(2);
	seconds = (double)(time_now() - begun) / (double)USEC_PER_SEC;
	_exit(write(out, &seconds, sizeof(seconds)) == sizeof(seconds) ? 0 : 3);
}

struct bare_loop bare_loop_run(const char *device, uint64_t bytes)
{
	struct bare_loop result;
	struct rusage usage;
	uint64_t begun = time_now();
	int out[2], status;
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run(device, bytes, out[1]);
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(out[0], &result.read_seconds, sizeof(result.read_seconds)),
			 sizeof(result.read_seconds));
	fd_close(out[0]);
	fd_close(out[1]);
	result.seconds = (double)(time_now() - begun) / (double)USEC_PER_SEC;
	result.cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	return result;
}
