/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of the doctor share. */

#include <dirent.h>
#include <stdint.h>

#include "client/doctor/doctor.h"

/* ---- The system's files below the root; a file that is not there is NULL or no entry ---- */

/* The first line of a small file, without the newline; NULL when it cannot be read. */
_must_check_ _printf_(2, 3) char *doctor_read_line(const char *root, const char *format, ...);

/* A whole small file. */
_must_check_ _printf_(2, 3) char *doctor_read_text(const char *root, const char *format, ...);

/* Where a link points to, as it is written there. */
_must_check_ _printf_(2, 3) char *doctor_read_link(const char *root, const char *format, ...);

/* NULL when it is not there or not for us. */
_printf_(2, 3) DIR *doctor_open_directory(const char *root, const char *format, ...);

static inline void doctor_closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}
#define _cleanup_directory_ _cleanup_(doctor_closedirp)

/* ---- USB devices and their ports ---- */

struct usb_device {
	char name[32]; /* "1-2.3" */
	uint16_t vendor, product;
	unsigned int number; /* the kernel's, new at each plug-in */
	bool has_strings;    /* a manufacturer's or product's name */
	unsigned int configurations;
	bool authorized;
	bool may_sleep; /* power/control is "auto" */
	bool has_port;
	bool by_usbfs; /* a program drives it directly */
};

struct serial_port {
	char name[32];   /* "ttyACM0" */
	char device[32]; /* name of its usb_device */
	char *mode;      /* MTKRB_MODE, NULL: our rules have not seen it */
	bool mm_ignored; /* ID_MM_DEVICE_IGNORE on it */
	bool mediatek;   /* of a MediaTek device, or with a mode */
};

struct doctor_usb {
	struct usb_device *devices;
	size_t n_devices;
	struct serial_port *ports;
	size_t n_ports;
};

_must_check_ int doctor_usb_read(const char *root, struct doctor_usb *ret);
void doctor_usb_clear(struct doctor_usb *usb);
const struct usb_device *doctor_usb_find(const struct doctor_usb *usb, const char *name);
bool usb_is_mediatek(const struct usb_device *device);
/* The id of boot ROM or preloader, and not running firmware under the same id. */
bool usb_is_boot(const struct usb_device *device);

/* ---- Processes ---- */

struct doctor_process {
	int pid;
	char name[32];
	char *holds; /* the port that it has open, "/dev/ttyACM0"; NULL: none */
};

struct doctor_processes {
	struct doctor_process *items; /* holders of ports, and those whose name matters */
	size_t n;
	bool blind;
	int daemon; /* pid of mtkrbd, 0: not there */
};

_must_check_ int doctor_processes_read(const char *root, const struct doctor_usb *usb,
				       struct doctor_processes *ret);
void doctor_processes_clear(struct doctor_processes *processes);
const struct doctor_process *doctor_processes_find(const struct doctor_processes *processes,
						   const char *name);

/*
 * True when the process may read and write the file by its owner, group and mode; pid 0: when we
 * may. Also true when that cannot be known.
 */
bool doctor_may_open(const char *root, int pid, const char *path);

/* ---- Comings and goings ---- */

/*
 * How often a boot ROM came within the last two minutes of the kernel log; 0 also when the log is
 * not for us.
 */
unsigned int doctor_arrivals_logged(const char *root);

/* Looks at the bus for so long: how often a boot ROM came, one that was there before included. */
_must_check_ int doctor_arrivals_watched(const char *root, unsigned int seconds, unsigned int *ret);
