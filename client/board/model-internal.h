/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the model's two files share: gathering (model.c) and folding into tiles. */

#include "client/board/model.h"

struct board_place {
	char *name;
	bool listed;
	bool excluded;
	bool has_port;
	struct port port;
};

struct board_model {
	uint64_t day;
	enum board_bell bell;
	bool rings;
	struct board_place **places; /* those that are listed first, in bench order */
	size_t n_places, n_listed;
	struct board_job *jobs; /* by id: the unfinished ones, and those that ended today */
	size_t n_jobs, room_jobs;
};

/* True when the queue takes job before other (NULL: none). */
bool board_job_goes_before(const struct board_job *job, const struct board_job *other);
