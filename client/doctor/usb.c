/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "client/doctor/internal.h"
#include "protocol/base/strings.h"

#define MEDIATEK 0x0E8D

static unsigned int read_number(const char *root, const char *device, const char *attribute,
				int base)
{
	_cleanup_free_ char *text =
		doctor_read_line(root, "/sys/bus/usb/devices/%s/%s", device, attribute);

	return text ? (unsigned int)strtoul(text, NULL, base) : 0;
}

static bool has_text(const char *root, const char *device, const char *attribute)
{
	_cleanup_free_ char *text =
		doctor_read_line(root, "/sys/bus/usb/devices/%s/%s", device, attribute);

	return text && *text;
}

static bool reads_as(const char *root, const char *device, const char *attribute, const char *value)
{
	_cleanup_free_ char *text =
		doctor_read_line(root, "/sys/bus/usb/devices/%s/%s", device, attribute);

	return text && streq(text, value);
}

static int add_device(const char *root, const char *name, struct doctor_usb *usb)
{
	struct usb_device *grown = reallocarray(usb->devices, usb->n_devices + 1, sizeof(*grown));
	struct usb_device device = {
		.vendor = (uint16_t)read_number(root, name, "idVendor", 16),
		.product = (uint16_t)read_number(root, name, "idProduct", 16),
		.number = read_number(root, name, "devnum", 10),
		.configurations = read_number(root, name, "bNumConfigurations", 10),
		.has_strings =
			has_text(root, name, "manufacturer") || has_text(root, name, "product"),
		.authorized = !reads_as(root, name, "authorized", "0"),
		.may_sleep = reads_as(root, name, "power/control", "auto"),
	};

	if (!grown)
		return -ENOMEM;
	usb->devices = grown;
	(void)snprintf(device.name, sizeof(device.name), "%s", name);
	usb->devices[usb->n_devices++] = device;
	return 0;
}

/* Interfaces stand beside their devices: "1-2:1.0". */
static void note_interface(const char *root, const char *name, struct doctor_usb *usb)
{
	_cleanup_free_ char *driver =
		doctor_read_link(root, "/sys/bus/usb/devices/%s/driver", name);
	const char *last = driver ? strrchr(driver, '/') : NULL;
	size_t length = strcspn(name, ":");

	if (!last || !streq(last, "/usbfs"))
		return;
	for (size_t i = 0; i < usb->n_devices; i++)
		if (strlen(usb->devices[i].name) == length &&
		    strncmp(usb->devices[i].name, name, length) == 0)
			usb->devices[i].by_usbfs = true;
}

/* Two walks, for interfaces may come before their device. */
static int read_devices(const char *root, struct doctor_usb *usb)
{
	for (int walk = 0; walk < 2; walk++) {
		_cleanup_directory_ DIR *directory =
			doctor_open_directory(root, "/sys/bus/usb/devices");
		struct dirent *entry;
		int r = 0;

		while (directory && r >= 0 && (entry = readdir(directory))) {
			bool interface = strchr(entry->d_name, ':');

			if (entry->d_name[0] == '.' || strlen(entry->d_name) > 31)
				continue;
			if (walk == 0 && !interface)
				r = add_device(root, entry->d_name, usb);
			else if (walk == 1 && interface)
				note_interface(root, entry->d_name, usb);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * A property of udev's database, whose files hold lines "E:KEY=VALUE" (man udev_device_new, and the
 * format that udevadm info --export-db prints), or of the kernel's own uevent file. As libudev
 * merges them.
 */
static char *read_property(const char *root, const char *tty, const char *key)
{
	_cleanup_free_ char *number = doctor_read_line(root, "/sys/class/tty/%s/dev", tty);
	_cleanup_free_ char *database =
		number ? doctor_read_text(root, "/run/udev/data/c%s", number) : NULL;
	_cleanup_free_ char *uevent = doctor_read_text(root, "/sys/class/tty/%s/uevent", tty);
	char *const texts[] = { database, uevent };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *rest = texts[i], *line;

		while ((line = strsep(&rest, "\n"))) {
			const char *entry = i == 0 ? strafter(line, "E:") : line;
			const char *value = entry ? strafter(entry, key) : NULL;

			if (value && *value == '=' && value[1])
				return strdup(value + 1);
		}
	}
	return NULL;
}

/* The component before "NAME:1.0" in the way to a tty: the USB device it belongs to. */
static bool find_device(char *link, char ret[32])
{
	const char *before = "";
	char *rest = link, *component;

	while ((component = strsep(&rest, "/"))) {
		size_t n = strlen(before);

		if (n > 0 && n < 32 && strncmp(component, before, n) == 0 && component[n] == ':') {
			memcpy(ret, before, n + 1);
			return true;
		}
		before = component;
	}
	return false;
}

static int add_port(const char *root, const char *name, struct doctor_usb *usb)
{
	_cleanup_free_ char *link = doctor_read_link(root, "/sys/class/tty/%s", name);
	_cleanup_free_ char *ignore = read_property(root, name, "ID_MM_DEVICE_IGNORE");
	struct serial_port *grown, port = { .mm_ignored = ignore && streq(ignore, "1") };

	grown = reallocarray(usb->ports, usb->n_ports + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	usb->ports = grown;
	(void)snprintf(port.name, sizeof(port.name), "%s", name);
	port.mode = read_property(root, name, "MTKRB_MODE");
	port.mediatek = port.mode;
	if (link && find_device(link, port.device))
		for (size_t i = 0; i < usb->n_devices; i++)
			if (streq(usb->devices[i].name, port.device)) {
				usb->devices[i].has_port = true;
				port.mediatek |= usb_is_mediatek(&usb->devices[i]);
			}
	usb->ports[usb->n_ports++] = port;
	return 0;
}

static int read_ports(const char *root, struct doctor_usb *usb)
{
	_cleanup_directory_ DIR *directory = doctor_open_directory(root, "/sys/class/tty");
	struct dirent *entry;
	int r = 0;

	while (directory && r >= 0 && (entry = readdir(directory)))
		if ((strafter(entry->d_name, "ttyACM") || strafter(entry->d_name, "ttyUSB")) &&
		    strlen(entry->d_name) < 32)
			r = add_port(root, entry->d_name, usb);
	return r;
}

int doctor_usb_read(const char *root, struct doctor_usb *ret)
{
	struct doctor_usb usb = { 0 };
	int r = read_devices(root, &usb);

	if (r >= 0)
		r = read_ports(root, &usb);
	if (r < 0)
		doctor_usb_clear(&usb);
	else
		*ret = usb;
	return r;
}

void doctor_usb_clear(struct doctor_usb *usb)
{
	for (size_t i = 0; i < usb->n_ports; i++)
		free(usb->ports[i].mode);
	free(usb->ports);
	free(usb->devices);
	*usb = (struct doctor_usb){ 0 };
}

const struct usb_device *doctor_usb_find(const struct doctor_usb *usb, const char *name)
{
	for (size_t i = 0; i < usb->n_devices; i++)
		if (streq(usb->devices[i].name, name))
			return &usb->devices[i];
	return NULL;
}

bool usb_is_mediatek(const struct usb_device *device)
{
	return device->vendor == MEDIATEK;
}

/*
 * Running firmware in COM mode has the boot ROM's id, but a name and several configurations; the
 * boot ROM has one configuration and no strings (FlashTool capture; seen on a Lava E10).
 */
bool usb_is_boot(const struct usb_device *device)
{
	static const uint16_t preloaders[] = { 0x2000, 0x20FF, 0x3000, 0x6000 };

	if (!usb_is_mediatek(device))
		return false;
	if (device->product == 0x0003)
		return !(device->has_strings && device->configurations != 1);
	for (size_t i = 0; i < ARRAY_SIZE(preloaders); i++)
		if (device->product == preloaders[i])
			return true;
	return false;
}
