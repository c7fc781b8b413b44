/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/port-monitor.h"

#include <errno.h>
#include <libudev.h>
#include <string.h>

#include "daemon/policy/slot-settings.h"
#include "protocol/base/strings.h"

struct port_monitor {
	struct udev *udev;
	struct udev_monitor *monitor;
	sd_event_source *source;
	const struct port_monitor_handler *handler;
	void *userdata;
};

static void unref_device(struct udev_device *device)
{
	(void)udev_device_unref(device);
}
DEFINE_CLEANUP(struct udev_device *, unref_device);

static void unref_enumerate(struct udev_enumerate *enumerate)
{
	(void)udev_enumerate_unref(enumerate);
}
DEFINE_CLEANUP(struct udev_enumerate *, unref_enumerate);

static void report_arrival(struct port_monitor *monitor, struct udev_device *device)
{
	const char *mode = udev_device_get_property_value(device, "MTKRB_MODE");
	const char *id_path = udev_device_get_property_value(device, "ID_PATH");
	const char *slot = udev_device_get_property_value(device, "MTKRB_SLOT");
	_cleanup_free_ char *path = NULL;
	struct udev_port port = {
		.syspath = udev_device_get_syspath(device),
		.device = udev_device_get_devnode(device),
		.mode = mode,
	};

	if (!mode || !port.device || !port.syspath)
		return;
	path = slot ? strdup(slot) : slot_place_of(id_path ?: port.device);
	port.path = path;
	if (port.path)
		monitor->handler->arrived(&port, monitor->userdata);
}

static int enumerate(struct port_monitor *monitor)
{
	_cleanup_(unref_enumeratep) struct udev_enumerate *found =
		udev_enumerate_new(monitor->udev);
	struct udev_list_entry *entry;

	if (!found)
		return -ENOMEM;
	/* The property comes from our rules, so whatever has it has been through udev. */
	if (udev_enumerate_add_match_subsystem(found, "tty") < 0 ||
	    udev_enumerate_add_match_property(found, "MTKRB_MODE", "*") < 0 ||
	    udev_enumerate_scan_devices(found) < 0)
		return -EIO;
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(found))
	{
		_cleanup_(unref_devicep) struct udev_device *device = udev_device_new_from_syspath(
			monitor->udev, udev_list_entry_get_name(entry));

		if (device)
			report_arrival(monitor, device);
	}
	return 0;
}

static int on_uevent(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
		     void *userdata)
{
	struct port_monitor *monitor = userdata;
	_cleanup_(unref_devicep) struct udev_device *device = NULL;
	const char *action;

	errno = 0;
	device = udev_monitor_receive_device(monitor->monitor);
	if (!device) {
		/* The kernel dropped events: what is there now is what counts. */
		return errno == ENOBUFS ? enumerate(monitor) : 0;
	}
	action = udev_device_get_action(device);
	if (action && streq(action, "remove"))
		monitor->handler->left(udev_device_get_syspath(device), monitor->userdata);
	else
		report_arrival(monitor, device);
	return 0;
}

int port_monitor_new(sd_event *event, const struct port_monitor_handler *handler, void *userdata,
		     struct port_monitor **ret)
{
	_cleanup_(port_monitor_freep) struct port_monitor *monitor = calloc(1, sizeof(*monitor));
	int r;

	if (!monitor)
		return -ENOMEM;
	*monitor = (struct port_monitor){ .handler = handler, .userdata = userdata };
	monitor->udev = udev_new();
	if (!monitor->udev)
		return -ENOMEM;
	monitor->monitor = udev_monitor_new_from_netlink(monitor->udev, "udev");
	if (!monitor->monitor)
		return -EOPNOTSUPP;
	r = udev_monitor_filter_add_match_subsystem_devtype(monitor->monitor, "tty", NULL);
	if (r >= 0)
		r = udev_monitor_enable_receiving(monitor->monitor);
	if (r < 0)
		return r;
	r = sd_event_add_io(event, &monitor->source, udev_monitor_get_fd(monitor->monitor), EPOLLIN,
			    on_uevent, monitor);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(monitor->source, "udev");
	r = enumerate(monitor);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(monitor);
	return 0;
}

void port_monitor_free(struct port_monitor *monitor)
{
	if (!monitor)
		return;
	sd_event_source_disable_unref(monitor->source);
	udev_monitor_unref(monitor->monitor);
	udev_unref(monitor->udev);
	free(monitor);
}
