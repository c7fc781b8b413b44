/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The interface io.mtkrbd.Control on the socket: it turns calls into what the manager does. */

#include <systemd/sd-event.h>

#include "protocol/base/cleanup.h"

struct control;
struct manager;

/* Becomes the manager's observer; manager must outlive it. */
_must_check_ int control_new(sd_event *event, struct manager *manager, struct control **ret);

/* Ends all connections. */
void control_free(struct control *control);
DEFINE_CLEANUP(struct control *, control_free);

/* Errors of server_listen and server_adopt. */
_must_check_ int control_listen(struct control *control, const char *path);
_must_check_ int control_adopt(struct control *control, int fd);
