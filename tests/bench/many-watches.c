/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A hub full of watches, each on a line as fast as USB full speed, read all at once: by as many bare
 * loops, and by the daemon. While the daemon is at it somebody keeps asking it for its state.
 */

#include "tests/bench/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/varlink.h"
#include "tests/bench/asker.h"
#include "tests/bench/bare-loop.h"
#include "tests/integration/rig.h"
#include "tests/integration/witness.h"

#define WATCHES         64U
#define FULL_SPEED      "1216000" /* bytes per second: 19 packets of 64 bytes in a frame of 1 ms */
#define FULL_SPEED_RATE 1216000.0
#define LATENCY_USEC    "1000"
#define DAEMON_NICE     -5
#define REQUEST         "{\"count\":64,\"verify\":\"none\"}"

struct hub {
	struct rig rig;
	char image[128];
	uint64_t bytes; /* of one watch */
	struct watch watches[WATCHES];
};

/* Bytes per second of all together. */
struct rates {
	double bare;
	double read;  /* of the jobs, from submit to the last byte that came */
	double whole; /* of the jobs, from submit to the last backup that was published */
};

static void plug_all(struct hub *hub)
{
	for (unsigned int i = 0; i < WATCHES; i++) {
		_cleanup_free_ char *name = str_format("watch%02u", i);
		_cleanup_free_ char *meid = str_format("--meid=4D544B52425741544348%012X", i + 1);

		watch_plug(&hub->rig, &hub->watches[i], name, "--flash", hub->image, meid,
			   "--rate=" FULL_SPEED, "--latency=" LATENCY_USEC, NULL);
	}
}

static void unplug_all(struct hub *hub)
{
	for (unsigned int i = 0; i < WATCHES; i++)
		watch_unplug(&hub->watches[i]);
}

static double rate_of(const struct hub *hub, uint64_t begun, uint64_t ended)
{
	return (double)hub->bytes * WATCHES * (double)USEC_PER_SEC / (double)(ended - begun);
}

/* A process for each watch, as the daemon has it. */
static double run_bare_loops(struct hub *hub)
{
	pid_t readers[WATCHES];
	uint64_t begun, ended;

	plug_all(hub);
	begun = time_now();
	for (unsigned int i = 0; i < WATCHES; i++) {
		readers[i] = fork();
		assert_true(readers[i] >= 0);
		if (readers[i] == 0) {
			(void)bare_loop_run(hub->watches[i].link, hub->bytes);
			_exit(0);
		}
	}
	for (unsigned int i = 0; i < WATCHES; i++) {
		int status;

		assert_int_equal(waitpid(readers[i], &status, 0), readers[i]);
		assert_int_equal(status, 0);
	}
	ended = time_now();
	unplug_all(hub);
	return rate_of(hub, begun, ended);
}

/* "1,2,3": the jobs of one submit have ids that follow each other. */
static char *join_ids(int64_t first)
{
	char *text = str_format("%" PRId64, first);

	for (int64_t id = first + 1; id < first + WATCHES; id++) {
		_cleanup_free_ char *shorter = text;

		text = str_format("%s,%" PRId64, shorter, id);
		assert_non_null(text);
	}
	return text;
}

/* True when its last byte has come; a job that does not go well at once ends the program. */
static bool is_read(const struct job *job)
{
	if (job->state == JOB_FAILED || job->state == JOB_WAITING || job->attempts > 1)
		fail_msg("job %" PRId64 ": %s", job->id, job->failure.message ?: "tried twice");
	return job->state == JOB_DONE || job->progress.phase > PHASE_READ;
}

/* Marks what the answer tells; the number of jobs that were read so far. */
static size_t note_answer(const struct varlink_reply *reply, int64_t first, bool read[WATCHES])
{
	struct problem problem;
	struct job job;
	size_t n = 0;

	assert_int_equal(job_from_json(message_member(reply->parameters, "job"), &job, &problem),
			 0);
	assert_true(job.id >= first && job.id < first + WATCHES);
	read[job.id - first] |= is_read(&job);
	job_clear(&job);
	for (unsigned int i = 0; i < WATCHES; i++)
		n += read[i];
	return n;
}

/* Follows the jobs to their ends; when all of them were read. */
static uint64_t follow_jobs(const struct hub *hub, int64_t first)
{
	struct frame *frame = asker_connect(hub->rig.socket);
	_cleanup_free_ char *ids = join_ids(first);
	_cleanup_free_ char *call = str_format("{\"method\":\"io.mtkrbd.Control.Follow\","
					       "\"more\":true,\"parameters\":{\"ids\":[%s]}}",
					       ids);
	bool read[WATCHES] = { false }, more = true;
	uint64_t all_read = 0;

	asker_send(frame, call);
	while (more) {
		struct varlink_reply reply;

		asker_next(frame, &reply);
		if (note_answer(&reply, first, read) == WATCHES && all_read == 0)
			all_read = time_now();
		more = reply.continues;
		varlink_reply_clear(&reply);
	}
	frame_free(frame);
	assert_true(all_read > 0);
	return all_read;
}

/* All watches are there before the first job is, so that all lines are busy from the start. */
static struct witness_report run_jobs(struct hub *hub, struct rates *rates)
{
	struct witness_report report;
	struct witness witness;
	uint64_t begun, all_read;

	plug_all(hub);
	rig_start(&hub->rig);
	/* As the unit has it. */
	(void)setpriority(PRIO_PROCESS, (id_t)hub->rig.daemon, DAEMON_NICE);
	for (unsigned int i = 0; i < WATCHES; i++) {
		_cleanup_free_ char *slot = str_format("slot%02u", i);

		rig_attach(&hub->rig, hub->watches[i].link, slot);
	}
	witness_start(&witness, hub->rig.socket);
	begun = time_now();
	all_read = follow_jobs(hub, rig_submit(&hub->rig, REQUEST));
	rates->read = rate_of(hub, begun, all_read);
	rates->whole = rate_of(hub, begun, time_now());
	report = witness_end(&witness);
	unplug_all(hub);
	return report;
}

static void report(struct figures *figures, const struct rates *rates,
		   const struct witness_report *answers)
{
	const double offered = FULL_SPEED_RATE * WATCHES;

	figures_add(
		figures,
		(struct figure){ .name = "many-speed",
				 .what = "64 watches read at once, of their lines or bare loops",
				 .unit = "%",
				 .kind = GOAL_AT_LEAST,
				 .goal = 90,
				 .measured = rates->read / MIN_OF(rates->bare, offered) * 100 });
	figures_add(figures, (struct figure){ .name = "many-rate",
					      .what = "  64 jobs, until all is read",
					      .unit = "MB/s",
					      .measured = rates->read / 1e6 });
	figures_add(figures, (struct figure){ .name = "many-whole-rate",
					      .what = "  64 jobs, until all backups are there",
					      .unit = "MB/s",
					      .measured = rates->whole / 1e6 });
	figures_add(figures, (struct figure){ .name = "many-bare-rate",
					      .what = "  64 bare loops",
					      .unit = "MB/s",
					      .measured = rates->bare / 1e6 });
	figures_add(figures, (struct figure){ .name = "many-wait-99",
					      .what = "the daemon's answer meanwhile, 99 of 100",
					      .unit = "ms",
					      .kind = GOAL_BELOW,
					      .goal = 20,
					      .measured = answers->p99 });
	figures_add(figures, (struct figure){ .name = "many-wait",
					      .what = "  median",
					      .unit = "ms",
					      .measured = answers->median });
}

void bench_many_watches(struct figures *figures, bool quick)
{
	const char *size = quick ? "1M" : "16M";
	struct witness_report answers;
	struct rates rates;
	struct hub hub;

	rig_set_up(&hub.rig, NULL);
	rig_make_image(&hub.rig, "image", size, hub.image);
	assert_int_equal(parse_size(size, &hub.bytes), 0);
	rates.bare = run_bare_loops(&hub);
	answers = run_jobs(&hub, &rates);
	rig_tear_down(&hub.rig);
	report(figures, &rates, &answers);
}
