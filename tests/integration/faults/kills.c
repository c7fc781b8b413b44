/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* kill -9 at random moments of everything the daemon does, again and again. */

#include "tests/integration/faults/model.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define ROUNDS       52U /* of each of the six kinds: more than 300 */
#define ROUNDS_QUICK 10U
#define MSEC         1000U
#define OVERLAP      1024U /* of a read that goes on: compared with what is there */

struct kills {
	struct faults *faults;
	struct model *model;
	char image[128];
	pid_t killer;
	int64_t reading; /* the job of the slot with a watch; 0: none yet */
	struct watch watch;
};

/* ---- the end of a daemon ---- */

/* Kills the daemon at a random moment of the next so many microseconds. */
static void arm(struct kills *kills, unsigned int within)
{
	uint64_t after = faults_random(kills->faults, within);

	kills->killer = fork();
	assert_true(kills->killer >= 0);
	if (kills->killer > 0)
		return;
	(void)usleep((useconds_t)after);
	(void)kill(kills->faults->rig.daemon, SIGKILL);
	_exit(0);
}

static void wait_for_end(struct kills *kills)
{
	int status;

	assert_int_equal(waitpid(kills->killer, &status, 0), kills->killer);
	assert_int_equal(waitpid(kills->faults->rig.daemon, &status, 0), kills->faults->rig.daemon);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	kills->faults->rig.daemon = 0;
}

/*
 * A worker that was just being started when its daemon was killed holds the old socket for a moment:
 * there one is let in, and gets no answer.
 */
static void wait_for_answer(const struct kills *kills)
{
	for (int i = 0; i < 500; i++) {
		struct json_object *answer = faults_call(&kills->faults->rig, "GetStatus", "{}");
		bool answered = faults_ok(answer);

		message_unref(answer);
		if (answered)
			return;
		sleep_ms(10);
	}
	fail_msg("the daemon does not answer");
}

static void start_again(struct kills *kills)
{
	if (kills->watch.pid > 0)
		faults_unplug(kills->faults, &kills->watch, false);
	rig_start(&kills->faults->rig);
	wait_for_answer(kills);
	model_check(kills->model);
}

/* ---- what is going on meanwhile ---- */

/* A Submit; the id, 0 when the daemon went before it answered. */
static int64_t submit(struct kills *kills, const char *slot)
{
	_cleanup_free_ char *parameters =
		str_format("{\"request\":{\"slot\":\"%s\",\"verify\":\"none\"}}", slot);
	_cleanup_message_ struct json_object *answer =
		faults_call(&kills->faults->rig, "Submit", parameters);
	struct json_object *jobs;
	int64_t id = 0;

	if (!answer)
		return 0;
	assert_true(faults_ok(answer));
	jobs = message_member(message_member(answer, "parameters"), "jobs");
	assert_int_equal(message_int(message_at(jobs, 0), &id), 0);
	model_add(kills->model, id);
	return id;
}

/* Cancel or Retry; false when the daemon went before it answered. */
static bool change(struct kills *kills, const char *method, struct model_job *job, enum claim claim)
{
	_cleanup_free_ char *parameters = str_format("{\"id\":%" PRId64 "}", job->id);
	struct json_object *answer;
	bool answered;

	job->claim = CLAIM_NOTHING;
	answer = faults_call(&kills->faults->rig, method, parameters);
	answered = answer;
	if (faults_ok(answer))
		job->claim = claim;
	message_unref(answer);
	return answered;
}

static bool is_over(const struct model_job *job)
{
	return job_state_is_final(job->state);
}

static void plug(struct kills *kills, const char *rate)
{
	_cleanup_free_ char *name = str_format("kill%u", kills->faults->number++);
	_cleanup_free_ char *attach = NULL;

	watch_plug(&kills->faults->rig, &kills->watch, name, "--flash", kills->image, "--rate",
		   rate, NULL);
	attach = str_format("{\"device\":\"%s\",\"slot\":\"K1\"}", kills->watch.link);
	message_unref(faults_call(&kills->faults->rig, "Attach", attach));
}

/* There is a job for the slot with a watch. */
static void want_reading(struct kills *kills)
{
	for (size_t i = 0; i < kills->model->n_jobs; i++)
		if (kills->model->jobs[i].id == kills->reading && !is_over(&kills->model->jobs[i]))
			return;
	kills->reading = submit(kills, "K1");
	model_add(kills->model, kills->reading)->reads = true;
}

/* ---- the rounds ---- */

static void round_submit(struct kills *kills)
{
	arm(kills, 12 * MSEC);
	while (submit(kills, "none") > 0)
		;
}

static void fill_queue(struct kills *kills, unsigned int wanted, bool over)
{
	unsigned int n = 0;

	for (size_t i = 0; i < kills->model->n_jobs; i++)
		n += kills->model->jobs[i].state == (over ? JOB_CANCELLED : JOB_QUEUED);
	for (; n < wanted; n++) {
		int64_t id = submit(kills, "none");

		assert_true(id > 0);
		if (over)
			assert_true(change(kills, "Cancel", model_add(kills->model, id),
					   CLAIM_CANCELLED));
	}
}

/* Every second time a watch is being read, and its job is the first to be cancelled. */
static void round_cancel(struct kills *kills)
{
	struct model *model = kills->model;
	bool reads = faults_random(kills->faults, 2);

	fill_queue(kills, 12, false);
	if (reads) {
		want_reading(kills);
		plug(kills, "8000000");
		sleep_ms((unsigned int)faults_random(kills->faults, 100));
	}
	arm(kills, 12 * MSEC);
	if (reads && !change(kills, "Cancel", model_add(model, kills->reading), CLAIM_NOTHING))
		return;
	for (size_t i = model->n_jobs; i > 0; i--)
		if (!is_over(&model->jobs[i - 1]) &&
		    !change(kills, "Cancel", &model->jobs[i - 1], CLAIM_CANCELLED))
			return;
}

static void round_retry(struct kills *kills)
{
	struct model *model = kills->model;

	fill_queue(kills, 12, true);
	arm(kills, 12 * MSEC);
	for (size_t i = model->n_jobs; i > 0; i--) {
		struct model_job *job = &model->jobs[i - 1];
		bool cancelled = job->state == JOB_CANCELLED || job->claim == CLAIM_CANCELLED;

		/* One job at a time is for the watch. */
		if (job->reads && job->id != kills->reading)
			continue;
		if (cancelled && !change(kills, "Retry", job, CLAIM_RETRIED))
			return;
	}
}

static void round_read(struct kills *kills)
{
	want_reading(kills);
	plug(kills, "8000000");
	arm(kills, 220 * MSEC);
}

/* Waits until the job has been read as far as that, then ends the daemon soon. */
static void round_publish(struct kills *kills)
{
	uint64_t end = time_now() + 20 * USEC_PER_SEC;

	want_reading(kills);
	plug(kills, "0");
	for (;;) {
		struct job job = rig_job(&kills->faults->rig, kills->reading);
		enum phase phase = job.progress.phase;
		bool over = job_state_is_final(job.state);

		job_clear(&job);
		if (phase >= PHASE_REBUILD || over)
			break;
		assert_true(time_now() < end);
		(void)usleep(200);
	}
	arm(kills, 15 * MSEC);
}

static void make_backups(struct kills *kills, unsigned int n)
{
	while (n-- > 0) {
		struct job job;

		want_reading(kills);
		plug(kills, "0");
		job = rig_wait(&kills->faults->rig, kills->reading, JOB_DONE, 30);
		job_clear(&job);
		assert_int_equal(rig_stop(&kills->faults->rig, SIGTERM), 0);
		start_again(kills);
	}
}

static bool remove_backup(struct kills *kills, struct model_backup *backup)
{
	_cleanup_free_ char *parameters = str_format("{\"id\":\"%s\"}", backup->id);
	struct json_object *answer = faults_call(&kills->faults->rig, "RemoveBackup", parameters);
	bool answered = answer;

	assert_true(!answered || faults_ok(answer));
	backup->removed = answered;
	message_unref(answer);
	return answered;
}

static void round_remove(struct kills *kills)
{
	struct model *model = kills->model;
	unsigned int there = 0;

	for (size_t i = 0; i < model->n_backups; i++)
		there += model->backups[i].there;
	make_backups(kills, 2 - MIN_OF(there, 2));
	arm(kills, 6 * MSEC);
	for (size_t i = 0; i < model->n_backups; i++)
		if (model->backups[i].there && !remove_backup(kills, &model->backups[i]))
			return;
}

static void run_rounds(struct kills *kills, unsigned int rounds)
{
	static const struct {
		const char *name;
		void (*run)(struct kills *kills);
	} kinds[] = {
		{ "submit", round_submit }, { "read", round_read },   { "publish", round_publish },
		{ "cancel", round_cancel }, { "retry", round_retry }, { "remove", round_remove },
	};
	struct row *rows[ARRAY_SIZE(kinds)];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		rows[i] = table_add(&kills->faults->table, "daemon, kill -9: %s", kinds[i].name);
	for (unsigned int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			kinds[i].run(kills);
			wait_for_end(kills);
			start_again(kills);
			rows[i]->tried++;
			rows[i]->lost += kills->model->lost;
			kills->model->lost = 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		row_end(rows[i], "whole after each restart");
}

/* Until more of the read is saved than before, but not all; false when it is done. */
static bool wait_for_saved(const struct kills *kills, uint64_t before)
{
	for (int i = 0; i < 4000; i++) {
		struct job job = rig_job(&kills->faults->rig, kills->reading);
		uint64_t saved = rig_saved(&kills->faults->rig, kills->reading);
		bool over = job_state_is_final(job.state);

		job_clear(&job);
		if (over || (saved > before && saved < file_size(kills->image)))
			return !over;
		sleep_ms(5);
	}
	fail_msg("nothing of a read is saved");
	return false;
}

/* One slow read, killed whenever more of it has been saved: each time it goes on from there. */
static void kill_one_read(struct kills *kills)
{
	struct row *row =
		table_add(&kills->faults->table, "daemon, kill -9: one read at each save");
	struct rig *rig = &kills->faults->rig;
	uint64_t saved = 0;

	make_backups(kills, 1);
	want_reading(kills);
	do {
		struct reading_run run;

		plug(kills, "200000");
		if (wait_for_saved(kills, saved)) {
			assert_int_equal(rig_stop(rig, SIGKILL), 128 + SIGKILL);
			row->tried++;
		} else {
			assert_int_equal(rig_stop(rig, SIGTERM), 0);
		}
		run = watch_log_run(kills->watch.log);
		assert_in_range(run.start, saved - MIN_OF(saved, OVERLAP), saved);
		saved = rig_saved(rig, kills->reading);
		start_again(kills);
	} while (!is_over(model_add(kills->model, kills->reading)));
	row->lost = kills->model->lost;
	kills->model->lost = 0;
	row_end(row, "goes on from what was saved, identical");
}

/* What was under way to the end is done at last. */
static void finish(struct kills *kills)
{
	make_backups(kills, 1);
	assert_int_equal(rig_stop(&kills->faults->rig, SIGTERM), 0);
	start_again(kills);
}

void test_kills(void **state)
{
	static struct model model;
	struct kills kills = { .faults = *state, .model = &model };
	struct row *row;

	faults_open(kills.faults, NULL);
	rig_start(&kills.faults->rig);
	rig_make_image(&kills.faults->rig, "image", "1M", kills.image);
	model = (struct model){ .rig = &kills.faults->rig, .image = kills.image };
	run_rounds(&kills, kills.faults->quick ? ROUNDS_QUICK : ROUNDS);
	kill_one_read(&kills);
	row = table_add(&kills.faults->table, "daemon: jobs acknowledged in all that");
	finish(&kills);
	row->tried = (unsigned int)model.n_jobs;
	row->lost = model.lost;
	row_end(row, "all there, %zu backups made", model.n_backups);
}
