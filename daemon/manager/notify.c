/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the manager's parts tell upwards: the observer, that it is time to decide again, and how the
 * store is. */

#include "daemon/manager/internal.h"

void manager_port_changed(struct manager *manager, const struct bench_port *port, bool gone)
{
	if (manager->observer && !port->gone)
		manager->observer->port_changed(&port->port, gone, manager->observer_data);
}

void manager_schedule(struct manager *manager)
{
	(void)sd_event_source_set_enabled(manager->schedule, SD_EVENT_ONESHOT);
}

void manager_store_failed(struct manager *manager)
{
	manager->store_retry_at = time_now() + STORE_PAUSE_USEC;
	if (manager->store_in_trouble)
		return;
	manager->store_in_trouble = true;
	log_event(LOG_ERR, &(struct log_context){ .id = LOG_ID_STORE_TROUBLE },
		  "nothing can be stored, jobs wait: %s", store_error_text(manager->store));
}

void manager_store_works(struct manager *manager)
{
	if (!manager->store_in_trouble)
		return;
	manager->store_in_trouble = false;
	log_event(LOG_NOTICE, &(struct log_context){ .id = LOG_ID_STORE_WELL },
		  "the store takes what it is given again");
}
