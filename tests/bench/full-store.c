/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A store with the finished jobs of a shop's years: how long a start and a list take. */

#include "tests/bench/bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/store/store.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "tests/integration/rig.h"

#define JOBS       100000U
#define CHUNK      1000U /* jobs of one transaction */
#define TIMES_MAX  21U
#define LIST_LIMIT "--limit=50"

/* Every tenth failed, as on a bad day, and each has the labels of a ticket. */
static void make_job(struct job *job, size_t number)
{
	char ticket[24];

	*job = (struct job){ .state = number % 10 == 0 ? JOB_FAILED : JOB_CANCELLED,
			     .owner = 1000,
			     .created = time_real(),
			     .attempts = 1 };
	job->started = job->finished = job->created;
	(void)snprintf(ticket, sizeof(ticket), "%zu", number);
	assert_int_equal(job_request_init(&job->request), 0);
	assert_int_equal(job_request_add_label(&job->request, "ticket", ticket), 0);
	if (job->state == JOB_FAILED)
		assert_int_equal(failure_set(&job->failure, FAILURE_HANDSHAKE_TIMEOUT, NULL,
					     "no answer in slot %zu", number % 64),
				 0);
}

static void fill(struct store *store, size_t n)
{
	struct job *jobs = calloc(CHUNK, sizeof(*jobs));

	assert_non_null(jobs);
	for (size_t done = 0; done < n; done += CHUNK) {
		for (size_t i = 0; i < CHUNK; i++)
			make_job(&jobs[i], done + i);
		assert_int_equal(store_add_jobs(store, jobs, CHUNK), 0);
		for (size_t i = 0; i < CHUNK; i++)
			job_clear(&jobs[i]);
	}
	free(jobs);
}

static void fill_store(const struct rig *rig, size_t n)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbd.sqlite", rig->state);
	struct store *store;

	assert_int_equal(mkdir(rig->state, 0750), 0);
	assert_int_equal(store_open(path, &store), 0);
	fill(store, n);
	store_close(store);
}

/* From the start of the process to its first answer. */
static double measure_start(struct rig *rig)
{
	uint64_t begun = time_now();

	rig_start(rig);
	return (double)(time_now() - begun) / (double)USEC_PER_SEC;
}

static double measure_list(const struct rig *rig)
{
	uint64_t begun = time_now();
	struct output output = rig_ctl(rig, "jobs", "--all", LIST_LIMIT, NULL);

	assert_int_equal(output.status, 0);
	output_clear(&output);
	return (double)(time_now() - begun) / (double)USEC_PER_MSEC;
}

void bench_full_store(struct figures *figures, bool quick)
{
	const size_t n = quick ? 5 : TIMES_MAX;
	double starts[TIMES_MAX], lists[TIMES_MAX];
	struct rig rig;

	rig_set_up(&rig, NULL);
	fill_store(&rig, JOBS);
	for (size_t i = 0; i < n; i++) {
		starts[i] = measure_start(&rig);
		lists[i] = measure_list(&rig);
		assert_int_equal(rig_stop(&rig, SIGTERM), 0);
	}
	rig_tear_down(&rig);
	figures_add(figures, (struct figure){ .name = "full-start",
					      .what = "start with 100,000 finished jobs",
					      .unit = "s",
					      .kind = GOAL_BELOW,
					      .goal = 1,
					      .measured = median(starts, n) });
	figures_add(figures,
		    (struct figure){ .name = "full-list",
				     .what = "mtkrbctl jobs --limit=50 of them, whole process",
				     .unit = "ms",
				     .kind = GOAL_BELOW,
				     .goal = 20,
				     .measured = median(lists, n) });
}
