/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How fast a flash is read through a download agent, as a share of a bare loop that takes the same
 * packets from the same virtual watch and looks at nothing.
 * usage: da-speed [MIB], with MTKRB_BIN_DIR set.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "protocol/base/bytes.h"
#include "protocol/base/fd.h"
#include "protocol/base/time.h"
#include "protocol/device/da-reader.h"
#include "protocol/device/serial.h"
#include "tests/da-image.h"

#define CAPTURE MTKRB_TEST_DATA "/captures/mt6261-flashtool.txt"
#define BLOCK   (128U * 1024U)
#define PACKET  DA_SESSION_PACKET_MAX
#define ROUNDS  5U

static uint8_t block[BLOCK + 2];

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "da-speed: %s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

static pid_t start_watch(unsigned int mib, char device[256])
{
	_cleanup_free_ char *program = str_format("%s/mtkrb-watch", getenv("MTKRB_BIN_DIR"));
	_cleanup_free_ char *flash = str_format("--flash=new:%uM", mib);
	int out[2];
	ssize_t n;
	pid_t pid;

	check(pipe2(out, O_CLOEXEC), "pipe");
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		execl(program, "mtkrb-watch", flash, (char *)NULL);
		_exit(127);
	}
	n = read(out[0], device, 255);
	check(n > 0 ? 0 : -ENOENT, "mtkrb-watch");
	device[n] = '\0';
	device[strcspn(device, "\n")] = '\0';
	return pid;
}

static void start_agent(const char *device, struct transport **transport, struct da_session **agent)
{
	struct da_image image = { .hw_code = 0x6261, .first_size = 1076, .second_size = 111784 };
	_cleanup_close_ int fd = memfd_create("agent", MFD_CLOEXEC);
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	_cleanup_(brom_freep) struct brom *brom = NULL;
	struct brom_identity identity;
	struct da_session_source source = { .identity = &identity };
	char why[DA_WHY_SIZE];
	size_t n;

	da_image_add_rows(&image, CAPTURE);
	check(da_image_write(&image, fd), "agent");
	check(da_file_open(fd, NULL, &file, why), "agent");
	check(serial_open(device, -1, transport), device);
	check(brom_new(*transport, &brom), "boot ROM");
	check(brom_handshake(brom, 3 * USEC_PER_SEC), "handshake");
	check(brom_identify(brom, &identity), "identity");
	check(da_session_new(*transport, agent), "session");
	source.brom = brom;
	source.file = file;
	source.entry = da_file_entries(file, &n);
	check(da_session_start(*agent, &source), "start");
}

static double read_session(struct da_session *agent, uint64_t bytes)
{
	struct da_reader reader;
	uint64_t begun = time_now();

	da_reader_open(&reader, agent);
	for (uint64_t at = 0; at < bytes; at += BLOCK)
		check(reader_read(&reader.reader, at, block, BLOCK), "read");
	return (double)bytes / (double)(time_now() - begun);
}

static void read_bytes(int fd, uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t n = read(fd, data, size);

		check(n > 0 ? 0 : -EIO, "bare read");
		data += n;
		size -= (size_t)n;
	}
}

static double read_bare(const char *device, uint64_t bytes)
{
	_cleanup_close_ int fd = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
	const uint8_t ack = 0x5A;
	struct termios termios;
	uint64_t begun;

	check(fd, device);
	check(tcgetattr(fd, &termios), device);
	cfmakeraw(&termios);
	check(tcsetattr(fd, TCSANOW, &termios), device);
	begun = time_now();
	for (uint64_t at = 0; at < bytes; at += BLOCK) {
		uint8_t command[14] = { 0xD6 };

		put_be32(command + 2, (uint32_t)at);
		put_be32(command + 6, BLOCK);
		put_be32(command + 10, PACKET);
		check(fd_write_all(fd, command, sizeof(command)), "bare write");
		read_bytes(fd, block, 1);
		for (size_t i = 0; i < BLOCK / PACKET; i++) {
			read_bytes(fd, block + i * PACKET, PACKET + 2);
			check(fd_write_all(fd, &ack, 1), "bare write");
		}
	}
	return (double)bytes / (double)(time_now() - begun);
}

int main(int argc, char **argv)
{
	unsigned int mib = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 16;
	const uint64_t bytes = (uint64_t)mib << 20;
	struct transport *transport;
	struct da_session *agent;
	double session = 0, bare = 0;
	char device[256];
	pid_t watch = start_watch(mib, device);

	start_agent(device, &transport, &agent);
	/* In turns, each at its best: another process may have the machine for a while. */
	for (unsigned int i = 0; i < ROUNDS; i++) {
		double speed = read_session(agent, bytes);

		session = MAX_OF(session, speed);
		transport_free(transport);
		da_session_free(agent);
		speed = read_bare(device, bytes);
		bare = MAX_OF(bare, speed);
		kill(watch, SIGKILL);
		waitpid(watch, NULL, 0);
		if (i + 1 == ROUNDS)
			break;
		watch = start_watch(mib, device);
		start_agent(device, &transport, &agent);
	}
	printf("download agent: %.1f MB/s, bare loop: %.1f MB/s, ratio %.2f\n", session, bare,
	       session / bare);
	return EXIT_SUCCESS;
}
