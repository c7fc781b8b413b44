/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/manager/status.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define STOP_LIMIT_USEC (4 * USEC_PER_SEC) /* within the five that the contract gives us */

/* ---- telling others ---- */

static void on_job_changed(const struct job *job, void *userdata)
{
	struct manager *manager = userdata;

	job_log_state(job);
	/* A failed job keeps its files for a retry, as it keeps what it has read. */
	if (job->state == JOB_DONE || job->state == JOB_CANCELLED)
		job_files_remove(manager->job_files, job->id);
	if (job_state_is_final(job->state))
		hooks_schedule(manager);
	if (manager->observer)
		manager->observer->job_changed(job, manager->observer_data);
}

void manager_observe(struct manager *manager, const struct manager_observer *observer,
		     void *userdata)
{
	manager->observer = observer;
	manager->observer_data = userdata;
}

/* ---- deciding ---- */

/* A port that could be given something to do now. */
static bool is_free(const struct bench_port *port)
{
	if (port->gone || port->lost || port->excluded || port->assigned)
		return false;
	if (port->worker)
		return port->identified && port->port.state == PORT_IDENTIFYING &&
		       !worker_is_stopping(port->worker);
	return port->port.state == PORT_IDLE;
}

/* A job whose last worker has not ended yet must not get a second one. */
static bool still_has_worker(const struct manager *manager, const struct job *job)
{
	return publication_is_running(manager, job->id) || bench_by_job(&manager->bench, job->id);
}

/* True when the other ports are to wait for the next turn: run_job. */
static bool carry_out(struct manager *manager, struct bench_port *port,
		      const struct decision *decision)
{
	bool may_run = time_now() >= manager->store_retry_at;

	switch (decision->type) {
	case DECIDE_IDENTIFY:
		run_identify(manager, port);
		return false;
	case DECIDE_RUN:
		return may_run && !still_has_worker(manager, decision->job) &&
		       run_job(manager, port, decision->job);
	case DECIDE_AUTOMATIC:
		return may_run && automatic_run(manager, port);
	case DECIDE_NOTHING:
		break;
	}
	if (port->worker)
		run_release(manager, port);
	return false;
}

static bool is_restarting(const struct manager *manager, const struct bench_port *port)
{
	return quiet_has(&manager->restarting, port->port.slot) ||
	       port->starting_until > time_now();
}

/* A watch that stays where it was read is not forgotten. */
static void see_watches(struct manager *manager)
{
	for (size_t i = 0; i < manager->bench.n; i++) {
		const struct bench_port *port = manager->bench.ports[i];

		if (port->syspath && port->identified && !port->gone)
			served_seen(&manager->served, port->port.meid);
	}
	served_forget_old(&manager->served);
}

/*
 * Begins one job at a time, since each costs a commit, which waits for the disk: in between everybody
 * else has a turn. 1 when there may be more to begin.
 */
static int decide(struct manager *manager)
{
	_cleanup_free_ struct schedule_port *ports = NULL;
	_cleanup_free_ struct bench_port **free_ports = NULL;
	_cleanup_free_ struct decision *decisions = NULL;
	size_t n = 0, n_jobs, busy = worker_pool_count(manager->pool);
	const struct job *const *jobs = queue_jobs(manager->queue, &n_jobs);

	see_watches(manager);
	ports = calloc(manager->bench.n + 1, sizeof(*ports));
	free_ports = calloc(manager->bench.n + 1, sizeof(struct bench_port *));
	decisions = calloc(manager->bench.n + 1, sizeof(*decisions));
	if (!ports || !free_ports || !decisions)
		return -ENOMEM;
	for (size_t i = 0; i < manager->bench.n; i++) {
		struct bench_port *port = manager->bench.ports[i];

		if (!is_free(port))
			continue;
		free_ports[n] = port;
		ports[n++] = (struct schedule_port){ .port = &port->port,
						     .identified = port->identified,
						     .has_worker = port->worker,
						     .restarting = is_restarting(manager, port),
						     .automatic_ok = automatic_ok(manager, port) };
		/* On a line that stays when its watch goes, nothing tells that another one came. */
		if (port->syspath) {
			ports[n - 1].served = manager->served.watches;
			ports[n - 1].n_served = manager->served.n;
		}
	}
	if (scheduler_decide(jobs, n_jobs, ports, n,
			     manager->config.workers - MIN_OF(busy, manager->config.workers),
			     decisions) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (carry_out(manager, free_ports[i], &decisions[i]))
			return 1;
	return 0;
}

/* ---- time ---- */

/* Fails what has waited too long; when the next would have. */
static uint64_t expire_job(struct manager *manager, const struct job *job)
{
	uint64_t now = time_now(), real = time_real(), at, next = USEC_NEVER;
	struct failure failure = { 0 };
	struct bench_port *port;

	at = queue_waiting_since(manager->queue, job->id);
	if (at != USEC_NEVER) {
		at += manager->config.resume_timeout_usec;
		if (at <= now)
			(void)failure_set(&failure, FAILURE_DEVICE_LOST,
					  "plug it in and retry: the read goes on where it stopped",
					  "the watch did not come back in time (%s)",
					  job->failure.message ?: "it left");
		next = at;
	}
	if (job->request.timeout > 0) {
		at = job->asked + (uint64_t)(job->request.timeout * 1e6);
		if (at <= real)
			(void)failure_set(
				&failure, FAILURE_TIMEOUT,
				"retry gives it as long again; for more, submit it with a "
				"longer --timeout",
				"the job did not end within its %g s", job->request.timeout);
		next = MIN_OF(next, now + (at > real ? at - real : 0));
	}
	if (failure.code == FAILURE_NONE)
		return next;
	port = bench_by_job(&manager->bench, job->id);
	if (port && port->worker)
		run_give_up(port, &failure);
	run_failed(manager, job, &failure);
	failure_clear(&failure);
	return USEC_NEVER;
}

static uint64_t expire_jobs(struct manager *manager)
{
	uint64_t next = USEC_NEVER;
	size_t n;

	(void)queue_jobs(manager->queue, &n);
	/* From the end, since a job that fails leaves the queue. */
	for (size_t i = n; i > 0; i--) {
		const struct job *const *jobs = queue_jobs(manager->queue, &n);
		uint64_t at = expire_job(manager, jobs[i - 1]);

		next = MIN_OF(next, at);
	}
	return next;
}

/* The next moment that changes what was decided at decided_at, which may be over by now. */
static uint64_t next_decision(const struct manager *manager, uint64_t decided_at)
{
	uint64_t next = quiet_next(&manager->restarting, decided_at);

	for (size_t i = 0; i < manager->bench.n; i++) {
		uint64_t starting_until = manager->bench.ports[i]->starting_until;

		if (starting_until > decided_at)
			next = MIN_OF(next, starting_until);
	}
	if (manager->store_retry_at > decided_at)
		next = MIN_OF(next, manager->store_retry_at);
	return next;
}

static void keep_time(struct manager *manager, uint64_t decided_at)
{
	uint64_t next = expire_jobs(manager);
	uint64_t lost = ports_look_for_lost(manager);
	uint64_t decision = next_decision(manager, decided_at);

	next = MIN_OF(MIN_OF(next, lost), decision);
	if (queue_is_pending(manager->queue)) {
		if (queue_flush(manager->queue) < 0) {
			manager_store_failed(manager);
			next = MIN_OF(next, manager->store_retry_at);
		} else {
			manager_store_works(manager);
		}
	}
	if (next == USEC_NEVER) {
		(void)sd_event_source_set_enabled(manager->timer, SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time(manager->timer, next);
	(void)sd_event_source_set_enabled(manager->timer, SD_EVENT_ONESHOT);
}

static void end_when_idle(struct manager *manager)
{
	if (manager->stopping && worker_pool_count(manager->pool) == 0)
		(void)sd_event_exit(manager->event, 0);
}

static int on_schedule(_unused_ sd_event_source *source, void *userdata)
{
	struct manager *manager = userdata;
	uint64_t now = time_now();
	int r;

	if (manager->stopping) {
		end_when_idle(manager);
		return 0;
	}
	r = manager->going_to_sleep ? 0 : decide(manager);
	if (r < 0)
		log_error("out of memory while pairing jobs and ports");
	else if (r > 0)
		manager_schedule(manager);
	keep_time(manager, now);
	sleep_update(manager);
	status_update(manager->queue, manager->bench.n);
	return 0;
}

static int on_timer(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;

	if (manager->stopping)
		return sd_event_exit(manager->event, 0);
	manager_schedule(manager);
	return 0;
}

/* ---- life ---- */

static int open_state(struct manager *manager, const struct manager_options *options,
		      char **ret_error)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbd.sqlite", options->state_directory);
	int r;

	if (!path)
		return -ENOMEM;
	r = archive_open(options->state_directory, &manager->archive);
	if (r < 0) {
		*ret_error = r == -EALREADY
				     ? str_format("%s: another mtkrbd uses this state directory",
						  options->state_directory)
				     : str_format("%s: %s", options->state_directory,
						  strerrordesc_np(-r));
		return r;
	}
	r = agents_open(options->state_directory, &manager->agents);
	if (r >= 0)
		r = job_files_open(options->state_directory, &manager->job_files);
	if (r < 0) {
		*ret_error = str_format("%s: %s", options->state_directory, strerrordesc_np(-r));
		return r;
	}
	r = store_open(path, &manager->store);
	if (r < 0) {
		*ret_error = str_format("%s: %s", path,
					r == -EUCLEAN ? "damaged (move it away: the catalogue is "
							"made again from the backups)"
						      : strerrordesc_np(-r));
		return r;
	}
	r = queue_new(manager->store, on_job_changed, manager, &manager->queue);
	if (r >= 0)
		r = hooks_open(manager, options);
	if (r >= 0)
		r = places_load(manager);
	if (r >= 0)
		r = recover(manager);
	if (r < 0)
		*ret_error = str_format("%s: %s (%s)", options->state_directory,
					strerrordesc_np(-r), store_error_text(manager->store));
	return r;
}

static int add_sources(struct manager *manager)
{
	int r;

	r = sd_event_add_defer(manager->event, &manager->schedule, on_schedule, manager);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(manager->schedule, SD_EVENT_OFF);
	if (r < 0)
		return r;
	r = sd_event_add_time(manager->event, &manager->timer, CLOCK_MONOTONIC, USEC_NEVER,
			      USEC_PER_SEC / 10, on_timer, manager);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(manager->schedule, "schedule");
	(void)sd_event_source_set_description(manager->timer, "timer");
	return 0;
}

int manager_new(sd_event *event, const struct manager_options *options, struct config *config,
		struct manager **ret, char **ret_error)
{
	_cleanup_(manager_freep) struct manager *manager = calloc(1, sizeof(*manager));
	int r;

	*ret_error = NULL;
	if (!manager)
		return -ENOMEM;
	manager->event = sd_event_ref(event);
	manager->config = *config;
	*config = (struct config){ 0 };
	r = add_sources(manager);
	if (r >= 0)
		r = sleep_open(manager);
	if (r >= 0)
		r = worker_pool_new(event, options->worker, &manager->pool);
	if (r >= 0)
		r = open_state(manager, options, ret_error);
	if (r >= 0)
		r = pruner_new(event, manager->store, manager->archive, &manager->config.retention,
			       &manager->pruner);
	if (r >= 0 && options->udev) {
		r = port_monitor_new(event, &ports_handler, manager, &manager->monitor);
		if (r < 0)
			*ret_error = str_format("udev cannot be watched: %s", strerrordesc_np(-r));
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(manager);
	return 0;
}

void manager_free(struct manager *manager)
{
	if (!manager)
		return;
	port_monitor_free(manager->monitor);
	worker_pool_free(manager->pool);
	publications_forget(manager);
	pruner_free(manager->pruner);
	hooks_close(manager);
	sleep_close(manager);
	bench_clear(&manager->bench);
	queue_free(manager->queue);
	store_close(manager->store);
	job_files_close(manager->job_files);
	agents_close(manager->agents);
	archive_close(manager->archive);
	slots_clear(&manager->slots);
	slot_settings_clear(&manager->stored_slots);
	config_clear(&manager->config);
	quiet_clear(&manager->quiet);
	quiet_clear(&manager->restarting);
	served_clear(&manager->served);
	sd_event_source_disable_unref(manager->schedule);
	sd_event_source_disable_unref(manager->timer);
	sd_event_unref(manager->event);
	free(manager);
}

int manager_start(struct manager *manager)
{
	pruner_start(manager->pruner);
	hooks_schedule(manager);
	manager_schedule(manager);
	return 0;
}

void manager_stop(struct manager *manager)
{
	if (manager->stopping)
		return;
	manager->stopping = true;
	for (size_t i = 0; i < manager->bench.n; i++)
		if (manager->bench.ports[i]->worker)
			worker_stop(manager->bench.ports[i]->worker);
	(void)sd_event_source_set_time_relative(manager->timer, STOP_LIMIT_USEC);
	(void)sd_event_source_set_enabled(manager->timer, SD_EVENT_ONESHOT);
	manager_schedule(manager);
}

void manager_reconfigure(struct manager *manager, struct config *config)
{
	/* They borrow from the configuration. */
	slots_clear(&manager->slots);
	config_clear(&manager->config);
	manager->config = *config;
	*config = (struct config){ 0 };
	hooks_schedule(manager);
	places_configured(manager);
	manager_schedule(manager);
}

/* ---- looking ---- */

const struct bench *manager_bench(const struct manager *manager)
{
	return &manager->bench;
}

struct store *manager_store(const struct manager *manager)
{
	return manager->store;
}

struct agents *manager_agents(const struct manager *manager)
{
	return manager->agents;
}

struct job_files *manager_job_files(const struct manager *manager)
{
	return manager->job_files;
}

struct pruner *manager_pruner(const struct manager *manager)
{
	return manager->pruner;
}

int manager_free_space(const struct manager *manager, uint64_t *ret)
{
	return archive_free_space(manager->archive, ret);
}
