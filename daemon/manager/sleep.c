/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The machine's sleep, and its end: it stays awake while a watch is read or a read is checked. Where
 * it goes to sleep all the same, the workers stop at the next block and the jobs go on afterwards.
 */

#include "daemon/manager/internal.h"

#include "daemon/inhibit.h"

static bool is_reading(const struct manager *manager)
{
	for (size_t i = 0; i < manager->bench.n; i++)
		if (manager->bench.ports[i]->assigned)
			return true;
	return false;
}

/* A check that is asleep for a while is none the worse for it, other than a watch. */
void sleep_update(struct manager *manager)
{
	inhibit_set(manager->inhibit,
		    is_reading(manager) || (manager->publications && !manager->going_to_sleep));
}

static void stop_reading(struct manager *manager)
{
	for (size_t i = 0; i < manager->bench.n; i++) {
		struct bench_port *port = manager->bench.ports[i];

		if (port->assigned && port->worker)
			worker_stop(port->worker);
	}
}

static void on_prepare(bool going, void *userdata)
{
	struct manager *manager = userdata;

	log_info("%s", going ? "the machine goes to sleep or shuts down: jobs pause"
			     : "the machine is back: jobs go on");
	manager->going_to_sleep = going;
	if (going)
		stop_reading(manager);
	manager_schedule(manager);
}

int sleep_open(struct manager *manager)
{
	static const struct inhibit_handler handler = { on_prepare };

	return inhibit_new(manager->event, &handler, manager, &manager->inhibit);
}

void sleep_close(struct manager *manager)
{
	inhibit_free(manager->inhibit);
}
