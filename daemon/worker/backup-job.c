/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/backup-job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/worker/backup-manifest.h"
#include "daemon/worker/flash-evidence.h"
#include "daemon/worker/flash-identity.h"
#include "daemon/worker/flash-route.h"
#include "daemon/worker/link.h"
#include "daemon/worker/report.h"
#include "daemon/worker/scatter-ranges.h"
#include "daemon/worker/staging.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/limits.h"
#include "protocol/device/readback.h"

struct backup_job {
	int link;
	struct session *session;
	struct flash_route route;
	struct sfi_identity identity; /* what the flash said of itself, where it was asked */
	const char *device;
	const struct worker_read *read;
	struct staging staging;
	struct readback *readback;
	struct progress progress;
	size_t index; /* of the range being read */
	bool verifying;
	int file_error; /* what made a callback of the readback fail, 0: nothing did */
	enum verify_mode verify;
	uint64_t verified; /* bytes that were read twice */
	uint64_t begun;
	uint64_t earlier_retries;
	double earlier_seconds;
	struct failure *failure;
};

static void tell(struct backup_job *job, enum phase phase, uint64_t done, uint64_t total)
{
	job->progress = (struct progress){
		.phase = phase,
		.done = done,
		.total = total,
		.eta = -1,
	};
	link_send_progress(job->link, &job->progress);
}

/* ---- Is this job possible with this watch? ---- */

static int check_method(const struct job_request *request, const struct worker_files *files,
			struct failure *failure)
{
	if (!request->scatter || files->fds[WORKER_FILE_SCATTER] >= 0)
		return 0;
	failure_set(failure, FAILURE_SCATTER_MISMATCH, "submit the job again",
		    "the scatter file %s did not come along with the job", request->scatter);
	return -ENOENT;
}

/* ---- How large is the flash? ---- */

/* Noted before a probe, so that the next attempt knows which one the watch did not survive. */
static int note_probe(void *userdata, uint64_t address)
{
	struct backup_job *job = userdata;
	int r;

	if (job->staging.state.probing == address)
		return 0;
	job->staging.state.probing = address;
	r = staging_save_state(&job->staging);
	if (r < 0)
		job->file_error = r;
	return r;
}

/* End of everything wanted, 0 when one range goes up to the flash's end. */
static uint64_t wanted_end(const struct staging_state *state)
{
	uint64_t end = 0;

	for (size_t i = 0; i < state->n_ranges; i++) {
		if (state->ranges[i].asked == RANGE_AUTO)
			return 0;
		end = MAX_OF(end, state->ranges[i].start + state->ranges[i].asked);
	}
	return end;
}

static int explain_gathering(struct backup_job *job, int error)
{
	if (job->file_error < 0)
		return staging_explain(job->file_error, STAGING_STATE_FILE, job->failure);
	if (error == -EHOSTDOWN && job->staging.state.probing > 0) {
		failure_set(job->failure, FAILURE_DEVICE_LOST,
			    "unplug the watch and plug it in again; the job goes on without asking "
			    "there",
			    "the watch stopped answering when it was asked for 0x%" PRIx64
			    ", maybe past the end of its flash",
			    job->staging.state.probing);
		return error;
	}
	if (error == -EIO && job->session->agent && da_session_code(job->session->agent))
		return session_explain_refusal(job->session, error, job->failure);
	if (error == -EIO && session_is_secured(job->session))
		return session_explain(job->session, -EREMOTEIO, "reading the flash", job->failure);
	if (error == -EIO) {
		failure_set(job->failure, FAILURE_READ_FAILED, NULL,
			    "the first 512 KiB of the flash cannot be read");
		return error;
	}
	return session_explain(job->session, error, "looking for the size of the flash",
			       job->failure);
}

static int refuse_size(struct backup_job *job, const char *hint, const char *why)
{
	_cleanup_free_ char *evidence = evidence_to_line(&job->staging.state.evidence);

	failure_set(job->failure, FAILURE_SIZE_MISMATCH, hint, "%s: %s", why,
		    evidence ? evidence : "out of memory");
	return -ERANGE;
}

/* Every range gets its length, and none may reach behind the flash's end where that is known. */
static int resolve_ranges(struct backup_job *job, const struct flash_evidence *evidence)
{
	struct staging_state *state = &job->staging.state;
	uint64_t size = evidence->verdict == FLASH_SIZE_AGREED ? evidence->size : 0;

	for (size_t i = 0; i < state->n_ranges; i++) {
		struct state_range *range = &state->ranges[i];
		_cleanup_free_ char *why = NULL;

		if (range->asked != RANGE_AUTO)
			range->length = range->asked;
		else if (size > range->start)
			range->length = size - range->start;
		if (range->length == 0)
			why = str_format("%s begins at 0x%" PRIx64 ", the flash ends at 0x%" PRIx64,
					 range->name, range->start, size);
		else if (size > 0 && job->session->agent && range->start + range->length > size)
			why = str_format("%s ends at 0x%" PRIx64 ", the flash at 0x%" PRIx64,
					 range->name, range->start + range->length, size);
		else if (evidence->alias.size > 0 &&
			 range->start + range->length > evidence->alias.size)
			why = str_format("%s ends at 0x%" PRIx64 ", but the flash repeats itself "
					 "from 0x%" PRIx64,
					 range->name, range->start + range->length,
					 evidence->alias.size);
		else
			continue;
		return refuse_size(job, "--length=auto reads up to the flash's end",
				   why ? why : "out of memory");
	}
	return 0;
}

/* What the agent found, where there is one. */
static const struct flash_report *get_report(const struct session *session,
					     struct flash_report *report)
{
	uint8_t jedec[DA_REPORT_JEDEC];

	if (!session->agent)
		return NULL;
	*report = (struct flash_report){ .size = da_session_report(session->agent)->nor.size };
	if (session_jedec(session, jedec)) {
		report->part_size = flash_part_size(jedec);
		hex_encode(jedec, sizeof(jedec), report->id);
	}
	return report;
}

/* The id that the flash or the agent told; NULL: none. */
static const uint8_t *get_jedec(const struct backup_job *job, uint8_t buffer[DA_REPORT_JEDEC])
{
	if (job->identity.has_jedec)
		return job->identity.jedec;
	return session_jedec(job->session, buffer) ? buffer : NULL;
}

/* The ranges that the scatter file means on this watch take the place of the default one. */
static int use_scatter(struct backup_job *job, const struct flash_evidence *evidence)
{
	const struct job_request *request = &job->read->request;
	uint8_t jedec[DA_REPORT_JEDEC];
	struct scatter_watch watch = { .chip = job->session->chip, .facts = &evidence->facts };

	if (!request->scatter)
		return 0;
	watch.jedec = get_jedec(job, jedec);
	return scatter_ranges_use(job->route.files->fds[WORKER_FILE_SCATTER], request, &watch,
				  &job->staging, job->failure);
}

static int find_size(struct backup_job *job)
{
	_cleanup_free_ struct flash_evidence *evidence = calloc(1, sizeof(*evidence));
	struct staging_state *state = &job->staging.state;
	struct flash_report report;
	struct flash_evidence_query query = {
		.reader = job->session->flash,
		.report = get_report(job->session, &report),
		.end = wanted_end(state),
		.avoid = state->probing,
		.probing = note_probe,
		.userdata = job,
	};
	int r;

	if (!evidence)
		return -ENOMEM;
	/* An earlier attempt may have got as far as to disagree. */
	evidence_clear(&state->evidence);
	tell(job, PHASE_IDENTIFY, 0, 0);
	r = flash_evidence_gather(&query, evidence);
	if (r < 0)
		return explain_gathering(job, r);
	if (query.report)
		r = flash_size_describe_report(query.report, &state->evidence);
	if (r >= 0)
		r = flash_size_describe(&evidence->facts, &evidence->alias, &state->evidence);
	if (r >= 0 && job->read->request.identify_flash)
		r = flash_identity_ask(job->session, &state->evidence, evidence, &job->identity,
				       job->failure);
	if (r >= 0)
		r = use_scatter(job, evidence);
	query.end = wanted_end(state);
	if (r >= 0 && query.end > 0)
		r = evidence_add(&state->evidence, "request", query.end,
				 "everything asked for ends at 0x%" PRIx64, query.end);
	if (r < 0)
		return r;
	if (query.end == 0 && evidence->verdict != FLASH_SIZE_AGREED)
		return refuse_size(job,
				   "give the size of the flash with --length=", evidence->reason);
	r = resolve_ranges(job, evidence);
	if (r < 0)
		return r;
	if (evidence->verdict == FLASH_SIZE_AGREED)
		state->flash_size = evidence->size;
	else if (query.end > 0)
		state->flash_size = evidence->alias.size;
	state->resolved = true;
	r = evidence_add(&state->evidence, "verdict", state->flash_size, "%s", evidence->reason);
	if (r >= 0)
		r = staging_save_state(&job->staging);
	return r < 0 ? staging_explain(r, STAGING_STATE_FILE, job->failure) : 0;
}

/* ---- Reading ---- */

static int keep_error(struct backup_job *job, int r)
{
	if (r < 0)
		job->file_error = r;
	return r;
}

static int on_write(void *userdata, uint64_t offset, const void *data, size_t size)
{
	struct backup_job *job = userdata;

	return keep_error(job, staging_write(&job->staging, job->index, offset, data, size));
}

static int on_load(void *userdata, uint64_t offset, void *data, size_t size)
{
	struct backup_job *job = userdata;
	int fd = job->staging.images[job->index].fd;

	return keep_error(job, fd_pread_all(fd, data, size, offset));
}

static int on_checkpoint(void *userdata)
{
	struct backup_job *job = userdata;

	return keep_error(job, staging_checkpoint(&job->staging, job->index, job->verifying));
}

static void on_progress(void *userdata, uint64_t done, uint64_t rate, double eta)
{
	struct backup_job *job = userdata;

	job->progress.done = done;
	job->progress.rate = rate;
	job->progress.eta = eta;
	link_send_progress(job->link, &job->progress);
}

static const struct readback_target target = {
	.write = on_write,
	.load = on_load,
	.checkpoint = on_checkpoint,
	.progress = on_progress,
};

static int explain_reading(struct backup_job *job, int error)
{
	const struct readback_failure *where = readback_failure(job->readback);

	if (job->file_error < 0)
		return staging_explain(job->file_error, job->staging.state.ranges[job->index].name,
				       job->failure);
	switch (error) {
	case -EIO:
		if (where->error == -EREMOTEIO && session_is_secured(job->session))
			return session_explain(job->session, -EREMOTEIO, "reading the flash",
					       job->failure);
		failure_set(job->failure, FAILURE_READ_FAILED,
			    "is it past the end of the flash? else try another cable, or a reset "
			    "of the watch",
			    "0x%" PRIx64 " cannot be read: %s", where->address, where->words);
		return error;
	case -EILSEQ:
		failure_set(job->failure, FAILURE_VERIFY_MISMATCH,
			    "try another cable or a shorter one; the line or the flash is not "
			    "reliable",
			    "0x%" PRIx64 ": %s", where->address, where->words);
		return error;
	case -EHOSTDOWN:
		failure_set(job->failure, FAILURE_DEVICE_LOST,
			    "unplug the watch and plug it in again; the job goes on where it "
			    "stopped",
			    "the watch stopped answering at 0x%" PRIx64 ": %s", where->address,
			    where->words);
		return error;
	default:
		return session_explain(job->session, error, "reading", job->failure);
	}
}

static int read_ranges(struct backup_job *job)
{
	struct staging *staging = &job->staging;
	int r = 0;

	tell(job, PHASE_READ, staging_done(staging, false), staging_total(staging));
	readback_begin(job->readback, job->progress.total, job->progress.done);
	job->verifying = false;
	for (job->index = 0; r >= 0 && job->index < staging->state.n_ranges; job->index++) {
		r = readback_read(job->readback, staging->state.ranges[job->index].start,
				  staging->images[job->index].done);
		if (r < 0)
			return explain_reading(job, r);
	}
	return 0;
}

static uint64_t sample_total(const struct backup_job *job)
{
	uint64_t total = 0;

	for (size_t i = 0; i < job->staging.state.n_ranges; i++)
		total += readback_sample_bytes(job->readback, job->staging.state.ranges[i].length);
	return total;
}

static int verify_ranges(struct backup_job *job, enum verify_mode mode)
{
	struct staging *staging = &job->staging;
	const uint64_t total = mode == VERIFY_FULL ? staging_total(staging) : sample_total(job);
	const uint64_t done = staging_done(staging, true);

	job->verify = mode;
	job->verified = total;
	tell(job, PHASE_VERIFY, MIN_OF(done, total), total);
	readback_begin(job->readback, total, job->progress.done);
	job->verifying = true;
	for (job->index = 0; job->index < staging->state.n_ranges; job->index++) {
		uint64_t start = staging->state.ranges[job->index].start;
		struct read_map *map = staging->images[job->index].verified;
		int r = mode == VERIFY_FULL ? readback_verify(job->readback, start, map)
					    : readback_sample(job->readback, start, map);

		if (r < 0)
			return explain_reading(job, r);
	}
	return 0;
}

/* A sample that differs shows a line that changes bytes: then everything is read twice. */
static int verify(struct backup_job *job)
{
	enum verify_mode mode = job->read->request.verify;
	int r;

	if (mode == VERIFY_AUTO)
		mode = transport_kind(job->session->transport) == LINE_USB ? VERIFY_FULL
									   : VERIFY_SAMPLE;
	job->verify = mode;
	if (mode == VERIFY_NONE)
		return 0;
	r = verify_ranges(job, mode);
	if (r >= 0 && mode == VERIFY_SAMPLE && readback_mismatches(job->readback) > 0)
		r = verify_ranges(job, VERIFY_FULL);
	return r;
}

/* ---- The papers ---- */

static double seconds_spent(const struct backup_job *job)
{
	return job->earlier_seconds + (double)(time_now() - job->begun) / (double)USEC_PER_SEC;
}

static uint64_t retries_made(const struct backup_job *job)
{
	return job->earlier_retries + (job->readback ? readback_retries(job->readback) : 0);
}

static int publish(struct backup_job *job)
{
	static const char *const modes[] = {
		[VERIFY_NONE] = "none", [VERIFY_SAMPLE] = "sample", [VERIFY_FULL] = "full"
	};
	uint8_t jedec[DA_REPORT_JEDEC];
	_cleanup_(firmware_clear) struct firmware firmware = { 0 };
	struct manifest manifest = { 0 };
	const struct backup_result result = {
		.session = job->session,
		.read = job->read,
		.staging = &job->staging,
		.seconds = seconds_spent(job),
		.retries = retries_made(job),
		.verify_mode = modes[job->verify],
		.verify_bytes = job->verified,
		.firmware = &firmware,
		.jedec = get_jedec(job, jedec),
	};
	struct report_notes notes = {
		.device = job->device,
		.after = flash_route_describe_end(&job->route),
		.mismatches = readback_mismatches(job->readback),
		.firmware = &firmware,
	};
	int r;

	tell(job, PHASE_REBUILD, 0, 0);
	r = staging_seal(&job->staging, job->failure);
	if (r < 0)
		return r;
	/* What the boot ROM makes of the flash's answer is no evidence against a firmware. */
	firmware_make(&job->staging, session_jedec(job->session, jedec) ? jedec : NULL,
		      job->read->request.rebuild, &firmware);
	tell(job, PHASE_PUBLISH, 0, 0);
	r = backup_manifest_fill(&result, &manifest);
	if (r >= 0)
		r = report_write(job->staging.dir, &manifest, &notes, job->failure);
	manifest_clear(&manifest);
	if (r < 0)
		return r;
	r = staging_tidy(&job->staging);
	return r < 0 ? staging_explain(r, "staging directory", job->failure) : 0;
}

/* ---- All of it ---- */

static int run(struct backup_job *job)
{
	int r = 0;

	if (!job->staging.state.resolved)
		r = find_size(job);
	if (r >= 0)
		r = staging_open_images(&job->staging, job->failure);
	if (r >= 0)
		r = readback_new(job->session->flash, &target, job, &job->readback);
	if (r >= 0)
		r = read_ranges(job);
	if (r >= 0)
		r = verify(job);
	return r < 0 ? r : publish(job);
}

/* What an attempt cost is kept for the next one's manifest. */
static void keep_figures(struct backup_job *job, int r)
{
	struct staging_state *state = &job->staging.state;

	state->seconds = seconds_spent(job);
	state->retries = retries_made(job);
	/* Stopped on our own wish, the probe was not what hung the watch. */
	if (r == -ECANCELED)
		state->probing = 0;
	r = staging_save_state(&job->staging);
	if (r < 0 && job->failure->code == FAILURE_NONE)
		(void)staging_explain(r, STAGING_STATE_FILE, job->failure);
}

static void on_uploading(void *userdata, uint64_t done, uint64_t total)
{
	tell(userdata, PHASE_UPLOAD, done, total);
}

int backup_job_run(int link_fd, struct session *session, const char *device,
		   const struct worker_read *read, struct worker_files *files,
		   struct failure *failure)
{
	struct backup_job job = {
		.link = link_fd,
		.session = session,
		.device = device,
		.read = read,
		.begun = time_now(),
		.failure = failure,
		.staging = { .dir = TAKE_FD(files->fds[WORKER_FILE_DIRECTORY]) },
		.route = {
			.session = session,
			.request = &read->request,
			.files = files,
			.uploading = on_uploading,
		},
	};
	int r = check_method(&read->request, files, failure);

	if (r >= 0)
		r = session_check_watch(session, read, failure);
	job.route.staging = &job.staging;
	job.route.userdata = &job;
	if (r >= 0)
		r = staging_open(&job.staging, job.staging.dir, &read->request, session->chip,
				 session_meid(session), failure);
	if (r >= 0)
		r = flash_route_open(&job.route, failure);
	if (r >= 0) {
		job.earlier_seconds = job.staging.state.seconds;
		job.earlier_retries = job.staging.state.retries;
		r = run(&job);
		if (r < 0)
			keep_figures(&job, r);
	}
	if (r >= 0)
		flash_route_leave(&job.route);
	readback_free(job.readback);
	staging_close(&job.staging);
	return r;
}
