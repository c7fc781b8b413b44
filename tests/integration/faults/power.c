/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Losing power, seen by the system calls of the daemon: what a rename or a reply promises must be on
 * the disk before. strace writes them down, with the paths of the descriptors.
 */

#include "tests/integration/faults/faults.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"

#define TRACE_MAX (16U << 20)

struct trace {
	struct faults *faults;
	char file[160]; /* of strace: this, a dot and the process id */
	char *text;
	pid_t pid;
};

static bool can_trace(void)
{
	return system("strace -f -o /dev/null true >/dev/null 2>&1") == 0;
}

/* A directory of programs in which the daemon begins under strace, as its own process. */
static void wrap_daemon(const char *bin, const char *directory, const char *options)
{
	static const char *const same[] = { "mtkrbd-worker", "mtkrbctl", "mtkrb-watch" };
	_cleanup_free_ char *script = str_format(
		"#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec strace -D %s '%s/mtkrbd' "
		"\"$@\"\n",
		options, bin);
	_cleanup_free_ char *path = str_format("%s/mtkrbd", directory);
	_cleanup_close_ int fd = -1;

	assert_int_equal(mkdir(directory, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		_cleanup_free_ char *from = str_format("%s/%s", bin, same[i]);
		_cleanup_free_ char *to = str_format("%s/%s", directory, same[i]);

		assert_int_equal(symlink(from, to), 0);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, script, strlen(script)), 0);
}

static void start_under_strace(struct faults *faults, const char *options)
{
	_cleanup_free_ char *bin = strdup(getenv("MTKRB_BIN_DIR"));
	_cleanup_free_ char *directory = str_format("%s/bin", faults->rig.directory);

	wrap_daemon(bin, directory, options);
	assert_int_equal(setenv("MTKRB_BIN_DIR", directory, 1), 0);
	rig_start(&faults->rig);
	assert_int_equal(setenv("MTKRB_BIN_DIR", bin, 1), 0);
}

static void begin(struct trace *trace, struct faults *faults)
{
	_cleanup_free_ char *options = NULL;

	*trace = (struct trace){ .faults = faults };
	faults_open(faults, NULL);
	(void)snprintf(trace->file, sizeof(trace->file), "%s/trace", faults->rig.directory);
	options = str_format(
		"-ff -y -s 60 -o '%s' "
		"-e trace=fsync,fdatasync,rename,renameat,renameat2,pwrite64,sendmsg,write",
		trace->file);
	start_under_strace(faults, options);
	trace->pid = faults->rig.daemon;
}

static void end(struct trace *trace)
{
	_cleanup_free_ char *path = str_format("%s.%d", trace->file, (int)trace->pid);

	assert_int_equal(rig_stop(&trace->faults->rig, SIGTERM), 0);
	/* The tracer is behind the daemon a little. */
	for (int i = 0; i < 500; i++) {
		free(trace->text);
		trace->text = NULL;
		assert_int_equal(fd_read_file(AT_FDCWD, path, TRACE_MAX, &trace->text, NULL), 0);
		if (strstr(trace->text, "+++ exited"))
			return;
		sleep_ms(10);
	}
	fail_msg("strace does not come to an end");
}

/* The first line at or behind from with both texts in it; NULL: none. */
static const char *line_with(const char *from, const char *call, const char *what)
{
	for (const char *line = from; line && *line;) {
		size_t n = strcspn(line, "\n");
		const char *a = memmem(line, n, call, strlen(call));
		const char *b = memmem(line, n, what, strlen(what));

		if (a == line && b)
			return line;
		line += n + (line[n] == '\n');
	}
	return NULL;
}

/* The next line of those; ends the test when there is none behind from. */
static const char *expect(const char *from, const char *call, const char *what)
{
	const char *line = line_with(from, call, what);

	if (!line)
		fail_msg("no %s of %s where it has to be, near: %.300s", call, what, from);
	return line;
}

/* Files, then their directory, then the rename, then both parents, then the row. */
static void check_publish(const struct trace *trace, int64_t id)
{
	static const char *const files[] = { "ROM_0", "manifest.json", "SHA256SUMS", "report.txt" };
	_cleanup_free_ char *directory = str_format("/staging/%" PRId64 ">", id);
	_cleanup_free_ char *source = str_format("/staging>, \"%" PRId64 "\", ", id);
	const char *move = expect(trace->text, "renameat2(", source);
	const char *settled = expect(trace->text, "fsync(", directory);
	const char *at;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *file = str_format("/staging/%" PRId64 "/%s>", id, files[i]);

		assert_true(expect(trace->text, "fsync(", file) < move);
	}
	assert_true(settled < move);
	at = expect(move, "fsync(", "/backups/");
	at = expect(at, "fsync(", "/staging>");
	at = expect(at, "pwrite64(", "mtkrbd.sqlite-wal");
	(void)expect(at, "fdatasync(", "mtkrbd.sqlite-wal");
}

/*
 * The second and later ones have the same bytes: a link to the first takes the place of what was
 * read, and after that the directory that it is in is made durable.
 */
static void check_sharing(const struct trace *trace, int64_t id)
{
	_cleanup_free_ char *spare = str_format("/trash>, \"share-%" PRId64 "\", ", id);
	_cleanup_free_ char *directory = str_format("/staging/%" PRId64 ">", id);
	const char *at = expect(trace->text, "renameat(", spare);

	for (const char *next = at; next; next = line_with(next + 1, "renameat(", spare))
		at = next;
	(void)expect(at, "fsync(", directory);
}

static void back_up(struct faults *faults, struct row *row, const char *image, int64_t id)
{
	_cleanup_free_ char *slot = str_format("P%" PRId64, id);
	struct watch watch;
	struct job job;

	faults_plug(faults, &watch, image, NULL, NULL);
	rig_attach(&faults->rig, watch.link, slot);
	assert_int_equal(rig_submit(&faults->rig, "{\"verify\":\"none\"}"), id);
	job = rig_wait(&faults->rig, id, JOB_DONE, 60);
	job_clear(&job);
	row->lost += faults_lost(&faults->rig, id, image);
	row->tried++;
	faults_unplug(faults, &watch, false);
}

void test_power_publish(void **state)
{
	struct faults *faults = *state;
	struct row *row = table_add(&faults->table, "power loss: order of a publication");
	struct trace trace;
	char image[128];

	if (!can_trace()) {
		row_skip(row, "no strace that may trace");
		return;
	}
	begin(&trace, faults);
	rig_make_image(&faults->rig, "image", "1M", image);
	for (int64_t id = 1; id <= 3; id++)
		back_up(faults, row, image, id);
	end(&trace);
	for (int64_t id = 1; id <= 3; id++)
		check_publish(&trace, id);
	for (int64_t id = 2; id <= 3; id++)
		check_sharing(&trace, id);
	free(trace.text);
	row_end(row, "files, directory, rename, parents, commit");
}

static bool is_in_state(const struct faults *faults, const char *name)
{
	_cleanup_free_ char *path = str_format("%s/%s", faults->rig.state, name);

	return file_exists(path);
}

/*
 * kill -9 when the second of two equal backups has its link in trash/ and is about to rename it: the
 * first is whole, and the second is published without its watch.
 */
void test_kill_sharing(void **state)
{
	struct faults *faults = *state;
	struct row *row = table_add(&faults->table, "daemon, kill -9: link made, not renamed");
	struct watch watch;
	struct job job;
	char image[128];
	int status;

	if (!can_trace()) {
		row_skip(row, "no strace that may trace");
		return;
	}
	faults_open(faults, NULL);
	/* Only the daemon itself: its workers rename too. */
	start_under_strace(faults,
			   "-o /dev/null -e trace=renameat -e inject=renameat:signal=SIGKILL");
	rig_make_image(&faults->rig, "image", "1M", image);
	back_up(faults, row, image, 1);
	faults_plug(faults, &watch, image, NULL, NULL);
	rig_attach(&faults->rig, watch.link, "P2");
	assert_int_equal(rig_submit(&faults->rig, "{\"verify\":\"none\"}"), 2);
	assert_int_equal(waitpid(faults->rig.daemon, &status, 0), faults->rig.daemon);
	faults->rig.daemon = 0;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_true(is_in_state(faults, "trash/share-2"));
	faults_unplug(faults, &watch, false);

	rig_start(&faults->rig);
	job = rig_wait(&faults->rig, 2, JOB_DONE, 60);
	job_clear(&job);
	row->tried++;
	for (int64_t id = 1; id <= 2; id++)
		row->lost += faults_lost(&faults->rig, id, image);
	assert_false(is_in_state(faults, "trash/share-2"));
	row_end(row, "both backups whole, the second without its watch");
}

/* The line of the last such call from from up to to; NULL: none. */
static const char *last_with(const char *from, const char *to, const char *call, const char *what)
{
	const char *last = NULL, *line = line_with(from, call, what);

	while (line && line < to) {
		last = line;
		line = line_with(line + 1, call, what);
	}
	return last;
}

/* What each acknowledges is in the log of the database, and that is on the disk. */
static unsigned int check_replies(const struct trace *trace, const char *call, const char *what)
{
	const char *from = trace->text;
	unsigned int n = 0;

	for (const char *reply; (reply = line_with(from, call, what)); n++) {
		const char *written = last_with(from, reply, "pwrite64(", "mtkrbd.sqlite-wal");
		const char *synced = last_with(from, reply, "fdatasync(", "mtkrbd.sqlite-wal");

		assert_non_null(written);
		assert_non_null(synced);
		assert_true(written < synced);
		from = reply + 1;
	}
	return n;
}

void test_power_submit(void **state)
{
	struct faults *faults = *state;
	struct row *row = table_add(&faults->table, "power loss: order of Submit and its reply");
	struct trace trace;

	if (!can_trace()) {
		row_skip(row, "no strace that may trace");
		return;
	}
	begin(&trace, faults);
	for (int i = 0; i < 20; i++)
		(void)rig_submit(&faults->rig, "{\"slot\":\"none\"}");
	end(&trace);
	row->tried = check_replies(&trace, "sendmsg(", "{\\\"jobs\\\":[");
	assert_int_equal(row->tried, 20);
	free(trace.text);
	row_end(row, "each commit on the disk before its reply");
}
