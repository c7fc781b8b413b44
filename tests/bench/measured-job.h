/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One job of the real worker over a pty, with the clock running. */

#include <stdint.h>

#include "protocol/control/job.h"
#include "tests/integration/worker-rig.h"

struct measured_job {
	double read_seconds; /* from the first word of the read phase to the first of the next */
	double seconds;      /* from the start of the process to its end */
	double cpu_seconds;  /* user and system, all of the process */
};

/* A rig whose watch will have size bytes of flash; size as mtkrb-watch takes it ("64M"). */
struct worker_rig *measured_rig_new(const char *size);
void measured_rig_free(struct worker_rig *rig);

/* Reads all of the flash of a watch that has just been started, into an emptied staging. */
struct measured_job measured_job_run(struct worker_rig *rig, enum verify_mode verify);

/* The daemon's second look at what the job left: CPU seconds of the worker that digests it. */
double measured_check_run(struct worker_rig *rig);
