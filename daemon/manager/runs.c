/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/internal.h"

#include <errno.h>
#include <fcntl.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

/* A watch that was reset drops off and is back as a boot ROM before it starts: not a new arrival. */
#define RESTART_USEC (3 * USEC_PER_SEC)

static struct bench_port *port_of(struct manager *manager, const struct worker *worker)
{
	for (size_t i = 0; i < manager->bench.n; i++)
		if (manager->bench.ports[i]->worker == worker)
			return manager->bench.ports[i];
	return NULL;
}

static void set_state(struct manager *manager, struct bench_port *port, enum port_state state)
{
	port->port.state = state;
	manager_port_changed(manager, port, false);
}

/* ---- how a job's attempt ended ---- */

static bool is_automatic(const struct job *job)
{
	for (size_t i = 0; i < job->request.n_labels; i++)
		if (streq(job->request.labels[i].key, "origin"))
			return streq(job->request.labels[i].value, "automatic");
	return false;
}

static void job_read(struct manager *manager, const struct bench_port *port, const struct job *job)
{
	/* The same watch is not to be read again at once, neither now nor when it is back. */
	quiet_keep(&manager->quiet, job->port.meid ?: job->port.slot,
		   automatic_repeat_after(manager, port));
	if (job->request.after != AFTER_STAY)
		quiet_keep(&manager->restarting, job->port.slot, RESTART_USEC);
	served_add(&manager->served, job);
	publication_begin(manager, job);
}

/* The rules leave its watch to a retry; where nobody asked for the job, they try again themselves. */
static void leave_to_retry(struct manager *manager, const struct job *job)
{
	const char *meid = job->port.meid ?: job->request.meid;
	const char *slot = job->port.slot ?: job->request.slot;

	if (is_automatic(job))
		quiet_keep(&manager->quiet, meid ?: slot, FAILURE_PAUSE_USEC);
	else
		quiet_keep(&manager->quiet, meid, manager->config.resume_timeout_usec);
}

void run_failed(struct manager *manager, const struct job *job, const struct failure *failure)
{
	leave_to_retry(manager, job);
	served_add(&manager->served, job);
	(void)queue_end(manager->queue, job->id, JOB_FAILED, failure);
}

/* A job waits for the watch it began with; one that has not met its watch yet is queued again. */
static void wait_for_watch(struct manager *manager, const struct job *job,
			   const struct failure *failure)
{
	struct log_context context = job_log_context(job);

	if (job->port.chip) {
		(void)queue_wait(manager->queue, job->id, failure);
		return;
	}
	log_event(LOG_INFO, &context, "queued again: %s", failure->message ?: "");
	(void)queue_put_back(manager->queue, job->id);
}

/* The port went before the worker noticed, its slot was excluded, or the machine goes to sleep. */
static void was_stopped(struct manager *manager, const struct bench_port *port,
			const struct job *job)
{
	struct failure failure = { 0 };

	if (manager->going_to_sleep)
		(void)failure_set(&failure, FAILURE_DEVICE_LOST,
				  "leave the watch plugged in: the read goes on where it stopped",
				  "the machine went to sleep in the middle of the job");
	else if (port->excluded)
		(void)failure_set(&failure, FAILURE_DEVICE_LOST,
				  "mtkrbctl slot include: the read goes on where it stopped",
				  "slot %s was excluded in the middle of the job", port->port.slot);
	else
		(void)failure_set(&failure, FAILURE_DEVICE_LOST,
				  "plug the watch in again: the read goes on where it stopped",
				  "the watch left in the middle of the job");
	wait_for_watch(manager, job, &failure);
	failure_clear(&failure);
}

static void job_ended(struct manager *manager, const struct bench_port *port, int64_t id,
		      const struct failure *failure)
{
	const struct job *job = queue_find(manager->queue, id);

	if (!job || job->state != JOB_RUNNING) {
		/* Its time was over, or it was cancelled, and maybe it was retried since. */
		publication_tidy(manager, id);
		return;
	}
	switch (failure->code) {
	case FAILURE_NONE:
		job_read(manager, port, job);
		break;
	case FAILURE_DEVICE_LOST:
	case FAILURE_WRONG_WATCH:
		wait_for_watch(manager, job, failure);
		break;
	case FAILURE_CANCELLED:
		/* We stopped it; for the daemon's own end it stays as it is. */
		if (!manager->stopping)
			was_stopped(manager, port, job);
		break;
	default:
		run_failed(manager, job, failure);
		break;
	}
}

static void set_failure(struct bench_port *port, const struct failure *failure)
{
	if (failure_copy(failure, &port->port.failure) < 0)
		log_error("out of memory");
}

void run_give_up(struct bench_port *port, const struct failure *failure)
{
	set_failure(port, failure);
	worker_stop(port->worker);
}

/* ---- the job goes to the worker ---- */

/* Opens one that the job came with, if it named one; -ENOENT when it is not there any more. */
static int open_job_file(struct manager *manager, const struct job *job, enum job_file kind,
			 const char *name, int *ret)
{
	int fd = name ? job_files_open_file(manager->job_files, job->id, kind) : -1;

	if (name && fd < 0)
		return fd;
	*ret = fd;
	return 0;
}

/* All that a worker needs of ours; the directory of agents is only lent. */
static int open_files(struct manager *manager, const struct job *job, struct worker_files *ret)
{
	int r = open_job_file(manager, job, JOB_FILE_DA, job->request.da,
			      &ret->fds[WORKER_FILE_DA]);

	if (r >= 0)
		r = open_job_file(manager, job, JOB_FILE_SCATTER, job->request.scatter,
				  &ret->fds[WORKER_FILE_SCATTER]);
	if (r < 0)
		return r;
	if (job->request.method != METHOD_BROM) {
		ret->fds[WORKER_FILE_AGENTS] =
			fcntl(agents_directory(manager->agents), F_DUPFD_CLOEXEC, 0);
		if (ret->fds[WORKER_FILE_AGENTS] < 0)
			return -errno;
	}
	ret->fds[WORKER_FILE_DIRECTORY] = archive_open_staging(manager->archive, job->id);
	return MIN_OF(ret->fds[WORKER_FILE_DIRECTORY], 0);
}

static int give_job(struct manager *manager, struct bench_port *port, const struct job *job)
{
	bool resumes = archive_has_staging(manager->archive, job->id);
	_cleanup_(worker_files_close) struct worker_files files = WORKER_FILES_NONE;
	int r = open_files(manager, job, &files);
	struct worker_read read = {
		.job = job->id,
		.request = job->request,
		.slot = port->port.slot,
		.expected_meid = resumes ? job->port.meid : NULL,
		.created = time_real(),
	};

	return r < 0 ? r : worker_read(port->worker, &read, &files);
}

/* The job is running by the store's word, but no worker took it. */
static void job_not_taken(struct manager *manager, struct bench_port *port, const struct job *job,
			  int error)
{
	struct failure failure = { 0 };

	if (error == -ENOENT)
		(void)failure_set(&failure, FAILURE_DA_MISSING,
				  "submit it again: a cancelled job does not keep its files",
				  "a file that job %" PRId64 " came with is not there any more",
				  job->id);
	else
		(void)failure_set(&failure,
				  error == -ENOSPC || error == -EDQUOT ? FAILURE_NO_SPACE
								       : FAILURE_ARCHIVE_ERROR,
				  "see that the state directory can be written, then retry",
				  "job %" PRId64 " cannot be started: %s", job->id,
				  strerrordesc_np(-error));
	run_failed(manager, job, &failure);
	run_give_up(port, &failure);
	failure_clear(&failure);
}

static void start_reading(struct manager *manager, struct bench_port *port)
{
	const struct job *job = queue_find(manager->queue, port->assigned);
	int r;

	r = job ? give_job(manager, port, job) : -ECANCELED;
	if (r >= 0)
		return;
	port->assigned = 0;
	port->port.job = 0;
	if (job && job->state == JOB_RUNNING)
		job_not_taken(manager, port, job, r);
	else
		worker_stop(port->worker);
}

/* Lets the watch that was identified rest: the job is for another one. */
static void give_back(struct manager *manager, struct bench_port *port, const struct job *job)
{
	struct failure failure = { 0 };

	(void)failure_set(&failure, FAILURE_WRONG_WATCH, NULL, "another watch is in slot %s",
			  port->port.slot);
	wait_for_watch(manager, job, &failure);
	failure_clear(&failure);
	port->assigned = 0;
	port->port.job = 0;
	set_state(manager, port, PORT_IDENTIFYING);
}

/* On a line that stays when its watch goes, it may not be the one that the job was given to. */
static void begin_reading(struct manager *manager, struct bench_port *port)
{
	const struct schedule_port place = { .port = &port->port, .identified = true };
	const struct job *job = queue_find(manager->queue, port->assigned);

	if (job && job->state == JOB_RUNNING && !scheduler_job_fits(job, &place)) {
		give_back(manager, port, job);
		return;
	}
	queue_set_port(manager->queue, port->assigned, &port->port);
	start_reading(manager, port);
}

/* ---- what a worker on a port says ---- */

static void on_identified(struct worker *worker, const struct worker_identity *identity,
			  void *userdata)
{
	struct manager *manager = userdata;
	struct bench_port *port = port_of(manager, worker);

	if (!port || bench_port_identify(port, identity) < 0)
		return;
	port->lost_tries = 0;
	served_seen(&manager->served, port->port.meid);
	manager_port_changed(manager, port, false);
	if (port->assigned)
		begin_reading(manager, port);
	manager_schedule(manager);
}

static void on_progressed(struct worker *worker, const struct progress *progress, void *userdata)
{
	struct manager *manager = userdata;
	struct bench_port *port = port_of(manager, worker);

	if (port && port->assigned)
		queue_set_progress(manager->queue, port->assigned, progress);
}

/* Shows why; the watch is forgotten, since nobody knows in what state it is. */
static void port_failed(struct manager *manager, struct bench_port *port)
{
	struct failure *failure = &port->port.failure;
	struct log_context context = { .id = LOG_ID_PORT_FAILED,
				       .slot = port->port.slot,
				       .chip = port->port.chip,
				       .failure = failure_code_to_string(failure->code) };

	/* Before the chip is forgotten, which the context only borrows. */
	log_event(LOG_WARNING, &context, "%s: %s", port->port.device,
		  failure->message ?: failure_code_to_string(failure->code));
	bench_port_forget(port);
	set_state(manager, port, PORT_FAILED);
}

/* What is to become of a port whose worker has ended. */
static void port_ended(struct manager *manager, struct bench_port *port,
		       const struct failure *failure)
{
	bool was_given_up = port->port.failure.code != FAILURE_NONE;

	/* What has just been read is not to be read again as long as it is here. */
	port->left_alone |= failure->code == FAILURE_NONE;
	if (port->gone) {
		ports_remove(manager, port);
	} else if (port->excluded) {
		bench_port_forget(port);
		ports_rest(port);
		manager_port_changed(manager, port, false);
	} else if (failure->code == FAILURE_DEVICE_LOST) {
		failure_clear(&port->port.failure);
		bench_port_forget(port);
		ports_lost(manager, port);
	} else if (failure->code == FAILURE_NONE ||
		   (failure->code == FAILURE_CANCELLED && !was_given_up)) {
		failure_clear(&port->port.failure);
		set_state(manager, port, PORT_IDLE);
	} else {
		if (!was_given_up)
			set_failure(port, failure);
		port_failed(manager, port);
	}
}

static void on_ended(struct worker *worker, const struct failure *failure, void *userdata)
{
	struct manager *manager = userdata;
	struct bench_port *port = port_of(manager, worker);
	int64_t job;

	if (!port)
		return;
	job = port->assigned;
	port->worker = NULL;
	port->assigned = 0;
	port->port.job = 0;
	if (job)
		job_ended(manager, port, job, failure);
	port_ended(manager, port, failure);
	manager_schedule(manager);
}

static const struct worker_handler run_handler = {
	.identified = on_identified,
	.progressed = on_progressed,
	.ended = on_ended,
};

/* ---- starting ---- */

/* With the job that it is for, where that is known: then it reaches no other's files from the start. */
static int start_worker(struct manager *manager, struct bench_port *port, const struct job *job)
{
	struct log_context context = { .id = LOG_ID_WORKER_TROUBLE, .slot = port->port.slot };
	struct worker_open open = {
		.device = port->port.device,
		.mode = port->port.mode,
		.handshake_timeout_usb = manager->config.handshake_timeout_usb,
		.handshake_timeout_uart = manager->config.handshake_timeout_uart,
	};
	struct worker_files files = WORKER_FILES_NONE;
	_cleanup_close_ int directory = -1;
	int r;

	/* What the worker may reach shall be settled before it reads a byte. */
	directory = job ? archive_open_staging(manager->archive, job->id) : -1;
	files.fds[WORKER_FILE_DIRECTORY] =
		job ? directory : archive_staging_directory(manager->archive);
	files.fds[WORKER_FILE_AGENTS] = agents_directory(manager->agents);
	r = MIN_OF(directory, 0);
	if (!job || r >= 0)
		r = worker_pool_open(manager->pool, &open, &files, &run_handler, manager,
				     &port->worker);
	port->bound = job ? job->id : 0;
	if (r < 0)
		log_event(LOG_ERR, &context, "no worker can be started: %s", strerrordesc_np(-r));
	return r;
}

void run_identify(struct manager *manager, struct bench_port *port)
{
	if (start_worker(manager, port, NULL) >= 0)
		set_state(manager, port, PORT_IDENTIFYING);
}

void run_release(_unused_ struct manager *manager, struct bench_port *port)
{
	worker_stop(port->worker);
}

static bool has_room(const struct manager *manager, uint64_t *ret_free)
{
	return archive_free_space(manager->archive, ret_free) < 0 ||
	       *ret_free >= manager->config.free_space_floor;
}

/* The port fails too: with the next job it would be the same. */
static void refuse_for_space(struct manager *manager, struct bench_port *port,
			     const struct job *job, uint64_t free_bytes)
{
	struct failure failure = { 0 };
	char is[16], floor[16];

	(void)failure_set(
		&failure, FAILURE_NO_SPACE, "make room or set free-space-floor lower, then retry",
		"%s free for backups, less than the floor of %s", format_bytes(free_bytes, is),
		format_bytes(manager->config.free_space_floor, floor));
	run_failed(manager, job, &failure);
	if (port->worker) {
		run_give_up(port, &failure);
	} else {
		set_failure(port, &failure);
		port_failed(manager, port);
	}
	failure_clear(&failure);
}

/* Whether the disk has room for a job; where old backups make way, its turn comes again after them. */
static bool find_room(struct manager *manager, struct bench_port *port, const struct job *job)
{
	uint64_t free_bytes = 0;

	if (has_room(manager, &free_bytes))
		return true;
	if (!pruner_make_room(manager->pruner, manager->config.free_space_floor))
		refuse_for_space(manager, port, job, free_bytes);
	return false;
}

bool run_job(struct manager *manager, struct bench_port *port, const struct job *job)
{
	struct log_context context = { .job = job->id, .slot = port->port.slot };
	bool identified = port->worker;
	int r;

	if (identified && port->bound && port->bound != job->id) {
		run_release(manager, port);
		return false;
	}
	if (!find_room(manager, port, job)) {
		manager_schedule(manager);
		return true;
	}
	if (!identified && start_worker(manager, port, job) < 0)
		return false;
	/* The watch that was here before is none of this job's; the new worker asks who is there. */
	if (!identified)
		bench_port_forget(port);
	port->port.job = job->id;
	r = queue_start(manager->queue, job->id, &port->port);
	if (r < 0) {
		port->port.job = 0;
		/* The watch is kept, at rest: it may not answer a second handshake. */
		set_state(manager, port, PORT_IDENTIFYING);
		manager_store_failed(manager);
		return true;
	}
	manager_store_works(manager);
	port->assigned = job->id;
	log_event(LOG_INFO, &context, "reading on %s", port->port.device);
	set_state(manager, port, PORT_BUSY);
	/* A worker that has just been started is given it once the watch has said what it is. */
	if (identified)
		start_reading(manager, port);
	return true;
}
