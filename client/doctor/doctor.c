/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/doctor/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/doctor/internal.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define RULES "65-mtkrbd.rules"

struct doctor {
	const struct doctor_options *options;
	struct doctor_report *report;
	struct doctor_usb usb;
	struct doctor_processes processes;
};

const char *doctor_cause_to_string(enum doctor_cause cause)
{
	static const char *const words[_DOCTOR_CAUSE_MAX] = {
		[DOCTOR_DAEMON_DOWN] = "daemon-down",
		[DOCTOR_SOCKET_DENIED] = "socket-denied",
		[DOCTOR_RULES_MISSING] = "rules-missing",
		[DOCTOR_USB_UNAUTHORIZED] = "usb-unauthorized",
		[DOCTOR_NO_DRIVER] = "no-driver",
		[DOCTOR_RULES_NOT_APPLIED] = "rules-not-applied",
		[DOCTOR_PORT_DENIED] = "port-denied",
		[DOCTOR_MODEMMANAGER_HOLDS] = "modemmanager-holds",
		[DOCTOR_BRLTTY_HOLDS] = "brltty-holds",
		[DOCTOR_PORT_HELD] = "port-held",
		[DOCTOR_MODEMMANAGER_PROBES] = "modemmanager-probes",
		[DOCTOR_MASS_STORAGE] = "mass-storage",
		[DOCTOR_COM_MODE] = "com-mode",
		[DOCTOR_OTHER_MODE] = "other-mode",
		[DOCTOR_WINDOW_MISSED] = "window-missed",
		[DOCTOR_AUTOSUSPEND] = "autosuspend",
		[DOCTOR_NO_DEVICE] = "no-device",
	};

	return words[cause];
}

/* What to do about each; the finding itself says about what. */
static const char *const advice[_DOCTOR_CAUSE_MAX] = {
	[DOCTOR_DAEMON_DOWN] = "start the daemon: systemctl enable --now mtkrbd",
	[DOCTOR_SOCKET_DENIED] =
		"join its group, then log in again: sudo usermod -aG mtkrb \"$USER\"",
	[DOCTOR_RULES_MISSING] = ("install the package's rules into /etc/udev/rules.d, then: "
				  "udevadm control --reload"),
	[DOCTOR_USB_UNAUTHORIZED] =
		"allow it: usbguard allow-device, or write 1 into its file authorized in /sys",
	[DOCTOR_NO_DRIVER] = "load the drivers, then plug in again: modprobe -a cdc_acm option",
	[DOCTOR_RULES_NOT_APPLIED] =
		"let udev read its rules again, then plug in again: udevadm control --reload",
	[DOCTOR_PORT_DENIED] =
		("let the daemon's user into the port's group, or plug in again when "
		 "the udev rules are there"),
	[DOCTOR_MODEMMANAGER_HOLDS] = "stop it, then plug in again: systemctl stop ModemManager",
	[DOCTOR_BRLTTY_HOLDS] = "stop it, then plug in again: systemctl stop brltty-udev brltty",
	[DOCTOR_PORT_HELD] = "end that program",
	[DOCTOR_MODEMMANAGER_PROBES] =
		"install the udev rules, which keep it off, or: systemctl stop ModemManager",
	[DOCTOR_MASS_STORAGE] = "switch the watch fully off, hold its boot key, and plug it in",
	[DOCTOR_COM_MODE] = "switch the watch fully off, hold its boot key, and plug it in",
	[DOCTOR_OTHER_MODE] = "switch the watch fully off, hold its boot key, and plug it in",
	[DOCTOR_WINDOW_MISSED] =
		"submit the job first, then plug in the watch: it listens for a moment only",
	[DOCTOR_AUTOSUSPEND] = "write on into its file power/control in /sys; our udev rules do",
	[DOCTOR_NO_DEVICE] =
		("try a data cable (some only charge) and another port; switch the watch "
		 "fully off, hold its boot key, and plug it in"),
};

/* device may be NULL. */
_printf_(4, 5) static int add(struct doctor *doctor, enum doctor_cause cause, const char *device,
			      const char *format, ...)
{
	struct doctor_report *report = doctor->report;
	struct doctor_finding *grown =
		reallocarray(report->findings, report->n_findings + 1, sizeof(*grown));
	struct doctor_finding finding = { .cause = cause };
	va_list ap;

	if (!grown)
		return -ENOMEM;
	report->findings = grown;
	va_start(ap, format);
	if (vasprintf(&finding.what, format, ap) < 0)
		finding.what = NULL;
	va_end(ap);
	finding.advice = strdup(advice[cause]);
	finding.device = device ? strdup(device) : NULL;
	report->findings[report->n_findings++] = finding;
	return finding.what && finding.advice && (finding.device || !device) ? 0 : -ENOMEM;
}

/* ---- The daemon ---- */

static int look_at_socket(struct doctor *doctor)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = doctor->options->socket_path;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (!path || fd < 0)
		return 0;
	if (strlen(path) >= sizeof(address.sun_path))
		return add(doctor, DOCTOR_DAEMON_DOWN, path, "%s is too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN)
		return 0;
	if (errno == EACCES || errno == EPERM)
		return add(doctor, DOCTOR_SOCKET_DENIED, path,
			   "the daemon's socket %s is not for this user", path);
	return add(doctor, DOCTOR_DAEMON_DOWN, path, "no daemon listens at %s", path);
}

/* ---- The rules ---- */

static bool rules_are_installed(const char *root)
{
	static const char *const folders[] = { "/etc/udev/rules.d", "/run/udev/rules.d",
					       "/usr/local/lib/udev/rules.d",
					       "/usr/lib/udev/rules.d", "/lib/udev/rules.d" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = str_format("%s%s/" RULES, root, folders[i]);

		if (path && access(path, F_OK) == 0)
			return true;
	}
	return false;
}

static int look_at_rules(struct doctor *doctor)
{
	const struct doctor_usb *usb = &doctor->usb;
	int r = 0;

	/* A port that carries their mark was seen by rules, wherever those are. */
	for (size_t i = 0; i < usb->n_ports; i++)
		if (usb->ports[i].mode)
			return 0;
	if (!rules_are_installed(doctor->options->root))
		return add(doctor, DOCTOR_RULES_MISSING, NULL,
			   "the udev rules " RULES " are not installed");
	for (size_t i = 0; i < usb->n_ports && r >= 0; i++) {
		const struct usb_device *device = doctor_usb_find(usb, usb->ports[i].device);

		if (device && usb_is_boot(device))
			r = add(doctor, DOCTOR_RULES_NOT_APPLIED, device->name,
				"udev has not applied " RULES " to /dev/%s", usb->ports[i].name);
	}
	return r;
}

/* ---- USB devices ---- */

static int look_at_running(struct doctor *doctor, const struct usb_device *device)
{
	if (device->product == 0x0002)
		return add(doctor, DOCTOR_MASS_STORAGE, device->name,
			   "the watch at usb %s runs and shows itself as a disk (0e8d:0002)",
			   device->name);
	if (device->product == 0x0003)
		return add(
			doctor, DOCTOR_COM_MODE, device->name,
			"the watch at usb %s runs in COM mode (0e8d:0003 with a name): this is not "
			"its boot ROM",
			device->name);
	return add(doctor, DOCTOR_OTHER_MODE, device->name,
		   "the MediaTek device at usb %s (0e8d:%04x) is in no mode that can be read",
		   device->name, device->product);
}

static int look_at_boot(struct doctor *doctor, const struct usb_device *device)
{
	int r = 0;

	if (!device->has_port)
		r = add(doctor, DOCTOR_NO_DRIVER, device->name,
			device->by_usbfs
				? "another program drives usb %s (0e8d:%04x) directly, so it "
				  "has no serial port"
				: "no serial driver (cdc_acm, option) took usb %s (0e8d:%04x)",
			device->name, device->product);
	if (r >= 0 && device->may_sleep)
		r = add(doctor, DOCTOR_AUTOSUSPEND, device->name,
			"usb %s may be put to sleep while it is read", device->name);
	return r;
}

/* Ids of adapters that brltty takes for Braille displays. */
static bool usb_is_adapter(const struct usb_device *device)
{
	return (device->vendor == 0x0403 && device->product == 0x6001) ||
	       (device->vendor == 0x1A86 && device->product == 0x7523) ||
	       (device->vendor == 0x10C4 && device->product == 0xEA60);
}

static int look_at_device(struct doctor *doctor, const struct usb_device *device)
{
	const struct doctor_process *brltty = doctor_processes_find(&doctor->processes, "brltty");

	if (usb_is_adapter(device) && device->by_usbfs && brltty)
		return add(doctor, DOCTOR_BRLTTY_HOLDS, device->name,
			   "brltty (process %d) has taken the serial adapter at usb %s",
			   brltty->pid, device->name);
	if (!usb_is_mediatek(device))
		return 0;
	if (!device->authorized)
		return add(doctor, DOCTOR_USB_UNAUTHORIZED, device->name,
			   "the kernel was told not to use usb %s (0e8d:%04x)", device->name,
			   device->product);
	return usb_is_boot(device) ? look_at_boot(doctor, device) : look_at_running(doctor, device);
}

static int look_at_devices(struct doctor *doctor)
{
	const struct doctor_usb *usb = &doctor->usb;
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < usb->n_devices && r >= 0; i++) {
		any |= usb_is_mediatek(&usb->devices[i]);
		r = look_at_device(doctor, &usb->devices[i]);
	}
	for (size_t i = 0; i < usb->n_ports; i++)
		any |= usb->ports[i].mediatek;
	if (r >= 0 && !any)
		r = add(doctor, DOCTOR_NO_DEVICE, NULL, "no MediaTek device is plugged in");
	return r;
}

/* ---- Ports ---- */

static int look_at_holder(struct doctor *doctor, const struct doctor_process *process)
{
	const char *name = process->holds ? strafter(process->holds, "/dev/") : NULL;
	enum doctor_cause cause = DOCTOR_PORT_HELD;
	bool mediatek = false;

	for (size_t i = 0; name && i < doctor->usb.n_ports; i++)
		mediatek |= doctor->usb.ports[i].mediatek && streq(doctor->usb.ports[i].name, name);
	if (!mediatek)
		return 0;
	if (streq(process->name, "ModemManager"))
		cause = DOCTOR_MODEMMANAGER_HOLDS;
	else if (streq(process->name, "brltty"))
		cause = DOCTOR_BRLTTY_HOLDS;
	return add(doctor, cause, process->holds, "%s (process %d) has %s open", process->name,
		   process->pid, process->holds);
}

static int look_at_port(struct doctor *doctor, const struct serial_port *port)
{
	const struct doctor_process *modem =
		doctor_processes_find(&doctor->processes, "ModemManager");
	_cleanup_free_ char *path = str_format("/dev/%s", port->name);
	int r = 0;

	if (!path)
		return -ENOMEM;
	doctor->report->n_ports++;
	if (!doctor_may_open(doctor->options->root, doctor->processes.daemon, path))
		r = add(doctor, DOCTOR_PORT_DENIED, path, "%s may not open %s",
			doctor->processes.daemon ? "the daemon" : "this user", path);
	/* The mode COM is left to ModemManager on purpose. */
	if (r >= 0 && modem && !port->mm_ignored && !streq_ptr(port->mode, "com"))
		r = add(doctor, DOCTOR_MODEMMANAGER_PROBES, path,
			"ModemManager (process %d) was not told to keep off %s", modem->pid, path);
	return r;
}

static int look_at_ports(struct doctor *doctor)
{
	int r = 0;

	for (size_t i = 0; i < doctor->usb.n_ports && r >= 0; i++)
		if (doctor->usb.ports[i].mediatek)
			r = look_at_port(doctor, &doctor->usb.ports[i]);
	for (size_t i = 0; i < doctor->processes.n && r >= 0; i++)
		r = look_at_holder(doctor, &doctor->processes.items[i]);
	doctor->report->blind = doctor->processes.blind;
	return r;
}

/* ---- Comings and goings ---- */

static int look_at_arrivals(struct doctor *doctor)
{
	const struct doctor_options *options = doctor->options;
	unsigned int logged = doctor_arrivals_logged(options->root), watched = 0;
	int r = 0;

	if (options->watch_seconds > 0)
		r = doctor_arrivals_watched(options->root, options->watch_seconds, &watched);
	if (r < 0)
		return r;
	if (watched > 1)
		return add(
			doctor, DOCTOR_WINDOW_MISSED, NULL,
			"the boot ROM came %u times within %u s and left again: nobody spoke to it "
			"in time",
			watched, options->watch_seconds);
	if (logged > 1)
		return add(doctor, DOCTOR_WINDOW_MISSED, NULL,
			   "by the kernel's log the boot ROM came %u times within two minutes and "
			   "left "
			   "again: nobody spoke to it in time",
			   logged);
	return 0;
}

/* ---- All of it ---- */

static int by_cause(const void *a, const void *b)
{
	const struct doctor_finding *x = a, *y = b;

	return (x->cause > y->cause) - (x->cause < y->cause);
}

static int examine(struct doctor *doctor)
{
	int r = look_at_arrivals(doctor);

	if (r >= 0)
		r = doctor_usb_read(doctor->options->root, &doctor->usb);
	if (r >= 0)
		r = doctor_processes_read(doctor->options->root, &doctor->usb, &doctor->processes);
	if (r >= 0)
		r = look_at_socket(doctor);
	if (r >= 0)
		r = look_at_rules(doctor);
	if (r >= 0)
		r = look_at_devices(doctor);
	return r < 0 ? r : look_at_ports(doctor);
}

int doctor_examine(const struct doctor_options *options, struct doctor_report *ret)
{
	struct doctor doctor = { .options = options, .report = ret };
	int r;

	*ret = (struct doctor_report){ 0 };
	r = examine(&doctor);
	if (ret->n_findings > 0)
		qsort(ret->findings, ret->n_findings, sizeof(*ret->findings), by_cause);
	doctor_processes_clear(&doctor.processes);
	doctor_usb_clear(&doctor.usb);
	return r;
}

void doctor_report_clear(struct doctor_report *report)
{
	for (size_t i = 0; i < report->n_findings; i++) {
		free(report->findings[i].device);
		free(report->findings[i].what);
		free(report->findings[i].advice);
	}
	free(report->findings);
	*report = (struct doctor_report){ 0 };
}
