/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Opens a tty for a boot ROM: exclusively, raw, 115200 8N1, no flow control, CLOCAL. */

#include <stdbool.h>

#include "protocol/base/cleanup.h"
#include "protocol/device/transport.h"

/*
 * Opens device, a tty or a link to one. Settings are made by termios and, where it can open the
 * port (not a pty), by libserialport. The kind of line is found from sysfs: a MediaTek USB device, a
 * pty, or an adapter.
 *
 * Two programs never share a port: flock and TIOCEXCL. -EBUSY another program holds it, -EACCES no
 * permission, -ENOENT no such device, -ENOTTY not a serial port, -ENODEV it left while being opened.
 */
_must_check_ int serial_open(const char *device, int stop_fd, struct transport **ret);
