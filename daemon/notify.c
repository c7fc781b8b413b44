/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the manager's parts tell upwards: the observer, and that it is time to decide again. */

#include "daemon/manager-internal.h"

void manager_port_changed(struct manager *manager, const struct bench_port *port, bool gone)
{
	if (manager->observer && !port->gone)
		manager->observer->port_changed(&port->port, gone, manager->observer_data);
}

void manager_schedule(struct manager *manager)
{
	(void)sd_event_source_set_enabled(manager->schedule, SD_EVENT_ONESHOT);
}
