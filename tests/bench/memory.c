/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/bench.h"

#include "protocol/base/strings.h"
#include "tests/bench/process.h"
#include "tests/integration/rig.h"

#define CHILDREN_MAX  8
#define JOB_SECONDS   120
#define LOOKS_PER_JOB 20 /* looks at the memory before the daemon is asked for the job's state */

struct peaks {
	double daemon, worker; /* MiB; the worker's without the image that it maps, as page cache */
	double worker_private; /* MiB that no file stands behind: without libraries and the image */
};

static void look_at(pid_t pid, const char *field, double *peak)
{
	uint64_t kib;

	/* A process that just ended has nothing to tell any more. */
	if (process_status(pid, field, &kib) >= 0)
		*peak = MAX_OF(*peak, (double)kib / 1024);
}

/* What is resident now, without the pages of the image, which the kernel takes back at will. */
static void look_at_worker(pid_t pid, double *peak)
{
	uint64_t kib;

	if (process_resident(pid, "/staging/", &kib) >= 0)
		*peak = MAX_OF(*peak, (double)kib / 1024);
}

/* A child is only a worker once it runs the worker's program: before, the memory is the daemon's. */
static void look(const struct rig *rig, struct peaks *peaks)
{
	pid_t children[CHILDREN_MAX];
	size_t n = process_children(rig->daemon, children, CHILDREN_MAX);

	look_at(rig->daemon, "VmHWM", &peaks->daemon);
	for (size_t i = 0; i < n; i++) {
		if (!process_runs(children[i], "mtkrbd-worker"))
			continue;
		look_at_worker(children[i], &peaks->worker);
		look_at(children[i], "RssAnon", &peaks->worker_private);
	}
}

static void watch_job(const struct rig *rig, int64_t id, struct peaks *peaks)
{
	enum job_state state;
	struct job job;

	do {
		for (int i = 0; i < LOOKS_PER_JOB; i++) {
			look(rig, peaks);
			sleep_ms(1);
		}
		job = rig_job(rig, id);
		state = job.state;
		job_clear(&job);
	} while (!job_state_is_final(state));
	/* Says what went wrong when it did not go well. */
	job = rig_wait(rig, id, JOB_DONE, JOB_SECONDS);
	job_clear(&job);
}

/* A whole job, everything read twice, digested and checked. */
static struct peaks measure(const char *size)
{
	struct peaks peaks = { 0 };
	struct watch watch;
	struct rig rig;
	char image[128];

	rig_set_up(&rig, NULL);
	rig_make_image(&rig, "image", size, image);
	rig_start(&rig);
	watch_plug(&rig, &watch, "watch", "--flash", image, NULL);
	rig_attach(&rig, watch.link, "bench");
	watch_job(&rig, rig_submit(&rig, "{}"), &peaks);
	watch_unplug(&watch);
	rig_tear_down(&rig);
	assert_true(peaks.daemon > 0 && peaks.worker > 0);
	return peaks;
}

static void report(struct figures *figures, const struct peaks *small, const struct peaks *large)
{
	figures_add(figures, (struct figure){ .name = "daemon-memory",
					      .what = "resident memory of the daemon at most",
					      .unit = "MiB",
					      .kind = GOAL_AT_MOST,
					      .goal = 12,
					      .measured = MAX_OF(small->daemon, large->daemon) });
	figures_add(figures,
		    (struct figure){
			    .name = "worker-memory",
			    .what = "resident memory of a worker at most, its mapped image aside",
			    .unit = "MiB",
			    .kind = GOAL_AT_MOST,
			    .goal = 6,
			    .measured = MAX_OF(small->worker, large->worker) });
	figures_add(figures, (struct figure){ .name = "worker-private-memory",
					      .what = "  of it without files (libraries)",
					      .unit = "MiB",
					      .measured = MAX_OF(small->worker_private,
								 large->worker_private) });
	figures_add(figures,
		    (struct figure){ .name = "memory-growth",
				     .what = "memory with the largest flash, of that with 4 MiB",
				     .unit = "times",
				     .kind = GOAL_AT_MOST,
				     .goal = 1.1,
				     .measured = MAX_OF(large->daemon / small->daemon,
							large->worker / small->worker) });
}

void bench_memory(struct figures *figures, bool quick)
{
	struct peaks small = measure("4M"), large = measure("16M");

	if (!quick) {
		struct peaks largest = measure("64M");

		large.daemon = MAX_OF(large.daemon, largest.daemon);
		large.worker = MAX_OF(large.worker, largest.worker);
		large.worker_private = MAX_OF(large.worker_private, largest.worker_private);
	}
	report(figures, &small, &large);
}
