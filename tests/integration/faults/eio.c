/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The disk dies under the daemon or a worker: from some call on, writing a file or settling it on
 * the disk fails with EIO; from the first, second and third call that a job makes, and in growing steps
 * to its last. The job fails by name or waits, others are served, and when the disk is well again the
 * backup is identical.
 */

#include "tests/integration/faults/eio.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "tests/integration/faults/disk.h"

#define OF_DATABASE "nothing can be stored, jobs wait: disk I/O error"
#define OF_FILE     "Input/output error"

#define PATIENCE 10 /* times that disk_let_run waits */

#define OTHER_REQUEST                                                                          \
	"{\"slot\":\"OTHER\",\"verify\":\"none\",\"ranges\":[{\"name\":\"OTHER\",\"start\":0," \
	"\"length\":65536}]}"

struct choice {
	const char *title;
	const char *program;
	const char *file;
	uint32_t calls;
	const char *error; /* in the daemon's log */
	bool only_ours; /* the file is of this job alone: another job comes to its end meanwhile */
};

static const struct choice choices[] = {
	{ "EIO: database's log, written", "mtkrbd", "mtkrbd.sqlite-wal", EIO_WRITE, OF_DATABASE,
	  false },
	{ "EIO: database's log, settled", "mtkrbd", "mtkrbd.sqlite-wal", EIO_SYNC, OF_DATABASE,
	  false },
	{ "EIO: image, settled by the daemon", "mtkrbd", "ROM_0", EIO_SYNC, OF_FILE, true },
	{ "EIO: image, written by a worker", "mtkrbd-worker", "ROM_0", EIO_WRITE, OF_FILE, true },
	{ "EIO: image, settled by a worker", "mtkrbd-worker", "ROM_0", EIO_SYNC, OF_FILE, true },
	{ "EIO: map of a read", "mtkrbd-worker", "ROM_0.map.tmp", EIO_WRITE | EIO_SYNC, OF_FILE,
	  true },
	{ "EIO: manifest, by a worker", "mtkrbd-worker", "manifest.json.tmp", EIO_WRITE | EIO_SYNC,
	  OF_FILE, false },
};

struct bench {
	struct disk disk;
	const struct choice *choice;
	struct eio *eio;
};

/* ---- the shim ---- */

static struct eio *map_choice(const char *path, const struct choice *choice)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct eio *eio;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*eio)), 0);
	eio = mmap(NULL, sizeof(*eio), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(eio != MAP_FAILED);
	(void)snprintf(eio->program, sizeof(eio->program), "%s", choice->program);
	(void)snprintf(eio->file, sizeof(eio->file), "%s", choice->file);
	eio->calls = choice->calls;
	return eio;
}

/* Starts the daemon again, with the shim. */
static void begin(struct bench *bench, const struct choice *choice)
{
	struct rig *rig = &bench->disk.faults->rig;
	_cleanup_free_ char *path = str_format("%s/eio", rig->directory);

	bench->choice = choice;
	bench->eio = map_choice(path, choice);
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	assert_int_equal(setenv(EIO_VARIABLE, path, 1), 0);
	assert_int_equal(setenv("LD_PRELOAD", MTKRB_EIO_SHIM, 1), 0);
	rig_start(rig);
	assert_int_equal(unsetenv("LD_PRELOAD"), 0);
	assert_int_equal(unsetenv(EIO_VARIABLE), 0);
}

static void end(struct bench *bench)
{
	assert_int_equal(munmap(bench->eio, sizeof(*bench->eio)), 0);
}

static void dies(struct bench *bench, uint32_t passing)
{
	bench->eio->passing = passing;
	atomic_store(&bench->eio->seen, 0);
	atomic_store(&bench->eio->failed, 0);
	atomic_store(&bench->eio->on, 1);
}

/* How often it broke something. */
static unsigned int is_well(struct bench *bench)
{
	atomic_store(&bench->eio->on, 0);
	return atomic_load(&bench->eio->failed);
}

/* ---- one job ---- */

/* On a slow machine a job may not have come to the call that breaks: then for longer. */
static void let_run(const struct bench *bench, int64_t id)
{
	unsigned int left = PATIENCE;

	do
		disk_let_run(&bench->disk, id);
	while (atomic_load(&bench->eio->failed) == 0 && --left > 0);
}

static void check_name(const struct bench *bench, int64_t id)
{
	struct job job = rig_job(&bench->disk.faults->rig, id);

	if (job.state == JOB_FAILED) {
		assert_int_equal(job.failure.code, FAILURE_ARCHIVE_ERROR);
		if (!strstr(job.failure.message, OF_FILE))
			fail_msg("what failed is not said: %s", job.failure.message);
	}
	job_clear(&job);
}

/* A job on another watch, whose files the fault does not touch. */
static void serve_other(struct bench *bench)
{
	struct faults *faults = bench->disk.faults;
	int64_t id = rig_submit(&faults->rig, OTHER_REQUEST);
	struct watch watch;
	struct job job;

	faults_plug(faults, &watch, bench->disk.image, NULL, NULL);
	rig_attach(&faults->rig, watch.link, "OTHER");
	job = rig_wait(&faults->rig, id, JOB_DONE, 30);
	job_clear(&job);
	disk_unplug(&bench->disk, &watch);
}

/* False when nothing broke: the job makes fewer such calls. */
static bool try_from(struct bench *bench, uint32_t passing)
{
	struct rig *rig = &bench->disk.faults->rig;
	struct watch watch;
	unsigned int broken;
	int64_t id;

	dies(bench, passing);
	id = disk_submit(&bench->disk);
	if (id > 0) {
		disk_plug(&bench->disk, &watch);
		let_run(bench, id);
		check_name(bench, id);
	}
	message_unref(rig_call(rig, "GetStatus", "{}", NULL));
	message_unref(rig_call(rig, "ListJobs", "{}", NULL));
	if (bench->choice->only_ours && passing == 0)
		serve_other(bench);
	broken = is_well(bench);
	if (id > 0) {
		disk_unplug(&bench->disk, &watch);
		disk_finish(&bench->disk, id);
	}
	return broken > 0;
}

static void try_choice(struct faults *faults, const struct choice *choice)
{
	struct row *row = table_add(&faults->table, "%s", choice->title);
	struct bench bench = { 0 };

	disk_open(&bench.disk, faults, row);
	begin(&bench, choice);
	for (uint32_t passing = 0; try_from(&bench, passing); passing += 1 + passing / 2)
		row->tried++;
	end(&bench);
	assert_true(rig_log_has(&faults->rig, choice->error));
	row_end(row, "%u refused, %u failed by name or waited, then identical", bench.disk.refused,
		bench.disk.failed);
}

void test_eio(void **state)
{
	struct faults *faults = *state;

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		if (i > 0)
			faults_close(faults);
		try_choice(faults, &choices[i]);
	}
}
