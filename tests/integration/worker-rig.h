/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Drives the real worker against the virtual watch over a pty, in the daemon's place. Anything that
 * does not work ends the test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/manifest.h"
#include "protocol/control/worker-message.h"

#define FLASH_BYTES (1U << 20)

/* One watch, one worker and the folder between them. */
struct worker_rig {
	char folder[64];
	char link[96];  /* to the watch's device */
	char image[96]; /* what the watch has in its flash */
	char staging[96];
	pid_t watch;
	pid_t worker;
	int socket;
};

/* How a worker ended, and what it told on the way. */
struct outcome {
	enum worker_message_type type;
	struct failure failure;
	int status; /* exit status */
	unsigned int n_progress;
	uint64_t last_done, last_total;
	struct manifest manifest; /* of a backup that is done */
	char chip[32];
};

/* For cmocka: *state is a rig with a flash image of FLASH_BYTES and an empty staging. */
int worker_rig_set_up(void **state);
int worker_rig_tear_down(void **state);
void worker_rig_stop_watch(struct worker_rig *rig);

/* Kills a process that the rig started; *pid is 0 afterwards. */
void worker_rig_stop_process(pid_t *pid);

/* Removes the files of a folder. */
void worker_rig_empty(const char *path);

/* Starts a watch with that image and waits for its device; options end with NULL. */
void worker_rig_start_watch(struct worker_rig *rig, ...);

/* Starts a worker with the other end of rig->socket. */
void worker_rig_start_worker(struct worker_rig *rig);

/* The next message of the worker; the caller clears it. */
void worker_rig_receive(struct worker_rig *rig, struct worker_message *ret);

/* A job with defaults but after=stay; owned by the caller until worker_rig_run. */
struct worker_read worker_rig_new_read(void);

/* The same for one range. */
struct worker_read worker_rig_new_explicit(uint64_t start, uint64_t length);

/* Sends the job with the staging directory; read stays the caller's. */
void worker_rig_send_read(struct worker_rig *rig, const struct worker_read *read);

/* Listens to the worker until it ends; the caller clears the outcome. */
struct outcome worker_rig_finish(struct worker_rig *rig);
void worker_rig_clear(struct outcome *outcome);

/* Starts a worker up to the identity; false when it failed before, with *ret set. */
bool worker_rig_identify(struct worker_rig *rig, char chip[32], struct outcome *ret);

/* Takes read: a whole job, with the manifest of a backup that is done. */
struct outcome worker_rig_run(struct worker_rig *rig, struct worker_read read);

/* The file in the staging is what the flash has from start on. */
void worker_rig_assert_image(struct worker_rig *rig, const char *name, uint64_t start,
			     uint64_t length);
void worker_rig_assert_done(const struct outcome *outcome);
void worker_rig_assert_failed(const struct outcome *outcome, enum failure_code code);
unsigned int worker_rig_count_files(const char *path);
bool worker_rig_sums_agree(struct worker_rig *rig);
