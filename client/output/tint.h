/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which colour a state has: the same wherever it is shown. */

#include "client/output/term.h"
#include "protocol/control/job.h"
#include "protocol/control/port.h"

enum tint tint_job(enum job_state state);
enum tint tint_port(enum port_state state);
