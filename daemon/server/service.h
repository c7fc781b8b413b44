/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.varlink.service: what every varlink service says about itself. */

#include "daemon/server/server.h"

/* What its handlers get as userdata: all interfaces of the server, this one not among them. */
struct service {
	const struct interface *interfaces;
	size_t n;
};

extern const struct interface service_interface;

/* The interface of that name, service_interface included; NULL when there is none. */
const struct interface *service_find(const struct service *service, const char *name);
