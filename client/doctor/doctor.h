/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Finds out why a watch is not seen or not readable, from what the system shows to everybody: sysfs,
 * /proc, udev's database and rules, the kernel log, the daemon's socket. Changes nothing, opens no
 * port, and needs neither root nor a daemon; what a user may not look at is left out and said so.
 */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/cleanup.h"

/* In the order in which they should be cured: nothing behind a cause helps while it is there. */
enum doctor_cause {
	DOCTOR_DAEMON_DOWN,        /* nothing listens at the socket */
	DOCTOR_SOCKET_DENIED,      /* the socket is there, but not for this user */
	DOCTOR_RULES_MISSING,      /* our udev rules are not installed */
	DOCTOR_USB_UNAUTHORIZED,   /* the kernel was told not to use the device (usbguard) */
	DOCTOR_NO_DRIVER,          /* the boot ROM is there, but no serial driver took it */
	DOCTOR_RULES_NOT_APPLIED,  /* the rules are there, but the port does not carry their mark */
	DOCTOR_PORT_DENIED,        /* the daemon's user may not open the port */
	DOCTOR_MODEMMANAGER_HOLDS, /* ModemManager has the port open */
	DOCTOR_BRLTTY_HOLDS,       /* brltty has the port or the adapter open */
	DOCTOR_PORT_HELD,          /* another program has the port open */
	DOCTOR_MODEMMANAGER_PROBES, /* ModemManager runs and was not told to keep off the port */
	DOCTOR_MASS_STORAGE,        /* the watch runs, as a disk */
	DOCTOR_COM_MODE,      /* the watch runs, with a serial port that is not the boot ROM */
	DOCTOR_OTHER_MODE,    /* a MediaTek device in a mode that nobody can read */
	DOCTOR_WINDOW_MISSED, /* the boot ROM came and went: nobody spoke to it in time */
	DOCTOR_AUTOSUSPEND,   /* the device may be put to sleep while it is read */
	DOCTOR_NO_DEVICE,     /* no MediaTek device at all */
	_DOCTOR_CAUSE_MAX,
};

/* The stable word: "daemon-down" … */
const char *doctor_cause_to_string(enum doctor_cause cause);

struct doctor_finding {
	enum doctor_cause cause;
	char *device; /* "/dev/ttyACM0", "usb 1-2"; NULL: none in particular */
	char *what;   /* one line: what is wrong and where */
	char *advice; /* one line: what to do */
};

struct doctor_report {
	struct doctor_finding *findings; /* in the order of the causes */
	size_t n_findings;
	size_t n_ports; /* MediaTek serial ports that are there */
	bool blind;     /* there were processes that this user may not look into */
};

struct doctor_options {
	const char *root;        /* put before /sys, /proc, /dev, /run and /etc: "" or a test's */
	const char *socket_path; /* the daemon's; NULL: not looked at */
	unsigned int
		watch_seconds; /* look for devices that come and go for so long, 0: only once */
};

/* -ENOMEM. Clear *ret whatever comes back. */
_must_check_ int doctor_examine(const struct doctor_options *options, struct doctor_report *ret);
void doctor_report_clear(struct doctor_report *report);
