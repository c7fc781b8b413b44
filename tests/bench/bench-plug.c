/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * usage: umockdev-wrapper bench-plug COUNT
 * Plugs in COUNT boot ROMs one after the other and prints for each the milliseconds from its uevent
 * to the first A0 on its tty. umockdev makes the devices and the ttys, whose far ends are read here.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <umockdev.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "tests/integration/rig.h"

#define PLUGS_MAX      1000
#define LOST_SHARE     5 /* one of so many may be lost */
#define WAIT_USEC      (2 * USEC_PER_SEC)
#define SETTLE_MSEC    20 /* what was added must be told and forgotten before */
#define PAUSE_MSEC     50 /* between plugs: the worker before is gone */
#define HANDSHAKE_BYTE 0xA0

struct bench {
	struct rig rig;
	UMockdevTestbed *testbed;
	UMockdevIoctlBase *modem_lines;
	GMainContext *context;
	GMainLoop *loop;
	pthread_t loop_thread;
};

/* libserialport insists on modem lines; a USB boot ROM has none worth the name. */
static gboolean answer_modem_lines(_unused_ UMockdevIoctlBase *base, UMockdevIoctlClient *client,
				   _unused_ gpointer userdata)
{
	const gulong request = umockdev_ioctl_client_get_request(client);
	int none = 0;

	if (request == TIOCMGET) {
		UMockdevIoctlData *lines = umockdev_ioctl_data_resolve(
			umockdev_ioctl_client_get_arg(client), 0, sizeof(none), NULL);

		umockdev_ioctl_data_update(lines, 0, (guint8 *)&none, sizeof(none));
		g_object_unref(lines);
	} else if (request != TIOCMSET && request != TIOCMBIS && request != TIOCMBIC &&
		   request != TIOCEXCL && request != TIOCNXCL) {
		return FALSE;
	}
	umockdev_ioctl_client_complete(client, 0, 0);
	return TRUE;
}

static void *run_loop(void *userdata)
{
	struct bench *bench = userdata;

	g_main_context_push_thread_default(bench->context);
	g_main_loop_run(bench->loop);
	g_main_context_pop_thread_default(bench->context);
	return NULL;
}

static void set_up(struct bench *bench)
{
	bench->testbed = umockdev_testbed_new();
	bench->context = g_main_context_new();
	bench->loop = g_main_loop_new(bench->context, FALSE);
	g_main_context_push_thread_default(bench->context);
	bench->modem_lines = umockdev_ioctl_base_new();
	g_signal_connect(bench->modem_lines, "handle-ioctl", G_CALLBACK(answer_modem_lines), NULL);
	g_main_context_pop_thread_default(bench->context);
	assert_int_equal(pthread_create(&bench->loop_thread, NULL, run_loop, bench), 0);
	rig_set_up(&bench->rig, "[automatic]\nenabled=yes\nverify=none\n");
	rig_start_with_udev(&bench->rig);
}

static void tear_down(struct bench *bench)
{
	rig_tear_down(&bench->rig);
	g_main_loop_quit(bench->loop);
	(void)pthread_join(bench->loop_thread, NULL);
	g_object_unref(bench->modem_lines);
	g_object_unref(bench->testbed);
	g_main_loop_unref(bench->loop);
	g_main_context_unref(bench->context);
}

/*
 * A tty of a boot ROM on a port of its own. umockdev sends a uevent of what it adds at once; only
 * what our rules say of it, which comes last, makes it one for the daemon.
 */
static void add_device(struct bench *bench, unsigned int port, const char *tty, const char *node)
{
	_cleanup_free_ char *text =
		str_format("P: /devices/pci0000:00/0000:00:14.0/usb1/1-%u\n"
			   "E: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\n"
			   "A: idVendor=0e8d\nA: idProduct=0003\n\n"
			   "P: /devices/pci0000:00/0000:00:14.0/usb1/1-%u/1-%u:1.1/tty/%s\n"
			   "N: %s\nE: SUBSYSTEM=tty\nE: DEVNAME=/dev/%s\nE: MAJOR=166\nE: MINOR=0\n"
			   "E: ID_PATH=pci-0000:00:14.0-usb-0:%u:1.1\nE: USEC_INITIALIZED=1\n"
			   "A: dev=166:0\n",
			   port, port, port, tty, tty, tty, port);
	_cleanup_free_ char *path = str_format("/dev/%s", tty);
	GError *error = NULL;

	if (!umockdev_testbed_add_from_string(bench->testbed, text, &error) ||
	    !umockdev_testbed_attach_ioctl(bench->testbed, path, bench->modem_lines, &error))
		fail_msg("umockdev: %s", error->message);
	umockdev_testbed_set_property(bench->testbed, node, "MTKRB_MODE", "brom");
	umockdev_testbed_set_property(bench->testbed, node, "TAGS", ":mtkrb:");
	sleep_ms(SETTLE_MSEC);
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

/* Milliseconds from the uevent to the handshake; below 0 when none came. */
static double plug(struct bench *bench, unsigned int port)
{
	_cleanup_free_ char *tty = str_format("ttyACM%u", port);
	_cleanup_free_ char *path = str_format("/dev/%s", tty);
	_cleanup_free_ char *usb =
		str_format("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-%u", port);
	_cleanup_free_ char *node = str_format("%s/1-%u:1.1/tty/%s", usb, port, tty);
	uint64_t begun, ended;
	bool came;

	add_device(bench, port, tty, node);
	begun = time_now();
	umockdev_testbed_uevent(bench->testbed, node, "add");
	came = wait_for_handshake(umockdev_testbed_get_dev_fd(bench->testbed, path));
	ended = time_now();
	umockdev_testbed_uevent(bench->testbed, node, "remove");
	umockdev_testbed_remove_device(bench->testbed, node);
	umockdev_testbed_remove_device(bench->testbed, usb);
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
