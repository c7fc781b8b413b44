/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Watches udev for ttys that our rules marked with MTKRB_MODE; the only file that knows libudev.
 * What is a MediaTek port is decided by the rules, not here.
 */

#include <systemd/sd-event.h>

#include "protocol/base/cleanup.h"

struct port_monitor;

/* A tty that udev recognised. All strings are borrowed for the call. */
struct udev_port {
	const char *syspath; /* its identity as long as it is there */
	const char *device;  /* "/dev/ttyACM0" */
	const char *
		path; /* the USB port it hangs on, the same for BROM, preloader and either driver */
	const char *mode; /* "brom", "preloader", "da", "com" */
};

struct port_monitor_handler {
	void (*arrived)(const struct udev_port *port, void *userdata);
	void (*left)(const char *syspath, void *userdata);
};

/*
 * Begins to listen, then reports what is there already: nothing is missed in between. handler and
 * userdata must outlive the monitor. Callbacks come from here and from the event loop.
 */
_must_check_ int port_monitor_new(sd_event *event, const struct port_monitor_handler *handler,
				  void *userdata, struct port_monitor **ret);
void port_monitor_free(struct port_monitor *monitor);
DEFINE_CLEANUP(struct port_monitor *, port_monitor_free);
