/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The first words with an agent that was just started: its sync bytes, our configuration, the flash
 * table row by row, its report.
 */

#include "protocol/device/da-session.h"

/* Errors as in da-session.h; for some of them the session has words of its own. */
_must_check_ int da_start(struct da_session *session, const struct da_session_source *source,
			  const struct da_region *table);
