/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What breaks under a daemon that runs: its file system turns read-only, as ext4 does after an error,
 * or its database is overwritten. What does not need it goes on, all else is refused.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "tests/integration/faults/disk.h"

#define DISK_BYTES (64 << 20)
#define ROUNDS     3U
#define PAGE_BYTES 4096U

static const char no_floor[] = "[automatic]\nenabled=no\n[archive]\nfree-space-floor=0\n";

/* ---- read-only ---- */

_printf_(1, 2) static bool run(const char *format, ...)
{
	_cleanup_free_ char *command = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&command, format, ap) < 0)
		command = NULL;
	va_end(ap);
	assert_non_null(command);
	return system(command) == 0;
}

static bool mount_disk(const struct rig *rig)
{
	return run("mount -t ext4 -o loop,errors=remount-ro '%s/disk' '%s' 2>'%s/words'",
		   rig->directory, rig->state, rig->directory);
}

/* Repaired as at the next start of the machine. */
static void mend_disk(const struct rig *rig)
{
	assert_true(run("umount '%s'", rig->state));
	assert_true(run("e2fsck -fp '%s/disk' >/dev/null; test $? -le 1", rig->directory));
	assert_true(mount_disk(rig));
}

static bool make_disk(const struct rig *rig)
{
	_cleanup_free_ char *path = str_format("%s/disk", rig->directory);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK_BYTES), 0);
	assert_int_equal(mkdir(rig->state, 0750), 0);
	return run("mkfs.ext4 -q '%s' 2>'%s/words'", path, rig->directory) && mount_disk(rig);
}

/* Tells the kernel that the file system has an error; false when it does not let us. */
static bool turn_read_only(const struct rig *rig)
{
	_cleanup_free_ char *device = NULL, *block = NULL, *trigger = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;

	assert_int_equal(stat(rig->state, &st), 0);
	device = str_format("/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	block = realpath(device, NULL);
	if (!block)
		return false;
	trigger = str_format("/sys/fs/ext4/%s/trigger_fs_error", strrchr(block, '/') + 1);
	fd = open(trigger, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && fd_write_all(fd, "1", 1) == 0;
}

static void expect_answers(const struct rig *rig)
{
	static const char *const methods[] = { "GetStatus", "ListPorts", "ListJobs",
					       "ListBackups" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		message_unref(rig_call(rig, methods[i], "{}", NULL));
}

static bool open_ext4(struct disk *disk, struct faults *faults, struct row *row)
{
	*disk = (struct disk){ .faults = faults, .row = row };
	faults_open(faults, no_floor);
	if (!disk_have_namespace()) {
		row_skip(row, "needs root and a mount namespace");
		return false;
	}
	if (!make_disk(&faults->rig)) {
		row_skip(row, "needs mkfs.ext4 and a loop device");
		return false;
	}
	rig_make_image(&faults->rig, "image", "1M", disk->image);
	rig_start(&faults->rig);
	return true;
}

static int64_t make_backup(struct disk *disk)
{
	int64_t id = disk_submit(disk);
	struct watch watch;
	struct job job;

	disk_plug(disk, &watch);
	job = rig_wait(&disk->faults->rig, id, JOB_DONE, 30);
	job_clear(&job);
	disk_unplug(disk, &watch);
	return id;
}

/* At some moment of a read; false when this system does not let us. */
static bool turn_and_mend(struct disk *disk, int64_t before)
{
	struct rig *rig = &disk->faults->rig;
	int64_t id = disk_submit(disk);
	struct watch watch;
	bool turned;

	disk_plug(disk, &watch);
	sleep_ms((unsigned int)faults_random(disk->faults, 200));
	turned = turn_read_only(rig);
	if (turned) {
		assert_int_equal(disk_submit(disk), 0);
		assert_true(rig_log_has(rig, "a job cannot be stored: "));
		disk_let_run(disk, id);
		expect_answers(rig);
		disk->row->lost += faults_lost(rig, before, disk->image);
		disk->row->tried++;
	}
	disk_unplug(disk, &watch);
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	mend_disk(rig);
	rig_start(rig);
	disk_finish(disk, id);
	return turned;
}

void test_running_read_only(void **state)
{
	struct faults *faults = *state;
	struct row *row = table_add(&faults->table, "disk: turns read-only while the daemon runs");
	struct disk disk;
	bool turned = true;
	int64_t before;

	if (!open_ext4(&disk, faults, row))
		return;
	before = make_backup(&disk);
	for (unsigned int i = 0; turned && i < ROUNDS; i++)
		turned = turn_and_mend(&disk, before);
	assert_int_equal(rig_stop(&faults->rig, SIGTERM), 0);
	assert_true(run("umount '%s'", faults->rig.state));
	if (turned)
		row_end(row, "Submit refused, lists go on; repaired: identical");
	else
		row_skip(row, "needs the kernel's trigger_fs_error");
}

/* ---- spoilt ---- */

/* All of the database is in its file then, and the daemon has to read it anew. */
static void settle_database(const char *path)
{
	static const char script[] = "BEGIN IMMEDIATE;"
				     "CREATE TABLE other (a); DROP TABLE other; COMMIT;"
				     "PRAGMA wal_checkpoint(TRUNCATE)";
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, script, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void expect_damaged(const struct rig *rig, const char *method, const char *parameters)
{
	_cleanup_message_ struct json_object *answer = faults_call(rig, method, parameters);
	const char *words;

	assert_non_null(answer);
	assert_string_equal(message_string(message_member(answer, "error")), ERROR_FAILED);
	words = message_string(message_member(message_member(answer, "parameters"), "message"));
	if (!strstr(words, "mtkrbd.sqlite") || !strstr(words, "move the file away"))
		fail_msg("%s: %s", method, words);
}

void test_running_spoilt(void **state)
{
	struct faults *faults = *state;
	struct row *row = table_add(&faults->table, "database: overwritten while the daemon runs");
	struct rig *rig = &faults->rig;
	_cleanup_free_ char *path = NULL;
	struct disk disk;
	struct job job;

	disk_open(&disk, faults, row);
	path = str_format("%s/mtkrbd.sqlite", rig->state);
	job = rig_job(rig, make_backup(&disk));
	settle_database(path);
	for (uint64_t at = 0; at < file_size(path); at += PAGE_BYTES)
		disk_spoil_database(rig, at);
	expect_damaged(rig, "Submit", "{\"request\":{}}");
	expect_damaged(rig, "ListJobs", "{}");
	expect_damaged(rig, "ListBackups", "{}");
	/* What does not need it goes on. */
	message_unref(rig_call(rig, "ListPorts", "{}", NULL));
	message_unref(rig_call(rig, "ListSlots", "{}", NULL));
	assert_true(rig_log_has(rig, "a job cannot be stored: "));
	assert_int_equal(rig_stop(rig, SIGTERM), 0);
	assert_true(run("rm '%s'*", path));
	rig_start(rig);
	row->lost = disk_lost_from_catalogue(&disk, job.backup);
	job_clear(&job);
	row->tried = 1;
	row_end(row, "refused by name; catalogue made again from directories");
}
