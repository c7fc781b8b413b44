/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A bench for tests: the real daemon in a directory of its own, virtual watches, the client, and
 * calls on the socket. Anything that does not work ends the test. Programs come from the directory
 * that MTKRB_BIN_DIR names.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <sys/types.h>

#include <cmocka.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/job.h"
#include "protocol/control/message.h"

struct rig {
	char directory[64]; /* everything of the test lies below it */
	char socket[96];
	char state[96];
	char config[96];
	char log[96]; /* the daemon's stderr, of all its lives */
	pid_t daemon; /* 0: none */
};

/* A directory with a configuration; automatic backups are as config_text says, NULL: off. */
void rig_set_up(struct rig *rig, const char *config_text);

/* Ends the daemon, which must end well, and removes the directory. */
void rig_tear_down(struct rig *rig);

/* For cmocka: a rig of its own for each test, with a daemon that makes no automatic backups. */
int rig_test_set_up(void **state);
int rig_test_tear_down(void **state);

/* Starts the daemon (without udev unless told) and waits until it answers. */
void rig_start(struct rig *rig);
void rig_start_with_udev(struct rig *rig);

/* Starts the daemon, which is expected to refuse: its exit status, its words in the log. */
int rig_start_refused(struct rig *rig, const char *const *more_arguments);

/* Sends a signal and waits for the end; the exit status, or 128 + the signal that killed it. */
int rig_stop(struct rig *rig, int signal);

/* True when the daemon's log has this text. */
bool rig_log_has(const struct rig *rig, const char *text);

/* ---- programs ---- */

struct output {
	int status; /* exit status, or 128 + signal */
	char *out;
	char *err;
};
void output_clear(struct output *output);

/* Runs a program of the build with arguments up to a NULL and gathers what it prints. */
struct output rig_run(const struct rig *rig, const char *program, ...);

/* mtkrbctl against this daemon. */
#define rig_ctl(rig, ...) rig_run(rig, "mtkrbctl", "--socket", (rig)->socket, __VA_ARGS__)

/* ---- virtual watches ---- */

struct watch {
	pid_t pid;
	char link[96]; /* device path that stays the same over replugs */
	char log[96];  /* what was written to it: mtkrb-watch --log */
};

/* name makes link and log; arguments up to a NULL. Ready when this returns. */
void watch_plug(const struct rig *rig, struct watch *watch, const char *name, ...);
void watch_unplug(struct watch *watch);
bool watch_log_has(const struct watch *watch, const char *text);

/* Bytes of flash that were asked for so far. */
uint64_t watch_bytes_read(const struct watch *watch);

/* A flash image file of size bytes below the rig's directory, made by the virtual watch itself. */
void rig_make_image(const struct rig *rig, const char *name, const char *size, char path[128]);

/* ---- the socket ---- */

/*
 * One call, one reply: the reply's parameters, which the caller unrefs. error is the expected error
 * name, NULL for none.
 */
struct json_object *rig_call(const struct rig *rig, const char *method, const char *parameters,
			     const char *error);

/* Submits a JobRequest given as JSON; the id. */
int64_t rig_submit(const struct rig *rig, const char *request);
void rig_attach(const struct rig *rig, const char *device, const char *slot);

/* The caller clears it. */
struct job rig_job(const struct rig *rig, int64_t id);

/* Waits until the job is in state, at most seconds; any other final state ends the test. */
struct job rig_wait(const struct rig *rig, int64_t id, enum job_state state, double seconds);

/* The id of the newest job, 0 when there is none. */
int64_t rig_newest_job(const struct rig *rig);

/* ---- files ---- */

/* Bytes from the image's first on that the map of an unfinished read says are there; 0 without one. */
uint64_t rig_saved(const struct rig *rig, int64_t job);

/* Path of the only, or newest, backup's directory. */
void rig_backup_path(const struct rig *rig, int64_t job, char path[512]);

bool same_content(const char *a, const char *b);
bool file_exists(const char *path);
uint64_t file_size(const char *path);
void sleep_ms(unsigned int ms);
