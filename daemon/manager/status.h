/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What systemd is told about the daemon (sd_notify); without systemd all of it does nothing. */

#include <stddef.h>

struct queue;

/* The line of `systemctl status`: "3 jobs running, 12 queued, 9 ports". */
void status_update(const struct queue *queue, size_t ports);

void status_ready(void);
void status_reloading(void);
void status_stopping(void);
