/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * usage: umockdev-wrapper bench-plug COUNT
 * Plugs in COUNT boot ROMs one after the other and prints for each the milliseconds from its uevent
 * to the first A0 on its tty. umockdev makes the devices and the ttys, whose far ends are read here.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "tests/integration/mock-bus.h"
#include "tests/integration/rig.h"

#define PLUGS_MAX      1000
#define LOST_SHARE     5 /* one of so many may be lost */
#define WAIT_USEC      (2 * USEC_PER_SEC)
#define SETTLE_MSEC    20 /* what was added must be told and forgotten before */
#define PAUSE_MSEC     50 /* between plugs: the worker before is gone */
#define HANDSHAKE_BYTE 0xA0

struct bench {
	struct rig rig;
	struct mock_bus bus;
};

static void set_up(struct bench *bench)
{
	mock_bus_open(&bench->bus);
	rig_set_up(&bench->rig, "[automatic]\nenabled=yes\nverify=none\n");
	rig_start_with_udev(&bench->rig);
}

static void tear_down(struct bench *bench)
{
	rig_tear_down(&bench->rig);
	mock_bus_close(&bench->bus);
}

static bool wait_for_handshake(int fd)
{
	const uint64_t end = time_now() + WAIT_USEC;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint8_t data[64];

	while (time_now() < end && poll(&pfd, 1, WAIT_USEC / USEC_PER_MSEC) == 1) {
		ssize_t n = read(fd, data, sizeof(data));

		if (n > 0 && memchr(data, HANDSHAKE_BYTE, (size_t)n))
			return true;
		/* The far end is not open yet. */
		if (n < 0 && errno == EIO)
			(void)usleep(100);
		else if (n <= 0 && errno != EAGAIN)
			return false;
	}
	return false;
}

/*
 * Milliseconds from the uevent to the handshake; below 0 when none came. umockdev sends a uevent of
 * what it adds at once; only what our rules say of it, which comes last, makes it one for the daemon.
 */
static double plug(struct bench *bench, unsigned int number)
{
	_cleanup_free_ char *tty = str_format("ttyACM%u", number);
	_cleanup_free_ char *port = str_format("%u", number);
	uint64_t begun, ended;
	bool came;

	mock_bus_add_device(&bench->bus, port, "");
	mock_bus_add_tty(&bench->bus, port, tty, NULL);
	mock_bus_set_mode(&bench->bus, port, tty, "brom");
	sleep_ms(SETTLE_MSEC);
	begun = time_now();
	mock_bus_uevent(&bench->bus, port, tty, "add");
	came = wait_for_handshake(mock_bus_far_end(&bench->bus, tty));
	ended = time_now();
	mock_bus_unplug(&bench->bus, port, tty);
	sleep_ms(PAUSE_MSEC);
	return came ? (double)(ended - begun) / (double)USEC_PER_MSEC : -1;
}

/* umockdev now and then refuses a worker its device; such a plug is not ours to count. */
static bool measure(struct bench *bench, size_t count)
{
	size_t done = 0;

	for (unsigned int port = 1; done < count && port <= count + count / LOST_SHARE + 1;
	     port++) {
		double msec = plug(bench, port);

		if (msec < 0)
			continue;
		printf("%.3f\n", msec);
		done++;
	}
	return done == count;
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	int64_t count;
	bool whole;

	if (argc != 2 || parse_int(argv[1], 1, PLUGS_MAX, &count) < 0 || !getenv("LD_PRELOAD")) {
		fprintf(stderr, "usage: umockdev-wrapper bench-plug COUNT\n");
		return 2;
	}
	set_up(&bench);
	whole = measure(&bench, (size_t)count);
	tear_down(&bench);
	return whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
