/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The disk is full, cannot be written, or its database is held or spoilt by others: a clear failure,
 * the job kept, and the rest of the service goes on.
 */

#include "tests/integration/faults/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define STEP_BYTES  (64U << 10)
#define RANGE_BYTES (2560U << 10) /* beyond the 1 MiB image and all that is written beside it */
#define ROOMY       "size=64m"

static const char no_floor[] = "[automatic]\nenabled=no\n[archive]\nfree-space-floor=0\n"
			       "[read]\nresume-timeout=10min\n";

/* ---- a file system of our own ---- */

bool disk_have_namespace(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* False when this system does not let us; the state directory is a tmpfs then. */
static bool open_disk(struct disk *disk, struct faults *faults, struct row *row)
{
	*disk = (struct disk){ .faults = faults, .row = row };
	faults_open(faults, no_floor);
	if (!disk_have_namespace()) {
		row_skip(row, "needs root and a mount namespace");
		return false;
	}
	assert_int_equal(mkdir(faults->rig.state, 0750), 0);
	assert_int_equal(mount("tmpfs", faults->rig.state, "tmpfs", 0, ROOMY), 0);
	rig_make_image(&faults->rig, "image", "1M", disk->image);
	rig_start(&faults->rig);
	return true;
}

static void close_disk(struct disk *disk)
{
	(void)rig_stop(&disk->faults->rig, SIGTERM);
	assert_int_equal(umount2(disk->faults->rig.state, MNT_DETACH), 0);
}

static void resize(const struct disk *disk, const char *options)
{
	assert_int_equal(mount("tmpfs", disk->faults->rig.state, "tmpfs", MS_REMOUNT, options), 0);
}

/* Leaves that many bytes free. */
static void leave(const struct disk *disk, uint64_t bytes)
{
	_cleanup_free_ char *options = NULL;
	struct statvfs st;

	assert_int_equal(statvfs(disk->faults->rig.state, &st), 0);
	options = str_format("size=%" PRIu64,
			     (uint64_t)(st.f_blocks - st.f_bfree) * st.f_frsize + bytes);
	resize(disk, options);
}

/* ---- full ---- */

int64_t disk_submit(struct disk *disk)
{
	_cleanup_message_ struct json_object *answer =
		faults_call(&disk->faults->rig, "Submit", "{\"request\":{\"verify\":\"none\"}}");
	struct json_object *jobs;
	int64_t id;

	assert_non_null(answer);
	if (!faults_ok(answer)) {
		disk->refused++;
		return 0;
	}
	jobs = message_member(message_member(answer, "parameters"), "jobs");
	assert_int_equal(message_int(message_at(jobs, 0), &id), 0);
	return id;
}

void disk_plug(struct disk *disk, struct watch *watch)
{
	_cleanup_free_ char *slot = str_format("D%u", disk->faults->number);

	faults_plug(disk->faults, watch, disk->image, NULL, NULL);
	rig_attach(&disk->faults->rig, watch->link, slot);
}

void disk_unplug(struct disk *disk, struct watch *watch)
{
	_cleanup_free_ char *parameters = str_format("{\"device\":\"%s\"}", watch->link);

	message_unref(faults_call(&disk->faults->rig, "Detach", parameters));
	faults_unplug(disk->faults, watch, false);
}

void disk_let_run(const struct disk *disk, int64_t id)
{
	uint64_t end = time_now() + 2 * USEC_PER_SEC;

	while (time_now() < end) {
		struct job job = rig_job(&disk->faults->rig, id);
		bool over = job_state_is_final(job.state);

		job_clear(&job);
		if (over)
			return;
		sleep_ms(5);
	}
}

static void remove_backup(const struct disk *disk, const char *id)
{
	_cleanup_free_ char *parameters = str_format("{\"id\":\"%s\"}", id);

	message_unref(rig_call(&disk->faults->rig, "RemoveBackup", parameters, NULL));
}

void disk_finish(struct disk *disk, int64_t id)
{
	_cleanup_free_ char *parameters = str_format("{\"id\":%" PRId64 "}", id);
	struct watch watch;
	struct job job = rig_job(&disk->faults->rig, id);

	if (job.state == JOB_DONE) {
		disk->done++;
	} else {
		disk->failed++;
		if (job.state == JOB_FAILED && job.failure.code != FAILURE_NO_SPACE &&
		    job.failure.code != FAILURE_ARCHIVE_ERROR)
			fail_msg("that the disk failed is called %s: %s",
				 failure_code_to_string(job.failure.code),
				 job.failure.message ?: "");
		if (job.state == JOB_FAILED)
			message_unref(rig_call(&disk->faults->rig, "Retry", parameters, NULL));
		disk_plug(disk, &watch);
		job_clear(&job);
		job = rig_wait(&disk->faults->rig, id, JOB_DONE, 30);
		disk_unplug(disk, &watch);
	}
	disk->row->lost += faults_lost(&disk->faults->rig, id, disk->image);
	remove_backup(disk, job.backup);
	job_clear(&job);
}

static void fill_and_read(struct disk *disk, uint64_t bytes)
{
	struct watch watch;
	int64_t id;

	leave(disk, bytes);
	id = disk_submit(disk);
	if (id > 0) {
		disk_plug(disk, &watch);
		disk_let_run(disk, id);
	}
	/* It answers, however full the disk is. */
	message_unref(rig_call(&disk->faults->rig, "GetStatus", "{}", NULL));
	resize(disk, ROOMY);
	if (id > 0) {
		disk_unplug(disk, &watch);
		disk_finish(disk, id);
	}
	disk->row->tried++;
}

void test_disk_full(void **state)
{
	struct faults *faults = *state;
	struct row *row = table_add(&faults->table, "disk: full, 0 to 2.5 MiB in steps of 64 KiB");
	unsigned int step = faults->quick ? 4 * STEP_BYTES : STEP_BYTES;
	struct disk disk;

	if (!open_disk(&disk, faults, row))
		return;
	for (uint64_t bytes = 0; bytes <= RANGE_BYTES; bytes += step)
		fill_and_read(&disk, bytes);
	close_disk(&disk);
	row_end(row, "%u refused, %u no-space then identical, %u identical", disk.refused,
		disk.failed, disk.done);
}

/* ---- read-only ---- */

static const char *const no_udev[] = { "--no-udev", NULL };

void test_disk_read_only(void **state)
{
	struct faults *faults = *state;
	struct row *row = table_add(&faults->table, "disk: read-only");
	struct watch watch;
	struct disk disk;
	struct job job;
	int64_t id;

	if (!open_disk(&disk, faults, row))
		return;
	id = disk_submit(&disk);
	assert_int_equal(rig_stop(&faults->rig, SIGTERM), 0);
	assert_int_equal(mount("tmpfs", faults->rig.state, "tmpfs", MS_REMOUNT | MS_RDONLY, ROOMY),
			 0);
	assert_int_equal(rig_start_refused(&faults->rig, no_udev), 1);
	assert_true(rig_log_has(&faults->rig, "Read-only file system"));
	assert_true(rig_log_has(&faults->rig, faults->rig.state));
	resize(&disk, ROOMY);
	rig_start(&faults->rig);
	disk_plug(&disk, &watch);
	job = rig_wait(&faults->rig, id, JOB_DONE, 30);
	job_clear(&job);
	disk_unplug(&disk, &watch);
	row->tried = 1;
	row->lost = faults_lost(&faults->rig, id, disk.image);
	close_disk(&disk);
	row_end(row, "start refused by name; the job is kept");
}

/* ---- the database ---- */

void disk_open(struct disk *disk, struct faults *faults, struct row *row)
{
	*disk = (struct disk){ .faults = faults, .row = row };
	faults_open(faults, no_floor);
	rig_start(&faults->rig);
	rig_make_image(&faults->rig, "image", "1M", disk->image);
}

static sqlite3 *hold_database(const struct rig *rig)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbd.sqlite", rig->state);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

/* While another program holds the database a read comes to its end; then nothing of it is lost. */
void test_database_locked(void **state)
{
	struct faults *faults = *state;
	struct row *row = table_add(&faults->table, "database: locked by another program");
	struct disk disk;

	disk_open(&disk, faults, row);
	for (unsigned int i = 0; i < 4; i++) {
		struct watch watch;
		struct job job;
		int64_t id = disk_submit(&disk);
		uint64_t begun;
		sqlite3 *db;

		disk_plug(&disk, &watch);
		sleep_ms((unsigned int)faults_random(faults, 60));
		db = hold_database(&faults->rig);
		begun = time_now();
		assert_int_equal(disk_submit(&disk), 0);
		message_unref(rig_call(&faults->rig, "ListJobs", "{}", NULL));
		message_unref(rig_call(&faults->rig, "GetStatus", "{}", NULL));
		assert_true(time_now() - begun < 3 * USEC_PER_SEC);
		sleep_ms(500);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
		disk_unplug(&disk, &watch);
		job = rig_job(&faults->rig, id);
		if (job.state != JOB_DONE)
			disk_plug(&disk, &watch);
		job_clear(&job);
		job = rig_wait(&faults->rig, id, JOB_DONE, 30);
		job_clear(&job);
		row->lost += faults_lost(&faults->rig, id, disk.image);
		row->tried++;
		if (watch.pid > 0)
			disk_unplug(&disk, &watch);
	}
	row_end(row, "Submit refused meanwhile, reading and lists go on");
}

void disk_spoil_database(const struct rig *rig, uint64_t offset)
{
	_cleanup_free_ char *path = str_format("%s/mtkrbd.sqlite", rig->state);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	char rubbish[4096];

	assert_true(fd >= 0);
	memset(rubbish, 0xA5, sizeof(rubbish));
	assert_int_equal(fd_pwrite_all(fd, rubbish, sizeof(rubbish), offset), 0);
}

uint64_t disk_lost_from_catalogue(const struct disk *disk, const char *id)
{
	_cleanup_message_ struct json_object *reply =
		rig_call(&disk->faults->rig, "ListBackups", "{}", NULL);
	struct json_object *first = message_at(message_member(reply, "backups"), 0);
	_cleanup_free_ char *file = NULL;

	assert_string_equal(message_string(message_member(first, "id")), id);
	file = str_format("%s/ROM_0", message_string(message_member(first, "path")));
	return same_content(file, disk->image) ? 0 : file_size(disk->image);
}

void test_database_corrupt(void **state)
{
	struct faults *faults = *state;
	struct row *row = table_add(&faults->table, "database: overwritten");
	_cleanup_free_ char *remove = NULL;
	struct watch watch;
	struct disk disk;
	struct job job;
	int64_t id;

	disk_open(&disk, faults, row);
	id = disk_submit(&disk);
	disk_plug(&disk, &watch);
	job = rig_wait(&faults->rig, id, JOB_DONE, 30);
	disk_unplug(&disk, &watch);
	assert_int_equal(rig_stop(&faults->rig, SIGTERM), 0);
	disk_spoil_database(&faults->rig, 0);
	assert_int_equal(rig_start_refused(&faults->rig, no_udev), 1);
	assert_true(rig_log_has(&faults->rig, "mtkrbd.sqlite: damaged"));
	remove = str_format("rm '%s'/mtkrbd.sqlite*", faults->rig.state);
	assert_int_equal(system(remove), 0);
	rig_start(&faults->rig);
	row->lost = disk_lost_from_catalogue(&disk, job.backup);
	job_clear(&job);
	row->tried = 1;
	row_end(row, "start refused by name; catalogue made again from directories");
}
