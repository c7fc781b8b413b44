/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/archive-place.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

static void publish(struct place *place)
{
	_cleanup_close_ int fd = make_staging(place);
	_cleanup_free_ char *why = NULL;
	struct backup backup;

	assert_int_equal(publish_all(place, 12, &backup, &why), 0);
	backup_clear(&backup);
}

static void test_new_state(void **state)
{
	struct place *place = *state;
	struct stat st;
	uint64_t bytes = 0;

	assert_int_equal(fstatat(place->fd, "staging", &st, 0), 0);
	assert_int_equal(st.st_mode & 07027, 0);
	assert_int_equal(fstatat(place->fd, "backups", &st, 0), 0);
	assert_int_equal(st.st_mode & 07027, 0);
	assert_int_equal(archive_free_space(place->archive, &bytes), 0);
	assert_true(bytes > 0);
}

static void test_lock(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *pid = NULL;
	struct archive *second;
	char expected[16];

	assert_int_equal(archive_open(place->directory, &second), -EALREADY);
	assert_int_equal(fd_read_file(place->fd, "lock", 64, &pid, NULL), 0);
	(void)snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
	assert_string_equal(pid, expected);
	archive_close(TAKE_PTR(place->archive));
	assert_int_equal(archive_open(place->directory, &place->archive), 0);
}

/* Whoever dies with the lock does not keep it. */
static void test_lock_of_the_dead(void **state)
{
	struct place *place = *state;
	int pipes[2], status;
	char byte;
	pid_t pid;

	archive_close(TAKE_PTR(place->archive));
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (archive_open(place->directory, &place->archive) < 0 ||
		    write(pipes[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	fd_close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	fd_close(pipes[0]);
	assert_int_equal(archive_open(place->directory, &place->archive), -EALREADY);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(archive_open(place->directory, &place->archive), 0);
}

static void test_staging(void **state)
{
	struct place *place = *state;
	_cleanup_close_ int fd = -1, again = -1;

	assert_false(archive_has_staging(place->archive, 12));
	fd = archive_open_staging(place->archive, 12);
	assert_true(fd >= 0);
	put(fd, "ROM_0.map", "x");
	assert_true(archive_has_staging(place->archive, 12));
	again = archive_open_staging(place->archive, 12);
	assert_int_equal(faccessat(again, "ROM_0.map", F_OK, 0), 0);
	assert_int_equal(archive_open_staging(place->archive, 0), -EINVAL);
	assert_int_equal(archive_open_staging(place->archive, -3), -EINVAL);

	assert_int_equal(archive_remove_staging(place->archive, 12), 0);
	assert_false(archive_has_staging(place->archive, 12));
	assert_false(exists(place, "trash/12"));
	assert_int_equal(archive_remove_staging(place->archive, 12), 0);
}

static void assert_mode(const struct place *place, const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstatat(place->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void test_publish(void **state)
{
	struct place *place = *state;
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *why = NULL;
	struct backup backup, back;
	char path[256];

	fd_close(make_staging(place));
	assert_int_equal(publish_all(place, 12, &backup, &why), 0);
	assert_null(why);
	assert_string_equal(backup.id, ID);
	(void)snprintf(path, sizeof(path), "%s/" MONTH ID, place->directory);
	assert_string_equal(backup.path, path);
	assert_int_equal(backup.size, IMAGE_BYTES);
	assert_string_equal(backup.sha256, SHA256);
	assert_string_equal(backup.chip, "MT6261");
	assert_int_equal(backup.job, 12);
	assert_false(archive_has_staging(place->archive, 12));
	assert_mode(place, MONTH ID, 0750);
	assert_mode(place, MONTH ID "/ROM_0", 0640);
	assert_mode(place, MONTH ID "/firmware/leftover", 0750);
	assert_mode(place, MONTH ID "/firmware/leftover/a", 0640);

	fd = archive_open_backup(place->archive, ID);
	assert_true(fd >= 0);
	assert_int_equal(faccessat(fd, "firmware/VIVA", F_OK, 0), 0);
	assert_int_equal(archive_read_backup(place->archive, ID, &back, &why), 0);
	assert_string_equal(back.path, backup.path);
	backup_clear(&back);
	backup_clear(&backup);

	assert_int_equal(publish_all(place, 12, &backup, &why), -ENOENT);
}

static void test_publish_twice(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *why = NULL;
	struct backup backup;

	publish(place);
	fd_close(make_staging(place));
	assert_int_equal(publish_all(place, 12, &backup, &why), -EEXIST);
	assert_true(archive_has_staging(place->archive, 12));
	assert_true(exists(place, MONTH ID "/manifest.json"));
}

struct found {
	char ids[512];
	int64_t jobs;
	int calls;
	int result;
};

static int on_backup(const char *id, void *userdata)
{
	struct found *found = userdata;

	found->calls++;
	strncat(found->ids, id, sizeof(found->ids) - strlen(found->ids) - 1);
	return found->result;
}

static int on_staging(int64_t job, void *userdata)
{
	struct found *found = userdata;

	found->calls++;
	found->jobs += job;
	return found->result;
}

/* The daemon died between the rename and the commit of the row: all of it is in the directory. */
static void test_crash_before_row(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *why = NULL;
	struct found found = { 0 };
	struct backup backup;

	publish(place);
	archive_close(TAKE_PTR(place->archive));
	assert_int_equal(archive_open(place->directory, &place->archive), 0);
	assert_int_equal(archive_walk_staging(place->archive, on_staging, &found), 0);
	assert_int_equal(found.calls, 0);
	assert_int_equal(archive_walk_backups(place->archive, on_backup, &found), 0);
	assert_string_equal(found.ids, ID);
	assert_int_equal(archive_read_backup(place->archive, found.ids, &backup, &why), 0);
	assert_int_equal(backup.created, SOME_TIME);
	assert_int_equal(backup.job, 12);
	backup_clear(&backup);
}

static void test_walks(void **state)
{
	struct place *place = *state;
	struct found found = { 0 };

	publish(place);
	assert_int_equal(mkdirat(place->fd, MONTH "no-id", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "backups/2026/1x", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "backups/2026/12", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "backups/2026/12/" ID, 0700), 0); /* a wrong month */
	assert_int_equal(mkdirat(place->fd, "backups/lost+found", 0700), 0);
	assert_int_equal(symlinkat(ID, place->fd, MONTH "20261123T143110Z-MT6261-x-9"), 0);
	assert_int_equal(archive_walk_backups(place->archive, on_backup, &found), 0);
	assert_string_equal(found.ids, ID);
	found.result = -ECANCELED;
	assert_int_equal(archive_walk_backups(place->archive, on_backup, &found), -ECANCELED);

	found = (struct found){ 0 };
	assert_int_equal(mkdirat(place->fd, "staging/5", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "staging/7", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "staging/07", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "staging/0", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "staging/0x8", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "staging/99999999999999999999", 0700), 0);
	put(place->fd, "staging/8", "a file");
	assert_int_equal(archive_walk_staging(place->archive, on_staging, &found), 0);
	assert_int_equal(found.calls, 2);
	assert_int_equal(found.jobs, 12);
	found.result = -ECANCELED;
	found.calls = 0;
	assert_int_equal(archive_walk_staging(place->archive, on_staging, &found), -ECANCELED);
	assert_int_equal(found.calls, 1);
}

static void test_read_refuses(void **state)
{
	struct place *place = *state;
	struct manifest manifest = make_manifest();
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *why = NULL;
	struct backup backup;

	publish(place);
	fd = archive_open_backup(place->archive, ID);
	manifest.id = (char *)"20261123T143110Z-MT6261-" MEID "-13";
	put_manifest(fd, &manifest);
	assert_int_equal(archive_read_backup(place->archive, ID, &backup, &why), -EBADMSG);
	assert_non_null(strstr(why, "belongs to 20261123T143110Z-MT6261-"));
	assert_int_equal(archive_open_backup(place->archive, "../../lock"), -ENOENT);
	assert_int_equal(archive_open_backup(place->archive, manifest.id), -ENOENT);
}

static void test_remove_backup(void **state)
{
	struct place *place = *state;

	publish(place);
	assert_int_equal(archive_remove_backup(place->archive, ID), 0);
	assert_false(exists(place, MONTH ID));
	assert_false(exists(place, "trash/" ID));
	assert_int_equal(archive_remove_backup(place->archive, ID), -ENOENT);
	assert_int_equal(archive_remove_backup(place->archive, "../staging"), -ENOENT);
	publish(place); /* the id is free again */
}

/* A crash left removals half done; one of them is in the way of the next. */
static void test_sweep(void **state)
{
	struct place *place = *state;

	publish(place);
	assert_int_equal(mkdirat(place->fd, "trash/" ID, 0700), 0);
	put(place->fd, "trash/" ID "/ROM_0", "half");
	assert_int_equal(archive_remove_backup(place->archive, ID), 0);
	assert_false(exists(place, "trash/" ID));
	assert_false(exists(place, MONTH ID));

	assert_int_equal(mkdirat(place->fd, "trash/7", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "trash/7/firmware", 0700), 0);
	put(place->fd, "trash/7/firmware/a", "x");
	assert_int_equal(mkdirat(place->fd, "outside", 0700), 0);
	put(place->fd, "outside/kept", "x");
	assert_int_equal(symlinkat("../../outside", place->fd, "trash/7/link"), 0);
	assert_int_equal(archive_sweep(place->archive), 0);
	assert_false(exists(place, "trash/7"));
	assert_true(exists(place, "outside/kept"));
	assert_int_equal(archive_sweep(place->archive), 0);
}

/* A directory that was replaced by a link must not lead us elsewhere. */
static void test_links_are_not_followed(void **state)
{
	struct place *place = *state;

	publish(place);
	assert_int_equal(renameat(place->fd, "backups/2026", place->fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("../elsewhere", place->fd, "backups/2026"), 0);
	assert_true(archive_open_backup(place->archive, ID) < 0);
	assert_true(archive_remove_backup(place->archive, ID) < 0);
	assert_true(exists(place, "elsewhere/11/" ID "/ROM_0"));
	assert_int_equal(symlinkat("../elsewhere", place->fd, "staging/44"), 0);
	assert_true(archive_open_staging(place->archive, 44) < 0);
	assert_int_equal(archive_remove_staging(place->archive, 44), 0);
	assert_true(exists(place, "elsewhere/11/" ID "/ROM_0"));
	assert_false(exists(place, "staging/44"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_state, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lock_of_the_dead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_staging, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_publish, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_publish_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_crash_before_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_walks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_remove_backup, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sweep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_links_are_not_followed, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
