/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager's own files share. */

#include "daemon/archive/agents.h"
#include "daemon/archive/archive.h"
#include "daemon/archive/job-files.h"
#include "daemon/config/config.h"
#include "daemon/hook-runner.h"
#include "daemon/log-ids.h"
#include "daemon/log.h"
#include "daemon/manager/bench.h"
#include "daemon/manager/job-log.h"
#include "daemon/manager/manager.h"
#include "daemon/manager/prune.h"
#include "daemon/manager/queue.h"
#include "daemon/manager/quiet.h"
#include "daemon/manager/served.h"
#include "daemon/policy/scheduler.h"
#include "daemon/policy/slots.h"
#include "daemon/port-monitor.h"
#include "daemon/store/store.h"
#include "daemon/worker-pool.h"
#include "protocol/base/time.h"

struct inhibit;

/* Before the store is asked again for what it would not take. */
#define STORE_PAUSE_USEC (2 * USEC_PER_SEC)
/* After a failure somebody will replug; that is to be tried again, a flapping port is not. */
#define FAILURE_PAUSE_USEC (30 * USEC_PER_SEC)

struct manager {
	sd_event *event;
	sd_event_source *schedule, *timer;
	struct config config;
	struct archive *archive;
	struct agents *agents;
	struct job_files *job_files;
	struct store *store;
	struct queue *queue;
	struct worker_pool *pool;
	struct pruner *pruner;
	struct inhibit *inhibit;
	struct hook_runner *hook_runner;
	sd_event_source *hooks_step;
	struct unsaved_hooks *unsaved_hooks;
	struct port_monitor *monitor;
	struct bench bench;
	struct slot_settings stored_slots; /* what the store has */
	struct slots slots;                /* joined with the configuration's, also empty ones */
	struct publication *publications;  /* finished reads that are being checked */
	size_t n_verifications;            /* backups that are being read again */
	uint64_t store_retry_at; /* monotonic; the store took nothing, no job is begun before */
	bool store_in_trouble;   /* which the log was told */
	struct quiet quiet;      /* what the rules leave alone: ME IDs and slots */
	struct quiet restarting; /* slots whose watch was read and starts again */
	struct served served;
	bool stopping;
	bool going_to_sleep; /* nothing is begun until the machine is back */
	const struct manager_observer *observer;
	void *observer_data;
};

/* ---- notify.c ---- */

/* Decides again, once, when the loop is next idle. */
void manager_schedule(struct manager *manager);

/* The store took nothing: it is asked again after a pause. The log hears of it once, and of the end. */
void manager_store_failed(struct manager *manager);
void manager_store_works(struct manager *manager);

/* Tells the observer. */
void manager_port_changed(struct manager *manager, const struct bench_port *port, bool gone);

/* ---- runs.c: what happens between a port, a worker and a job ---- */

/* Starts a worker that asks the watch what it is. */
void run_identify(struct manager *manager, struct bench_port *port);

/*
 * Runs job on port, with the worker that identified the watch or a new one. True when that waited for
 * the disk, in whatever it ended: all else is to have its turn first.
 */
bool run_job(struct manager *manager, struct bench_port *port, const struct job *job);

/* Ends job; its watch is left to a retry for a while, by the rules and by the jobs beside it. */
void run_failed(struct manager *manager, const struct job *job, const struct failure *failure);

/*
 * Stops the worker of a port whose job failed while it still went on: the port fails with it, so that
 * its watch is not given to the next job.
 */
void run_give_up(struct bench_port *port, const struct failure *failure);

/* Lets an identified watch rest: nobody wants it now. */
void run_release(struct manager *manager, struct bench_port *port);

/* ---- publication.c: a finished read becomes a backup ---- */

/* Has a running job's read checked and published; the job ends with it. */
void publication_begin(struct manager *manager, const struct job *job);

/*
 * Publishes what an earlier attempt or the last daemon had read to the end, without a watch. False
 * when there is no such thing.
 */
bool publication_resume(struct manager *manager, const struct job *job);

/* The job's finished read is being checked. */
bool publication_is_running(const struct manager *manager, int64_t job);

/* Forgets the checks that are under way; their processes have ended. */
void publications_forget(struct manager *manager);

/* Removes what a job has read, unless it goes on with it or may by a retry. */
void publication_tidy(struct manager *manager, int64_t job);

/* ---- ports.c: ports come and go ---- */

extern const struct port_monitor_handler ports_handler;

/* Takes a port off the bench, or has it taken off when its worker has ended. */
void ports_remove(struct manager *manager, struct bench_port *port);

/* A port whose watch left while its device is still there: looks again after a while. */
void ports_lost(struct manager *manager, struct bench_port *port);

/* Looks for the lost ports whose time has come; when to be called next, USEC_NEVER for not. */
uint64_t ports_look_for_lost(struct manager *manager);

/* Failed ports may be tried again: somebody asked for something. */
void ports_forgive(struct manager *manager);

/*
 * To idle, or to what keeps it from being used: an excluded slot, a mode that is no way in. The
 * caller tells of it.
 */
void ports_rest(struct bench_port *port);

/* ---- automatic.c: the rules at work ---- */

/*
 * A rule may back up the watch on this port, or may want to: it was not backed up just now, and no
 * rule says to leave it alone.
 */
bool automatic_ok(struct manager *manager, const struct bench_port *port);

/* Makes the job that the rules want for an identified watch, and runs it. True as of run_job. */
bool automatic_run(struct manager *manager, struct bench_port *port);

/* How long a watch that was read on this port is not to be read again. */
uint64_t automatic_repeat_after(const struct manager *manager, const struct bench_port *port);

/* ---- places.c: the slots that ports are in ---- */

/* Reads what is stored of them. */
_must_check_ int places_load(struct manager *manager);

/* The configuration is another now: the ports that are here get what it says of their slots. */
void places_configured(struct manager *manager);

/* ---- hooks.c: programs that run after a job ---- */

_must_check_ int hooks_open(struct manager *manager, const struct manager_options *options);
void hooks_close(struct manager *manager);

/* Runs what is wanted, soon. */
void hooks_schedule(struct manager *manager);

/* ---- sleep.c: the machine's sleep ---- */

_must_check_ int sleep_open(struct manager *manager);
void sleep_close(struct manager *manager);

/* Keeps the machine awake, or lets it sleep, by what is under way now. */
void sleep_update(struct manager *manager);

/* ---- reconcile.c: the catalogue and the directories ---- */

/*
 * Makes the catalogue have what the directories have: adds a backup without a row from its
 * manifest, completes a row of an earlier version, and tells the log of a row without a directory.
 */
_must_check_ int reconcile(struct manager *manager);

/* ---- recover.c ---- */

/* Makes store, backups and staging agree after whatever ended the last daemon. */
_must_check_ int recover(struct manager *manager);
