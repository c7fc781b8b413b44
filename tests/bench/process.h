/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What /proc tells of a process. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/base/cleanup.h"

/* A number of /proc/PID/status, by its field ("VmHWM"); -ESRCH, -ENODATA. */
_must_check_ int process_status(pid_t pid, const char *field, uint64_t *ret);

/* Resident kilobytes, without those of files whose path has this text. -ESRCH. */
_must_check_ int process_resident(pid_t pid, const char *without, uint64_t *ret_kib);

/* At most n children; how many there are, 0 also when there is no such process. */
size_t process_children(pid_t pid, pid_t *ret, size_t n);

/* True when the process runs a program of that name. */
bool process_runs(pid_t pid, const char *program);
