/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/backup-job.h"

#include <errno.h>
#include <sys/resource.h>

#include "daemon/worker/backup-manifest.h"
#include "daemon/worker/flash-route.h"
#include "daemon/worker/flash-search.h"
#include "daemon/worker/image-read.h"
#include "daemon/worker/link.h"
#include "daemon/worker/report.h"
#include "daemon/worker/sandbox.h"
#include "daemon/worker/staging.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

struct backup_job {
	int link;
	struct session *session;
	struct flash_route route;
	const char *device;
	const struct worker_read *read;
	struct staging staging;
	struct image_read reading;
	uint64_t begun;
	uint64_t earlier_retries;
	double earlier_seconds;
	struct failure *failure;
};

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

/* ---- The papers ---- */

static double seconds_spent(const struct backup_job *job)
{
	return job->earlier_seconds + (double)(time_now() - job->begun) / (double)USEC_PER_SEC;
}

static uint64_t retries_made(const struct backup_job *job)
{
	return job->earlier_retries + image_read_retries(&job->reading);
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
		.verify_mode = modes[job->reading.verify],
		.verify_bytes = job->reading.verified,
		.firmware = &firmware,
		.jedec = flash_search_jedec(&job->staging.state, job->session, jedec),
	};
	struct report_notes notes = {
		.device = job->device,
		.after = flash_route_describe_end(&job->route),
		.mismatches = image_read_mismatches(&job->reading),
		.firmware = &firmware,
	};
	int r;

	/* Nobody waits at this line any more; others still read, and a late read costs them more. */
	(void)setpriority(PRIO_PROCESS, 0, SANDBOX_NICE);
	link_send_phase(job->link, PHASE_REBUILD, 0, 0);
	r = staging_seal(&job->staging, job->failure);
	if (r < 0)
		return r;
	/* What the boot ROM makes of the flash's answer is no evidence against a firmware. */
	firmware_make(&job->staging, session_jedec(job->session, jedec) ? jedec : NULL,
		      job->read->request.rebuild, &firmware);
	link_send_phase(job->link, PHASE_PUBLISH, 0, 0);
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

static int find_size(struct backup_job *job)
{
	struct flash_search search = {
		.session = job->session,
		.request = &job->read->request,
		.scatter = job->route.files->fds[WORKER_FILE_SCATTER],
		.staging = &job->staging,
		.failure = job->failure,
	};

	if (job->staging.state.resolved)
		return 0;
	link_send_phase(job->link, PHASE_IDENTIFY, 0, 0);
	return flash_search_run(&search);
}

static int run(struct backup_job *job)
{
	int r = find_size(job);

	if (r >= 0)
		r = staging_open_images(&job->staging, job->failure);
	if (r >= 0)
		r = image_read_run(&job->reading, job->read->request.verify);
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
	const struct backup_job *job = userdata;

	link_send_phase(job->link, PHASE_UPLOAD, done, total);
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
		.reading = { .link = link_fd, .session = session, .failure = failure },
	};
	int r = check_method(&read->request, files, failure);

	if (r >= 0)
		r = session_check_watch(session, read, failure);
	job.route.staging = job.reading.staging = &job.staging;
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
	image_read_clear(&job.reading);
	staging_close(&job.staging);
	return r;
}
