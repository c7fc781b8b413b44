/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads flash through a download agent that was started. */

#include "protocol/device/da-session.h"
#include "protocol/device/reader.h"

struct da_reader {
	struct reader reader;
	struct da_session *session; /* borrowed */
};

void da_reader_open(struct da_reader *reader, struct da_session *session);
