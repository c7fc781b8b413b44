/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The finished jobs of a shop's years, and their backups: how long a start and a list take. */

#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/store/store.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"
#include "protocol/control/manifest.h"
#include "tests/integration/rig.h"

#define JOBS       100000U
#define JOBS_QUICK 10000U
#define CHUNK      1000U /* jobs of one transaction */
#define TIMES_MAX  21U
#define LIST_LIMIT "--limit=50"

#define FIRST_TIME 1735689600ULL /* 2025-01-01, and from there on through the year */
#define YEAR       (365ULL * 24 * 3600)

/* The n-th backup of so many in a year: where a real one would lie, under the name it would have. */
struct made {
	char id[80], meid[33], digest[DIGEST_HEX_SIZE], month[8], path[256];
	uint64_t created;
};

static struct made make(const struct rig *rig, size_t number, size_t n)
{
	struct made made;
	struct tm tm;
	time_t seconds = (time_t)(FIRST_TIME + YEAR * number / n);

	made.created = (uint64_t)seconds * USEC_PER_SEC;
	assert_non_null(gmtime_r(&seconds, &tm));
	(void)snprintf(made.meid, sizeof(made.meid), "%032zx", number);
	(void)snprintf(made.digest, sizeof(made.digest), "%08x%056zx",
		       (uint32_t)number * 2654435761U, number);
	assert_int_equal(strftime(made.month, sizeof(made.month), "%Y/%m", &tm), 7);
	assert_int_equal(strftime(made.id, sizeof(made.id), "%Y%m%dT%H%M%SZ", &tm), 16);
	(void)snprintf(made.id + 16, sizeof(made.id) - 16, "-MT6261-%s-%zu", made.meid, number + 1);
	assert_true(backup_id_is_valid(made.id));
	(void)snprintf(made.path, sizeof(made.path), "%s/backups/%s/%s", rig->state, made.month,
		       made.id);
	return made;
}

/* Each is done and has the labels of a ticket. */
static void make_job(struct job *job, const struct made *made, size_t number)
{
	char ticket[24];

	*job = (struct job){ .state = JOB_DONE,
			     .owner = 1000,
			     .created = made->created,
			     .started = made->created,
			     .finished = made->created,
			     .attempts = 1,
			     .backup = strdup(made->id) };
	assert_non_null(job->backup);
	(void)snprintf(ticket, sizeof(ticket), "%zu", number);
	assert_int_equal(job_request_init(&job->request), 0);
	assert_int_equal(job_request_add_label(&job->request, "ticket", ticket), 0);
}

/* With the labels of its job. */
static void add_row(struct store *store, const struct made *made, const struct job *job)
{
	struct backup backup = { .id = (char *)made->id,
				 .path = (char *)made->path,
				 .created = made->created,
				 .chip = (char *)"MT6261",
				 .meid = (char *)made->meid,
				 .firmware = (char *)"SHOP_MT6261_S00 11C_V12",
				 .size = 4 << 20,
				 .sha256 = (char *)made->digest,
				 .health = 100,
				 .labels = job->request.labels,
				 .n_labels = job->request.n_labels,
				 .job = job->id };

	memcpy(backup.content, made->digest, sizeof(backup.content));
	assert_int_equal(store_add_backup(store, &backup, NULL), 0);
}

static void make_folder(const char *path)
{
	assert_true(mkdir(path, 0750) == 0 || errno == EEXIST);
}

/* All of a month share one file as their manifest: nobody is to read it. */
static void make_directory(const struct rig *rig, const struct made *made)
{
	_cleanup_free_ char *month = str_format("%s/backups/%s", rig->state, made->month);
	_cleanup_free_ char *shared = str_format("%s/" MANIFEST_FILE, month);
	_cleanup_free_ char *manifest = str_format("%s/" MANIFEST_FILE, made->path);
	_cleanup_free_ char *year = str_format("%s/backups/%.4s", rig->state, made->month);
	int fd;

	make_folder(year);
	make_folder(month);
	fd = open(shared, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	fd_close(fd);
	assert_int_equal(mkdir(made->path, 0750), 0);
	assert_int_equal(link(shared, manifest), 0);
}

static void fill(const struct rig *rig, struct store *store, size_t n)
{
	struct job *jobs = calloc(CHUNK, sizeof(*jobs));
	struct made *made = calloc(CHUNK, sizeof(*made));

	assert_non_null(jobs);
	assert_non_null(made);
	for (size_t done = 0; done < n; done += CHUNK) {
		int r = store_begin(store);

		for (size_t i = 0; i < CHUNK; i++) {
			made[i] = make(rig, done + i, n);
			make_job(&jobs[i], &made[i], done + i);
			make_directory(rig, &made[i]);
		}
		assert_int_equal(store_add_jobs(store, jobs, CHUNK), 0);
		for (size_t i = 0; i < CHUNK; i++) {
			add_row(store, &made[i], &jobs[i]);
			job_clear(&jobs[i]);
		}
		assert_int_equal(store_end(store, r), 0);
	}
	free(made);
	free(jobs);
}

static void fill_state(const struct rig *rig, size_t n)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbd.sqlite", rig->state);
	_cleanup_free_ char *backups = str_format("%s/backups", rig->state);
	struct store *store;

	make_folder(rig->state);
	make_folder(backups);
	assert_int_equal(store_open(path, &store), 0);
	fill(rig, store, n);
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
	fill_state(&rig, quick ? JOBS_QUICK : JOBS);
	for (size_t i = 0; i < n; i++) {
		starts[i] = measure_start(&rig);
		lists[i] = measure_list(&rig);
		assert_int_equal(rig_stop(&rig, SIGTERM), 0);
	}
	rig_tear_down(&rig);
	figures_add(figures,
		    (struct figure){ .name = "full-start",
				     .what = quick ? "start with 10,000 finished jobs and backups"
						   : "start with 100,000 finished jobs and backups",
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
