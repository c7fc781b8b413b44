/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Has the programs in hooks.d run by mtkrbd-hook: by the service behind a socket where that is
 * there, else by a child of our own. Both are spoken to in the same way, and neither is waited for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/store/store.h"
#include "protocol/base/cleanup.h"
#include "protocol/control/hook.h"

struct hook_runner;

struct hook_runner_options {
	const char *program; /* path of mtkrbd-hook */
	const char *socket;  /* of the service; it must belong to root or to us */
};

/* Called from the event loop, once for each run, also for one that broke. Takes results. */
typedef void (*hooks_ended)(const struct hooks_wanted *wanted, struct hook_result *results,
			    size_t n, void *userdata);

/* Both paths are copied. */
_must_check_ int hook_runner_new(sd_event *event, const struct hook_runner_options *options,
				 hooks_ended ended, void *userdata, struct hook_runner **ret);

/* Ends what runs: the programs are killed, ended is not called. */
void hook_runner_free(struct hook_runner *runner);
DEFINE_CLEANUP(struct hook_runner *, hook_runner_free);

/* Runs under way, and whether one of this job is among them. */
size_t hook_runner_count(const struct hook_runner *runner);
bool hook_runner_has(const struct hook_runner *runner, int64_t job);

/*
 * Begins a run of what is wanted; directory is for a child of our own. Negative: nothing runs, ended is
 * not called.
 */
_must_check_ int hook_runner_start(struct hook_runner *runner, const struct hooks_wanted *wanted,
				   const struct hook_call *call, const char *directory);
