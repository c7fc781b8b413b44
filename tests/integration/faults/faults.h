/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of the run share: one bench after the other, one table, one count of writes. */

#include "tests/integration/faults/table.h"
#include "tests/integration/rig.h"
#include "tests/integration/watch-log.h"

struct faults {
	struct rig rig;
	struct table table;
	struct writes writes;
	unsigned int first_seed;
	unsigned int seed;   /* of all that is random */
	unsigned int number; /* of the next watch */
	bool quick;          /* a build with sanitizers: fewer rounds */
};

/* A number below limit. */
uint64_t faults_random(struct faults *faults, uint64_t limit);

/* Sets the bench up, with a daemon that has download agents. */
void faults_open(struct faults *faults, const char *config);
void faults_close(struct faults *faults);

/* Puts a download agent into the directory of the daemon, which runs. */
void faults_add_agent(const struct faults *faults);

/* A watch that keeps a log of its own; fault and meid may be NULL. */
void faults_plug(struct faults *faults, struct watch *watch, const char *image, const char *fault,
		 const char *meid);

/* Ends it and counts what was written to it. */
void faults_unplug(struct faults *faults, struct watch *watch, bool agent);

/* One call; NULL when the daemon was not there to answer, the whole answer (to unref) otherwise. */
struct json_object *faults_call(const struct rig *rig, const char *method, const char *parameters);

/* True for an answer that is there and no error. */
bool faults_ok(struct json_object *answer);

/* Waits until the job neither runs nor is to run; the caller clears it. */
struct job faults_settle(const struct rig *rig, int64_t id, double seconds);

/* Bytes in which the image of a done job differs from the one it was read from. */
uint64_t faults_lost(const struct rig *rig, int64_t id, const char *image);

/* The parts. */
void test_cable(void **state);
void test_cable_agent(void **state);
void test_cable_deadline(void **state);
void test_cable_deadline_agent(void **state);
void test_cable_other_watch(void **state);
void test_cable_other_watch_agent(void **state);
void test_line(void **state);
void test_line_agent(void **state);
void test_kills(void **state);
void test_power_publish(void **state);
void test_kill_sharing(void **state);
void test_power_submit(void **state);
void test_disk_full(void **state);
void test_disk_read_only(void **state);
void test_database_locked(void **state);
void test_database_corrupt(void **state);
void test_eio(void **state);
void test_running_read_only(void **state);
void test_running_spoilt(void **state);
