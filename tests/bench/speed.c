/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/bench.h"

#include <stdint.h>

#include "protocol/base/strings.h"
#include "tests/bench/bare-loop.h"
#include "tests/bench/measured-job.h"

#define PAIRS_MAX       9
#define FULL_SPEED      "1216000" /* bytes per second: 19 packets of 64 bytes in a frame of 1 ms */
#define FULL_SPEED_RATE 1216000.0
#define LATENCY_USEC    "1000"
#define LINE_RUNS       3

/* Ratios of each pair. */
struct pairs {
	double read[PAIRS_MAX], whole[PAIRS_MAX], cpu[PAIRS_MAX];
	double read_rate[PAIRS_MAX], bare_rate[PAIRS_MAX], bare_cpu[PAIRS_MAX];
	size_t n;
};

/* Every run has a watch of its own, so that all begin alike. */
static void run_pair(struct worker_rig *rig, uint64_t bytes, struct pairs *pairs)
{
	const double mib = (double)bytes / (1 << 20);
	struct measured_job job;
	struct bare_loop bare;
	double check;
	size_t i = pairs->n++;

	worker_rig_start_watch(rig, NULL);
	bare = bare_loop_run(rig->link, bytes);
	worker_rig_stop_watch(rig);
	worker_rig_start_watch(rig, NULL);
	job = measured_job_run(rig, VERIFY_NONE);
	worker_rig_stop_watch(rig);
	check = measured_check_run(rig);
	pairs->read[i] = bare.read_seconds / job.read_seconds * 100;
	pairs->whole[i] = bare.seconds / job.seconds * 100;
	pairs->cpu[i] = (job.cpu_seconds + check) / bare.cpu_seconds;
	pairs->read_rate[i] = mib / job.read_seconds;
	pairs->bare_rate[i] = mib / bare.read_seconds;
	pairs->bare_cpu[i] = bare.cpu_seconds / mib * 1024;
}

static void report(struct figures *figures, struct pairs *p)
{
	figures_add(figures, (struct figure){ .name = "read-speed",
					      .what = "read phase through a pty, of a bare loop's",
					      .unit = "%",
					      .kind = GOAL_AT_LEAST,
					      .goal = 90,
					      .measured = median(p->read, p->n) });
	figures_add(figures, (struct figure){ .name = "read-rate",
					      .what = "  the read phase",
					      .unit = "MiB/s",
					      .measured = median(p->read_rate, p->n) });
	figures_add(figures, (struct figure){ .name = "bare-rate",
					      .what = "  the bare loop",
					      .unit = "MiB/s",
					      .measured = median(p->bare_rate, p->n) });
	figures_add(figures,
		    (struct figure){ .name = "job-speed",
				     .what = "  whole job, start and digests too, of a bare loop's",
				     .unit = "%",
				     .measured = median(p->whole, p->n) });
	figures_add(figures,
		    (struct figure){ .name = "cpu",
				     .what = "CPU of a job and its check, of a bare loop's",
				     .unit = "times",
				     .kind = GOAL_BELOW,
				     .goal = 3,
				     .measured = median(p->cpu, p->n) });
	figures_add(figures, (struct figure){ .name = "bare-cpu",
					      .what = "  the bare loop",
					      .unit = "s/GiB",
					      .measured = median(p->bare_cpu, p->n) });
}

void bench_speed(struct figures *figures, bool quick)
{
	const char *size = quick ? "32M" : "64M";
	const size_t n = quick ? 5 : PAIRS_MAX;
	struct worker_rig *rig = measured_rig_new(size);
	struct pairs pairs = { 0 };
	uint64_t bytes = 0;

	assert_int_equal(parse_size(size, &bytes), 0);
	while (pairs.n < n)
		run_pair(rig, bytes, &pairs);
	measured_rig_free(rig);
	report(figures, &pairs);
}

void bench_line(struct figures *figures, bool quick)
{
	const char *size = quick ? "2M" : "4M";
	struct worker_rig *rig = measured_rig_new(size);
	double shares[LINE_RUNS];
	uint64_t bytes = 0;

	assert_int_equal(parse_size(size, &bytes), 0);
	for (size_t i = 0; i < LINE_RUNS; i++) {
		struct measured_job job;

		worker_rig_start_watch(rig, "--rate=" FULL_SPEED, "--latency=" LATENCY_USEC, NULL);
		job = measured_job_run(rig, VERIFY_NONE);
		worker_rig_stop_watch(rig);
		shares[i] = (double)bytes / job.read_seconds / FULL_SPEED_RATE * 100;
	}
	measured_rig_free(rig);
	figures_add(figures, (struct figure){ .name = "line-share",
					      .what = "flash bytes of a line at USB full speed",
					      .unit = "%",
					      .kind = GOAL_AT_LEAST,
					      .goal = 97,
					      .measured = median(shares, LINE_RUNS) });
}
