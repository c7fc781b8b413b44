/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/status.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "daemon/manager/queue.h"
#include "protocol/base/time.h"

void status_update(const struct queue *queue, size_t ports)
{
	size_t n, count[_JOB_STATE_MAX] = { 0 };
	const struct job *const *jobs = queue_jobs(queue, &n);

	for (size_t i = 0; i < n; i++)
		count[jobs[i]->state]++;
	(void)sd_notifyf(0, "STATUS=%zu jobs running, %zu waiting, %zu queued, %zu ports",
			 count[JOB_RUNNING], count[JOB_WAITING], count[JOB_QUEUED], ports);
}

void status_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void status_reloading(void)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, time_now());
}

void status_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}
