/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/integration/mock-bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include "protocol/base/strings.h"

#define CONTROLLER "/devices/pci0000:00/0000:00:14.0/usb1"

static char *device_path(const char *port)
{
	return str_format("/sys" CONTROLLER "/1-%s", port);
}

static char *tty_path(const char *port, const char *tty)
{
	return str_format("/sys" CONTROLLER "/1-%s/1-%s:1.1/tty/%s", port, port, tty);
}

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
	struct mock_bus *bus = userdata;

	g_main_context_push_thread_default(bus->context);
	g_main_loop_run(bus->loop);
	g_main_context_pop_thread_default(bus->context);
	return NULL;
}

void mock_bus_open(struct mock_bus *bus)
{
	bus->testbed = umockdev_testbed_new();
	bus->context = g_main_context_new();
	bus->loop = g_main_loop_new(bus->context, FALSE);
	g_main_context_push_thread_default(bus->context);
	bus->modem_lines = umockdev_ioctl_base_new();
	g_signal_connect(bus->modem_lines, "handle-ioctl", G_CALLBACK(answer_modem_lines), NULL);
	g_main_context_pop_thread_default(bus->context);
	assert_int_equal(pthread_create(&bus->thread, NULL, run_loop, bus), 0);
}

void mock_bus_close(struct mock_bus *bus)
{
	g_main_loop_quit(bus->loop);
	(void)pthread_join(bus->thread, NULL);
	g_object_unref(bus->modem_lines);
	g_object_unref(bus->testbed);
	g_main_loop_unref(bus->loop);
	g_main_context_unref(bus->context);
}

static void add(struct mock_bus *bus, const char *description)
{
	GError *error = NULL;

	assert_non_null(description);
	if (!umockdev_testbed_add_from_string(bus->testbed, description, &error))
		fail_msg("umockdev: %s", error->message);
}

void mock_bus_add_device(struct mock_bus *bus, const char *port, const char *attributes)
{
	_cleanup_free_ char *device = str_format("P: " CONTROLLER "/1-%s\n"
						 "E: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\n"
						 "A: idVendor=0e8d\nA: idProduct=0003\n%s",
						 port, attributes);

	add(bus, device);
}

void mock_bus_add_tty(struct mock_bus *bus, const char *port, const char *tty, const char *mode)
{
	_cleanup_free_ char *ours =
		mode ? str_format("E: MTKRB_MODE=%s\nE: TAGS=:mtkrb:\n", mode) : strdup("");
	_cleanup_free_ char *node =
		str_format("P: " CONTROLLER "/1-%s/1-%s:1.1/tty/%s\n"
			   "N: %s\nE: SUBSYSTEM=tty\nE: DEVNAME=/dev/%s\nE: MAJOR=166\nE: MINOR=0\n"
			   "E: ID_PATH=pci-0000:00:14.0-usb-0:%s:1.1\n%s"
			   "E: USEC_INITIALIZED=1\nA: dev=166:0\n",
			   port, port, tty, tty, tty, port, ours);
	_cleanup_free_ char *path = str_format("/dev/%s", tty);
	GError *error = NULL;

	add(bus, node);
	if (!umockdev_testbed_attach_ioctl(bus->testbed, path, bus->modem_lines, &error))
		fail_msg("umockdev: %s", error->message);
}

void mock_bus_set_mode(struct mock_bus *bus, const char *port, const char *tty, const char *mode)
{
	_cleanup_free_ char *path = tty_path(port, tty);

	umockdev_testbed_set_property(bus->testbed, path, "MTKRB_MODE", mode);
	umockdev_testbed_set_property(bus->testbed, path, "TAGS", ":mtkrb:");
}

void mock_bus_uevent(struct mock_bus *bus, const char *port, const char *tty, const char *action)
{
	_cleanup_free_ char *path = tty_path(port, tty);

	umockdev_testbed_uevent(bus->testbed, path, action);
}

void mock_bus_remove_tty(struct mock_bus *bus, const char *port, const char *tty)
{
	_cleanup_free_ char *path = tty_path(port, tty);

	umockdev_testbed_remove_device(bus->testbed, path);
}

void mock_bus_unplug(struct mock_bus *bus, const char *port, const char *tty)
{
	_cleanup_free_ char *device = device_path(port);

	mock_bus_uevent(bus, port, tty, "remove");
	mock_bus_remove_tty(bus, port, tty);
	umockdev_testbed_remove_device(bus->testbed, device);
}

int mock_bus_far_end(struct mock_bus *bus, const char *tty)
{
	_cleanup_free_ char *path = str_format("/dev/%s", tty);

	return umockdev_testbed_get_dev_fd(bus->testbed, path);
}
