/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The cable comes out in the middle of a read, and back in, or not, or into another watch. */

#include "tests/integration/faults/faults.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define FLASH_BYTES  (1U << 20)
#define BOUNDARY     (64U << 10)
#define OTHER_ME_ID  "000102030405060708090a0b0c0d0e0f"
#define BROM_OVERLAP 1024U
#define DA_OVERLAP   4096U

static const char quiet[] = "[automatic]\nenabled=no\n";

struct cable {
	struct faults *faults;
	struct row *row;
	char image[128];
	char slot[16];
	bool agent;
	const char *verify; /* of the jobs */
	uint64_t again;     /* bytes read again, at most, of one job */
};

static void open_cable(struct cable *cable, struct faults *faults, const char *config, bool agent)
{
	*cable = (struct cable){ .faults = faults, .agent = agent, .verify = "none" };
	faults_open(faults, config);
	rig_start(&faults->rig);
	faults_add_agent(faults);
	rig_make_image(&faults->rig, "image", "1M", cable->image);
}

static int64_t submit(const struct cable *cable)
{
	_cleanup_free_ char *request =
		str_format("{\"method\":\"%s\",\"verify\":\"%s\",\"rebuild\":false}",
			   cable->agent ? "da" : "brom", cable->verify);

	return rig_submit(&cable->faults->rig, request);
}

static void detach(const struct cable *cable, const char *device)
{
	_cleanup_free_ char *parameters = str_format("{\"device\":\"%s\"}", device);

	message_unref(rig_call(&cable->faults->rig, "Detach", parameters, NULL));
}

/* Until the daemon knows that the watch has gone; a job that has nothing of it is any watch's. */
static void wait_until_waits(const struct cable *cable, int64_t id)
{
	for (int i = 0; i < 4000; i++) {
		struct job job = rig_job(&cable->faults->rig, id);
		enum job_state state = job.state;

		job_clear(&job);
		if (state == JOB_WAITING ||
		    (state == JOB_QUEUED && rig_saved(&cable->faults->rig, id) == 0))
			return;
		assert_false(job_state_is_final(state));
		sleep_ms(5);
	}
	fail_msg("job %" PRId64 " does not wait", id);
}

/* Until the watch has gone in the middle and the daemon knows. */
static void wait_until_left(const struct cable *cable, const struct watch *watch, int64_t id)
{
	for (int i = 0; !watch_log_has(watch, "unplug"); i++) {
		assert_true(i < 4000);
		sleep_ms(5);
	}
	wait_until_waits(cable, id);
}

/* A slot that nothing was read in just now: that would wait for its watch to leave. */
static const char *new_slot(struct cable *cable)
{
	(void)snprintf(cable->slot, sizeof(cable->slot), "A%u", cable->faults->number);
	return cable->slot;
}

/* Reads a part of a watch that leaves at offset; what it had told by then. */
static struct reading_run begin(struct cable *cable, int64_t id, uint64_t offset)
{
	_cleanup_free_ char *fault = str_format("unplug@0x%" PRIx64, offset);
	struct reading_run run;
	struct watch watch;

	(void)new_slot(cable);
	faults_plug(cable->faults, &watch, cable->image, fault, NULL);
	rig_attach(&cable->faults->rig, watch.link, cable->slot);
	wait_until_left(cable, &watch, id);
	detach(cable, watch.link);
	run = watch_log_run(watch.log);
	faults_unplug(cable->faults, &watch, cable->agent);
	return run;
}

/*
 * The same watch again, in its slot or elsewhere; the job ends with it, and what had come is not
 * asked for again.
 */
static void finish(struct cable *cable, int64_t id, bool elsewhere, struct reading_run first)
{
	uint64_t come = first.start == 0 ? first.last : 0;
	uint64_t end = first.start == 0 ? first.end : 0, again;
	struct reading_run second;
	struct watch watch;
	struct job job;

	if (elsewhere)
		(void)new_slot(cable);
	faults_plug(cable->faults, &watch, cable->image, NULL, NULL);
	rig_attach(&cable->faults->rig, watch.link, cable->slot);
	job = rig_wait(&cable->faults->rig, id, JOB_DONE, 30);
	job_clear(&job);
	second = watch_log_run(watch.log);
	assert_true(second.start <= end);
	again = come - MIN_OF(come, second.start);
	if (again > (cable->agent ? DA_OVERLAP : BROM_OVERLAP))
		fail_msg("%" PRIu64 " bytes read again", again);
	cable->again = MAX_OF(cable->again, again);
	cable->row->tried++;
	cable->row->lost += faults_lost(&cable->faults->rig, id, cable->image);
	detach(cable, watch.link);
	faults_unplug(cable->faults, &watch, cable->agent);
}

static void unplug_and_replug(struct cable *cable, uint64_t offset, bool elsewhere)
{
	int64_t id = submit(cable);
	struct reading_run first = begin(cable, id, offset);

	finish(cable, id, elsewhere, first);
}

/* Each part of the table begins and ends with these. */
static void begin_row(struct cable *cable, const char *what)
{
	cable->again = 0;
	cable->row = table_add(&cable->faults->table, "cable, %s: %s",
			       cable->agent ? "agent" : "boot ROM", what);
}

static void end_row(struct cable *cable)
{
	row_end(cable->row, "resumed, identical; at most %" PRIu64 " bytes read again",
		cable->again);
}

static void at_boundaries(struct cable *cable, uint64_t step)
{
	begin_row(cable, "unplugged at boundaries");
	for (uint64_t at = 0; at < FLASH_BYTES; at += step)
		unplug_and_replug(cable, at, at / step % 2 == 1);
	end_row(cable);
}

static void at_random(struct cable *cable, unsigned int times)
{
	begin_row(cable, "unplugged at random");
	for (unsigned int i = 0; i < times; i++)
		unplug_and_replug(cable, faults_random(cable->faults, FLASH_BYTES), i % 2 == 1);
	end_row(cable);
}

/* Reads a watch until it is being read again to compare, and takes it away. */
static struct reading_run begin_verifying(struct cable *cable, int64_t id)
{
	const char *slot = new_slot(cable);
	_cleanup_free_ char *name = str_format("verify%u", cable->faults->number++);
	struct reading_run run;
	bool verifies = false;
	struct watch watch;

	watch_plug(&cable->faults->rig, &watch, name, "--flash", cable->image, "--rate", "1000000",
		   NULL);
	rig_attach(&cable->faults->rig, watch.link, slot);
	for (int i = 0; !verifies; i++) {
		struct job job = rig_job(&cable->faults->rig, id);

		assert_true(i < 4000);
		assert_false(job_state_is_final(job.state));
		verifies = job.progress.phase == PHASE_VERIFY && job.progress.done >= BOUNDARY;
		job_clear(&job);
		sleep_ms(5);
	}
	watch_unplug(&watch);
	wait_until_waits(cable, id);
	detach(cable, watch.link);
	run = watch_log_run(watch.log);
	faults_unplug(cable->faults, &watch, cable->agent);
	return run;
}

/* Neither the reading nor the comparing begins anew. */
static void while_verifying(struct cable *cable, unsigned int times)
{
	begin_row(cable, "unplugged while it verifies");
	cable->verify = "full";
	for (unsigned int i = 0; i < times; i++) {
		int64_t id = submit(cable);
		struct reading_run first = begin_verifying(cable, id);

		assert_in_range(first.last, BOUNDARY, FLASH_BYTES);
		finish(cable, id, i % 2 == 1, first);
	}
	cable->verify = "none";
	end_row(cable);
}

/* The watch comes back by itself, to the port it had; nobody attaches anything. */
static void come_back(struct cable *cable, unsigned int times)
{
	begin_row(cable, "back on its port by itself");
	for (unsigned int i = 0; i < times; i++) {
		uint64_t at = BROM_OVERLAP + faults_random(cable->faults, FLASH_BYTES - DA_OVERLAP);
		_cleanup_free_ char *fault = str_format("unplug@0x%" PRIx64, at);
		_cleanup_free_ char *name = str_format("back%u", i);
		int64_t id = submit(cable);
		struct watch watch;
		struct job job;

		watch_plug(&cable->faults->rig, &watch, name, "--flash", cable->image, "--fault",
			   fault, "--replug", "50", NULL);
		rig_attach(&cable->faults->rig, watch.link, new_slot(cable));
		job = rig_wait(&cable->faults->rig, id, JOB_DONE, 30);
		job_clear(&job);
		assert_true(watch_log_has(&watch, "unplug"));
		cable->row->tried++;
		cable->row->lost += faults_lost(&cable->faults->rig, id, cable->image);
		detach(cable, watch.link);
		faults_unplug(cable->faults, &watch, cable->agent);
	}
	row_end(cable->row, "resumed, identical");
}

void test_cable(void **state)
{
	struct cable cable;

	open_cable(&cable, *state, quiet, false);
	at_boundaries(&cable, BOUNDARY);
	at_random(&cable, 24);
	while_verifying(&cable, 3);
	come_back(&cable, 3);
}

void test_cable_agent(void **state)
{
	struct cable cable;

	open_cable(&cable, *state, quiet, true);
	at_boundaries(&cable, BOUNDARY);
	at_random(&cable, 12);
	while_verifying(&cable, 2);
	come_back(&cable, 2);
}

/* Too late: the job fails by name; a retry with the watch goes on with what was read. */
static void after_deadline(struct faults *faults, bool agent)
{
	struct cable cable;

	open_cable(&cable, faults, "[automatic]\nenabled=no\n[read]\nresume-timeout=300ms\n",
		   agent);
	begin_row(&cable, "back after the deadline");
	for (unsigned int i = 0; i < 6; i++) {
		uint64_t at = BOUNDARY + faults_random(cable.faults, FLASH_BYTES - BOUNDARY);
		_cleanup_free_ char *retry = NULL;
		int64_t id = submit(&cable);
		struct reading_run first = begin(&cable, id, at);
		struct job job = rig_wait(&cable.faults->rig, id, JOB_FAILED, 10);

		assert_int_equal(job.failure.code, FAILURE_DEVICE_LOST);
		assert_non_null(job.failure.hint);
		job_clear(&job);
		retry = str_format("{\"id\":%" PRId64 "}", id);
		message_unref(rig_call(&cable.faults->rig, "Retry", retry, NULL));
		finish(&cable, id, i % 2 == 0, first);
	}
	row_end(cable.row, "device-lost; retry: identical, at most %" PRIu64 " bytes again",
		cable.again);
}

void test_cable_deadline(void **state)
{
	after_deadline(*state, false);
}

void test_cable_deadline_agent(void **state)
{
	after_deadline(*state, true);
}

/* All bytes differ from those of the image. */
static void make_opposite(const char *image, const char *path)
{
	_cleanup_free_ char *data = NULL;
	size_t size;

	assert_int_equal(fd_read_file(-1, image, FLASH_BYTES, &data, &size), 0);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)~data[i];
	assert_int_equal(fd_replace_file(-1, path, data, size, 0600), 0);
}

/* Another watch, in the very slot: not a byte of it gets into the backup. */
static void other_watch(struct faults *faults, bool agent)
{
	char other[160];
	struct cable cable;

	open_cable(&cable, faults, quiet, agent);
	(void)snprintf(other, sizeof(other), "%s/other", cable.faults->rig.directory);
	make_opposite(cable.image, other);
	begin_row(&cable, "another watch instead");
	for (unsigned int i = 0; i < 6; i++) {
		/* Behind all places that are looked at before the read begins. */
		uint64_t at = 12 * BOUNDARY + faults_random(cable.faults, 4 * BOUNDARY);
		int64_t id = submit(&cable);
		struct reading_run first = begin(&cable, id, at);
		struct watch watch;
		struct job job;

		faults_plug(cable.faults, &watch, other, NULL, OTHER_ME_ID);
		rig_attach(&cable.faults->rig, watch.link, i % 2 ? new_slot(&cable) : cable.slot);
		sleep_ms(400);
		job = rig_job(&cable.faults->rig, id);
		assert_string_equal(job_state_to_string(job.state), "waiting");
		/* It was asked who it is, and only that. */
		assert_true(watch_log_has(&watch, "get-me-id"));
		job_clear(&job);
		detach(&cable, watch.link);
		faults_unplug(cable.faults, &watch, false);
		finish(&cable, id, i % 2, first);
	}
	row_end(cable.row, "waits for its own watch, identical with it");
}

void test_cable_other_watch(void **state)
{
	other_watch(*state, false);
}

void test_cable_other_watch_agent(void **state)
{
	other_watch(*state, true);
}
