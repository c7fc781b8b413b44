/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/serial.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <limits.h>
#include <linux/serial.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

/* Unix98 pty slaves, see the kernel's list of device numbers. */
#define PTY_MAJOR_FIRST 136
#define PTY_MAJOR_LAST  143

/* A tty is at most this many folders below its USB device (port, interface, device). */
#define SYSFS_DEPTH 6

static const struct {
	const char *vendor;
	const char *product; /* NULL: all of the vendor's */
} usb_watches[] = {
	{ "0e8d", NULL },
	/* Preloaders under the phone makers' own ids (mtkclient). */
	{ "1004", "6000" },
	{ "22d9", "0006" },
	{ "0fce", "f200" },
	{ "0fce", "d1e9" },
	{ "0fce", "d1e2" },
	{ "0fce", "d1ec" },
	{ "0fce", "d1dd" },
};

DEFINE_CLEANUP(struct sp_port *, sp_free_port);
DEFINE_CLEANUP(struct sp_port_config *, sp_free_config);

static int open_error(int error)
{
	switch (error) {
	case EIO:
	case ENXIO:
	case ENODEV:
		return -ENODEV;
	case EPERM:
		return -EACCES;
	case EWOULDBLOCK:
		return -EBUSY;
	default:
		return -error;
	}
}

static int read_id(const char *folder, const char *name, char ret[5])
{
	_cleanup_free_ char *path = str_format("%s/%s", folder, name);
	_cleanup_free_ char *text = NULL;
	int r;

	if (!path)
		return -ENOMEM;
	r = fd_read_file(AT_FDCWD, path, 64, &text, NULL);
	if (r < 0)
		return r;
	for (size_t i = 0; i < 4; i++) {
		if (!isxdigit((unsigned char)text[i]))
			return -EINVAL;
		ret[i] = (char)tolower((unsigned char)text[i]);
	}
	ret[4] = '\0';
	return 0;
}

static bool is_usb_watch(const char *vendor, const char *product)
{
	for (size_t i = 0; i < ARRAY_SIZE(usb_watches); i++) {
		if (streq(usb_watches[i].vendor, vendor) &&
		    (!usb_watches[i].product || streq(usb_watches[i].product, product)))
			return true;
	}
	return false;
}

/*
 * The nearest USB device above the tty says whose port it is. Without one it is a pty, which stands
 * for a watch, or a UART.
 */
static int find_kind(const char *tty, bool pty, enum line_kind *ret)
{
	char folder[PATH_MAX], vendor[5], product[5] = "";
	int n = snprintf(folder, sizeof(folder), "/sys/class/tty/%s/device", tty);

	for (int i = 0; i < SYSFS_DEPTH; i++) {
		int r;

		if (n < 0 || (size_t)n + sizeof("/..") > sizeof(folder))
			return -ENAMETOOLONG;
		r = read_id(folder, "idVendor", vendor);
		if (r == -ENOMEM)
			return r;
		if (r >= 0) {
			(void)read_id(folder, "idProduct", product);
			*ret = is_usb_watch(vendor, product) ? LINE_USB : LINE_UART;
			return 0;
		}
		memcpy(folder + n, "/..", sizeof("/.."));
		n += 3;
	}
	*ret = pty ? LINE_USB : LINE_UART;
	return 0;
}

/* The device's kernel name ("ttyACM0"), through links like /dev/serial/by-path. */
static int find_tty(const char *device, char **ret_path)
{
	const char *name = strafter(device, "/dev/");
	char folder[PATH_MAX];

	if (name &&
	    (size_t)snprintf(folder, sizeof(folder), "/sys/class/tty/%s", name) < sizeof(folder) &&
	    access(folder, F_OK) == 0)
		*ret_path = strdup(device);
	else
		*ret_path = realpath(device, NULL);
	return *ret_path ? 0 : open_error(errno);
}

static bool is_pty(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) >= PTY_MAJOR_FIRST &&
	       major(st.st_rdev) <= PTY_MAJOR_LAST;
}

/*
 * flock holds off our own programs, root's too, before anything of the line is changed. It ends with
 * its owner, however that dies.
 */
static int lock_port(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) < 0 ? open_error(errno) : 0;
}

/*
 * TIOCEXCL holds off programs that do not lock. Not on a pty, where it outlives a killed owner for
 * as long as the master is open.
 */
static int exclude_others(int fd)
{
	return !is_pty(fd) && ioctl(fd, TIOCEXCL) < 0 ? open_error(errno) : 0;
}

/*
 * Raw at once: until then the kernel echoes the watch's bytes back to it. VMIN and VTIME are the
 * transport's.
 */
static int make_raw(int fd)
{
	struct termios termios;

	if (tcgetattr(fd, &termios) < 0)
		return open_error(errno);
	cfmakeraw(&termios);
	termios.c_iflag &= ~(tcflag_t)(IXOFF | IXANY | INPCK);
	termios.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS);
	termios.c_cflag |= CLOCAL | CREAD;
	if (cfsetspeed(&termios, B115200) < 0 || tcsetattr(fd, TCSANOW, &termios) < 0)
		return open_error(errno);
	/* Input only: output belongs to whoever reads the other end of a pty. */
	return tcflush(fd, TCIFLUSH) < 0 ? open_error(errno) : 0;
}

/*
 * libserialport knows what drivers need beyond termios: modem lines, speeds, hardware flow control.
 * It opens the port a second time while ours stays open and locked. It cannot do this for a pty or
 * an unlisted port, which have none of that: make_raw is all they need.
 */
static void configure_port(const char *device)
{
	_cleanup_(sp_free_portp) struct sp_port *port = NULL;
	_cleanup_(sp_free_configp) struct sp_port_config *config = NULL;

	if (sp_get_port_by_name(device, &port) != SP_OK || sp_new_config(&config) != SP_OK ||
	    sp_open(port, SP_MODE_READ_WRITE) != SP_OK)
		return;
	if (sp_set_config_baudrate(config, 115200) == SP_OK &&
	    sp_set_config_bits(config, 8) == SP_OK &&
	    sp_set_config_parity(config, SP_PARITY_NONE) == SP_OK &&
	    sp_set_config_stopbits(config, 1) == SP_OK &&
	    sp_set_config_flowcontrol(config, SP_FLOWCONTROL_NONE) == SP_OK)
		(void)sp_set_config(port, config);
	(void)sp_close(port);
}

/* Where we may: close() then does not wait 30 s for output that an unplugged watch never takes. */
static void shorten_close(int fd)
{
	struct serial_struct serial;

	if (ioctl(fd, TIOCGSERIAL, &serial) < 0)
		return;
	serial.closing_wait = ASYNC_CLOSING_WAIT_NONE;
	(void)ioctl(fd, TIOCSSERIAL, &serial);
}

/* O_NONBLOCK: without it open() waits for a carrier that may never come. */
static int open_tty(const char *path, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return open_error(errno);
	if (!S_ISCHR(st.st_mode))
		return -ENOTTY;
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return open_error(errno);
	r = lock_port(fd);
	if (r >= 0)
		r = make_raw(fd);
	if (r < 0)
		return r;
	configure_port(path);
	shorten_close(fd);
	r = exclude_others(fd);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int serial_open(const char *device, int stop_fd, struct transport **ret)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	enum line_kind kind;
	const char *name;
	int r;

	r = find_tty(device, &path);
	if (r < 0)
		return r;
	r = open_tty(path, &fd);
	if (r < 0)
		return r;
	name = strafter(path, "/dev/");
	r = find_kind(name ? name : "", is_pty(fd), &kind);
	if (r < 0)
		return r;
	r = transport_new(fd, stop_fd, kind, ret);
	if (r < 0)
		return r;
	TAKE_FD(fd);
	return 0;
}
