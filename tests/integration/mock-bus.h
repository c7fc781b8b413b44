/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A USB bus that does not exist: umockdev shows its devices to libudev, sends their uevents and gives
 * them ttys that libserialport opens. Programs run under umockdev-wrapper. Rules do not run here, so
 * what ours would say of a device is said by hand (the rules have tests of their own).
 */

#include <pthread.h>

#include <umockdev.h>

#include "protocol/base/cleanup.h"

struct mock_bus {
	UMockdevTestbed *testbed;
	UMockdevIoctlBase *modem_lines;
	GMainContext *context; /* in which a thread answers ioctls */
	GMainLoop *loop;
	pthread_t thread;
};

/* What does not work ends the test. */
void mock_bus_open(struct mock_bus *bus);
void mock_bus_close(struct mock_bus *bus);

/* A USB device with MediaTek's boot ROM id on a port ("2"); attributes: more lines of umockdev. */
void mock_bus_add_device(struct mock_bus *bus, const char *port, const char *attributes);

/*
 * A tty of the device on a port. mode is what our rules would say of it (MTKRB_MODE), NULL: that it is
 * none of ours. umockdev sends a uevent of it at once.
 */
void mock_bus_add_tty(struct mock_bus *bus, const char *port, const char *tty, const char *mode);

/* The rules say now what they did not before; nobody is told until a uevent comes. */
void mock_bus_set_mode(struct mock_bus *bus, const char *port, const char *tty, const char *mode);

/* "add", "change" or "remove". */
void mock_bus_uevent(struct mock_bus *bus, const char *port, const char *tty, const char *action);

/* Takes away the tty, without a word. */
void mock_bus_remove_tty(struct mock_bus *bus, const char *port, const char *tty);

/* Takes away tty and device, and tells of the tty. */
void mock_bus_unplug(struct mock_bus *bus, const char *port, const char *tty);

/* The far end of a tty; borrowed. */
int mock_bus_far_end(struct mock_bus *bus, const char *tty);
