/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/internal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define LOST_FIRST_USEC (1 * USEC_PER_SEC)
#define LOST_DOUBLINGS  4 /* up to 16 s between looks */
/* Longer than a boot ROM to which nobody talks stays before it starts its watch, 3.5 s, or drops off. */
#define START_USEC (4 * USEC_PER_SEC)

/* -ENOENT no such device, -ENOTTY it is none. */
static int device_number(const char *device, dev_t *ret)
{
	struct stat st;

	if (stat(device, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode))
		return -ENOTTY;
	*ret = st.st_rdev;
	return 0;
}

/*
 * The port of that device, by whatever of its names (/dev/ttyUSB0, /dev/serial/by-id/…) it is here.
 * Asked anew each time: names come to mean other devices, numbers are given away again.
 */
static struct bench_port *find_device(const struct bench *bench, const char *device)
{
	dev_t number = 0, other = 0;

	if (device_number(device, &number) < 0)
		return NULL;
	for (size_t i = 0; i < bench->n; i++)
		if (!bench->ports[i]->gone &&
		    device_number(bench->ports[i]->port.device, &other) >= 0 && other == number)
			return bench->ports[i];
	return NULL;
}

/* What comes where a watch was read just now is most likely that one: it is let start. */
static void look_whether_starting(const struct manager *manager, struct bench_port *port)
{
	if (quiet_has(&manager->restarting, port->port.slot))
		port->starting_until = time_now() + START_USEC;
}

static int add_port(struct manager *manager, const char *place, const char *device,
		    const char *mode, const char *syspath, struct bench_port **ret)
{
	const struct slot *slot = slots_of(&manager->slots, place);
	const char *name = slot ? slot->name : place;
	struct bench_port *port;
	int r = bench_add(&manager->bench, place, name, device, mode, syspath, &port);

	if (r < 0)
		return r;
	port->excluded = slot && slot->excluded;
	look_whether_starting(manager, port);
	ports_rest(port);
	*ret = port;
	return 0;
}

/*
 * A port that udev knows to be no way in: running firmware under the boot ROM's USB id, or an agent
 * that another program started. Jobs wait until the watch comes back in a mode that can be read.
 */
static void refuse_mode(struct bench_port *port)
{
	const char *mode = port->port.mode;
	const char *what = streq(mode, "com") ? "its firmware (COM port mode)"
			   : streq(mode, "da")
				   ? "a download agent of another tool"
				   : "something that udev rules call by an unknown mode";

	if (streq(mode, "auto") || streq(mode, "brom") || streq(mode, "preloader"))
		return;
	port->port.state = PORT_FAILED;
	(void)failure_set(&port->port.failure, FAILURE_HANDSHAKE_TIMEOUT,
			  "switch it off (or take the battery out), then plug it in again",
			  "the watch in slot %s runs %s", port->port.slot, what);
}

void ports_rest(struct bench_port *port)
{
	failure_clear(&port->port.failure);
	port->port.state = port->excluded ? PORT_EXCLUDED : PORT_IDLE;
	if (!port->excluded)
		refuse_mode(port);
}

static void on_left(const char *syspath, void *userdata)
{
	struct manager *manager = userdata;
	struct bench_port *port = bench_by_syspath(&manager->bench, syspath);

	if (!port)
		return;
	log_event(LOG_INFO, &(struct log_context){ .slot = port->port.slot }, "%s left",
		  port->port.device);
	ports_remove(manager, port);
}

static void on_arrived(const struct udev_port *found, void *userdata)
{
	struct manager *manager = userdata;
	const struct slot *known = slots_of(&manager->slots, found->path);
	const char *slot = known ? known->name : found->path;
	struct log_context context = { .slot = slot };
	struct bench_port *port;

	if (manager->stopping || bench_by_syspath(&manager->bench, found->syspath))
		return;
	port = bench_by_slot(&manager->bench, slot);
	if (port && port->syspath && access(port->syspath, F_OK) < 0) {
		/* It left unheard: udev drops events that come too fast. */
		on_left(port->syspath, manager);
		port = NULL;
	}
	if (port) {
		/* Two drivers took one interface each: one watch, one port. */
		log_event(LOG_INFO, &context, "%s is left alone: %s is the same watch",
			  found->device, port->port.device);
		return;
	}
	port = find_device(&manager->bench, found->device);
	if (port && !port->syspath) {
		log_event(LOG_INFO, &context,
			  "%s is left alone: it was attached by hand, in slot %s", found->device,
			  port->port.slot);
		return;
	}
	if (add_port(manager, found->path, found->device, found->mode, found->syspath, &port) < 0)
		return;
	log_event(LOG_INFO, &context, "%s arrived (%s)%s", found->device, found->mode,
		  port->excluded ? ", left alone: its slot is excluded" : "");
	manager_port_changed(manager, port, false);
	manager_schedule(manager);
}

const struct port_monitor_handler ports_handler = { .arrived = on_arrived, .left = on_left };

void ports_remove(struct manager *manager, struct bench_port *port)
{
	if (!port->gone)
		manager_port_changed(manager, port, true);
	port->gone = true;
	if (port->worker) {
		worker_stop(port->worker);
		return;
	}
	bench_remove(&manager->bench, port);
	manager_schedule(manager);
}

void ports_lost(struct manager *manager, struct bench_port *port)
{
	unsigned int doublings = MIN_OF(port->lost_tries, LOST_DOUBLINGS);

	port->port.state = PORT_WAITING;
	manager_port_changed(manager, port, false);
	port->lost = true;
	port->lost_tries++;
	port->retry_at = time_now() + (LOST_FIRST_USEC << doublings);
}

uint64_t ports_look_for_lost(struct manager *manager)
{
	uint64_t now = time_now(), next = USEC_NEVER;
	dev_t number;

	for (size_t i = 0; i < manager->bench.n; i++) {
		struct bench_port *port = manager->bench.ports[i];

		if (!port->lost || port->gone)
			continue;
		if (port->retry_at <= now && device_number(port->port.device, &number) >= 0) {
			port->lost = false;
			port->left_alone = false;
			look_whether_starting(manager, port);
			ports_rest(port);
			manager_port_changed(manager, port, false);
			manager_schedule(manager);
			continue;
		}
		if (port->retry_at <= now)
			port->retry_at = now + LOST_FIRST_USEC;
		next = MIN_OF(next, port->retry_at);
	}
	return next;
}

void ports_forgive(struct manager *manager)
{
	for (size_t i = 0; i < manager->bench.n; i++) {
		struct bench_port *port = manager->bench.ports[i];

		/* Nothing told when another watch was put on a line that stays: it is asked anew. */
		if (!port->syspath && !port->worker && port->port.state == PORT_IDLE)
			bench_port_forget(port);
		if (port->port.state != PORT_FAILED)
			continue;
		ports_rest(port);
		if (port->port.state != PORT_FAILED)
			manager_port_changed(manager, port, false);
	}
}

/* A name for a port that nobody named: its device path without /dev/ and slashes. */
static char *slot_of_device(const char *device)
{
	char *slot = strdup(strafter(device, "/dev/") ?: device + (*device == '/'));

	for (char *c = slot; c && *c; c++)
		if (*c == '/')
			*c = '-';
	return slot;
}

/*
 * A character device that sysfs knows to be no tty, as /dev/null; it does not know the far ends of
 * pseudo-terminals. The daemon never opens one to find out.
 */
static bool is_other_class(dev_t number)
{
	_cleanup_free_ char *path =
		str_format("/sys/dev/char/%u:%u/subsystem", major(number), minor(number));
	char target[PATH_MAX];
	ssize_t n = path ? readlink(path, target, sizeof(target) - 1) : -1;
	const char *name;

	if (n < 0)
		return false;
	target[n] = '\0';
	name = strrchr(target, '/');
	return name && !streq(name, "/tty");
}

int manager_attach(struct manager *manager, const char *device, const char *mode, const char *slot,
		   const struct port **ret)
{
	_cleanup_free_ char *place = slot ? strdup(slot) : slot_of_device(device);
	const struct slot *known = place ? slots_of(&manager->slots, place) : NULL;
	struct bench_port *port;
	dev_t number = 0;
	int r;

	if (!place)
		return -ENOMEM;
	r = device_number(device, &number);
	if (r < 0)
		return r;
	if (is_other_class(number))
		return -ENOTTY;
	if (bench_by_device(&manager->bench, device) || find_device(&manager->bench, device) ||
	    bench_by_slot(&manager->bench, known ? known->name : place))
		return -EEXIST;
	r = add_port(manager, place, device, mode ?: "auto", NULL, &port);
	if (r < 0)
		return r;
	log_event(LOG_INFO, &(struct log_context){ .slot = port->port.slot }, "%s attached",
		  device);
	manager_port_changed(manager, port, false);
	manager_schedule(manager);
	*ret = &port->port;
	return 0;
}

int manager_detach(struct manager *manager, const char *device)
{
	struct bench_port *port =
		bench_by_device(&manager->bench, device) ?: find_device(&manager->bench, device);

	if (!port)
		return -ENOENT;
	if (port->syspath)
		return -EPERM;
	ports_remove(manager, port);
	return 0;
}
