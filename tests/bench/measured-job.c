/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/measured-job.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "tests/integration/rig.h"

struct worker_rig *measured_rig_new(const char *size)
{
	_cleanup_free_ char *flash = str_format("--flash=new:%s", size), *dump = NULL;
	struct output output;
	void *state;
	struct worker_rig *rig;

	assert_int_equal(worker_rig_set_up(&state), 0);
	rig = state;
	dump = str_format("--dump=%s", rig->image);
	output = rig_run(NULL, "mtkrb-watch", flash, dump, NULL);
	assert_int_equal(output.status, 0);
	output_clear(&output);
	return rig;
}

void measured_rig_free(struct worker_rig *rig)
{
	void *state = rig;

	(void)worker_rig_tear_down(&state);
}

/* Messages up to the worker's last; when the read phase began and ended. */
static void listen(struct worker_rig *rig, uint64_t *ret_begun, uint64_t *ret_ended)
{
	struct worker_message message;
	bool last = false;

	*ret_begun = *ret_ended = 0;
	while (!last) {
		enum phase phase = PHASE_NONE;

		worker_rig_receive(rig, &message);
		if (message.type == WORKER_PROGRESS)
			phase = message.progress.phase;
		if (phase == PHASE_READ && *ret_begun == 0)
			*ret_begun = time_now();
		if (phase > PHASE_READ && *ret_ended == 0)
			*ret_ended = time_now();
		if (message.type == WORKER_FAILED)
			fail_msg("%s", message.failure.message);
		last = message.type == WORKER_DONE;
		worker_message_clear(&message);
	}
}

/* Waits for the worker's end; the CPU seconds it took. */
static double reap(struct worker_rig *rig)
{
	struct rusage usage;
	int status;

	assert_int_equal(wait4(rig->worker, &status, 0, &usage), rig->worker);
	rig->worker = 0;
	rig->socket = fd_close(rig->socket);
	assert_int_equal(status, 0);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double seconds_between(uint64_t from, uint64_t to)
{
	return (double)(to - from) / (double)USEC_PER_SEC;
}

struct measured_job measured_job_run(struct worker_rig *rig, enum verify_mode verify)
{
	struct worker_message request = { .type = WORKER_READ, .read = worker_rig_new_read() };
	struct measured_job job;
	struct outcome outcome;
	uint64_t started, begun, ended;
	char chip[32];

	worker_rig_empty(rig->staging);
	request.read.request.verify = verify;
	started = time_now();
	if (!worker_rig_identify(rig, chip, &outcome))
		fail_msg("%s", outcome.failure.message);
	worker_rig_send_read(rig, &request.read);
	listen(rig, &begun, &ended);
	job.cpu_seconds = reap(rig);
	job.seconds = seconds_between(started, time_now());
	assert_true(begun > 0 && ended > begun);
	job.read_seconds = seconds_between(begun, ended);
	worker_message_clear(&request);
	return job;
}

double measured_check_run(struct worker_rig *rig)
{
	struct worker_message request = { .type = WORKER_CHECK };
	uint64_t begun, ended;
	int directory = open(rig->staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(directory >= 0);
	worker_rig_start_worker(rig);
	assert_int_equal(worker_message_send(rig->socket, &request, directory), 0);
	fd_close(directory);
	listen(rig, &begun, &ended);
	return reap(rig);
}
