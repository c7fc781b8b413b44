/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A place where a watch is, or was a moment ago: type Port of the interface. */

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"

struct json_object;
struct problem;

enum port_state {
	PORT_IDLE,        /* nothing to do, or not begun */
	PORT_IDENTIFYING, /* a worker asks the watch what it is */
	PORT_BUSY,        /* a job runs on it */
	PORT_WAITING,     /* the watch left, its job waits for it */
	PORT_FAILED,      /* it could not be spoken to; a new job or a replug tries again */
	PORT_EXCLUDED,    /* its slot is excluded: it is never opened */
	_PORT_STATE_MAX,
};

struct port {
	char *slot;   /* stable name of the place; NULL in an empty struct port */
	char *device; /* device node, "/dev/ttyACM0" */
	char *mode;   /* "auto", "brom", "preloader", "da", "com" */
	enum port_state state;
	char *chip;             /* NULL: not identified yet */
	char *meid;             /* NULL: not known */
	int64_t job;            /* 0: none */
	struct failure failure; /* of PORT_FAILED */
};

const char *port_state_to_string(enum port_state state);
_must_check_ int port_state_from_string(const char *s, enum port_state *ret);

/* True for the mode words above. */
bool port_mode_is_valid(const char *mode);

void port_clear(struct port *port);
_must_check_ int port_copy(const struct port *from, struct port *ret);

/* {slot, device, mode, state, chip, meid, job, failure}; absent where not known. */
_must_check_ int port_to_json(const struct port *port, struct json_object **ret);
_must_check_ int port_from_json(struct json_object *object, struct port *ret,
				struct problem *problem);
_must_check_ int port_to_text(const struct port *port, char **ret);
_must_check_ int port_from_text(const char *text, struct port *ret);
