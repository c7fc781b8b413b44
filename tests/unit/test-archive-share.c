/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/archive-place.h"

#include <errno.h>

#define ID_13 "20261123T143110Z-MT6261-" MEID "-13"

#define OLD MONTH ID "/"
#define NEW "staging/13/"

static char *const names[] = { (char *)"ROM_0", (char *)"firmware/VIVA",
			       (char *)"firmware/leftover/a" };
#define ALL_BYTES (IMAGE_BYTES + 2)

/* A published backup of job 12, and the same read once more, staged by job 13. */
static void make_two(struct place *place)
{
	struct manifest manifest = make_manifest();
	_cleanup_free_ char *why = NULL;
	struct backup backup;

	fd_close(make_staging(place));
	assert_int_equal(publish_all(place, 12, &backup, &why), 0);
	backup_clear(&backup);
	fd_close(make_staging(place));
	assert_int_equal(renameat(place->fd, "staging/12", place->fd, "staging/13"), 0);
	manifest.id = (char *)ID_13;
	manifest.job = 13;
	{
		_cleanup_close_ int fd = archive_open_staging(place->archive, 13);

		put_manifest(fd, &manifest);
	}
}

static uint64_t share(struct place *place, char *const *which, size_t n)
{
	uint64_t bytes = 0;

	assert_int_equal(archive_share(place->archive, 13, ID, which, n, &bytes), 0);
	return bytes;
}

static ino_t inode(const struct place *place, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(place->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_ino;
}

static void assert_text(const struct place *place, const char *path, const char *expected)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(fd_read_file(place->fd, path, 64, &text, NULL), 0);
	assert_string_equal(text, expected);
}

static void publish_13(struct place *place)
{
	_cleanup_free_ char *why = NULL;
	struct backup backup;

	assert_int_equal(publish_all(place, 13, &backup, &why), 0);
	assert_string_equal(backup.id, ID_13);
	backup_clear(&backup);
}

static void assert_whole(const struct place *place, const char *directory)
{
	char path[256];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%sROM_0", directory);
	assert_int_equal(fstatat(place->fd, path, &st, 0), 0);
	assert_int_equal(st.st_size, IMAGE_BYTES);
	assert_int_equal(st.st_mode & 07777, 0640);
	(void)snprintf(path, sizeof(path), "%sfirmware/VIVA", directory);
	assert_text(place, path, "x");
	(void)snprintf(path, sizeof(path), "%sfirmware/leftover/a", directory);
	assert_text(place, path, "y");
}

static void assert_trash_is_empty(const struct place *place)
{
	assert_false(exists(place, "trash/share-13"));
}

static void test_shared_and_either_removed(void **state)
{
	struct place *place = *state;

	make_two(place);
	assert_true(inode(place, OLD "ROM_0") != inode(place, NEW "ROM_0"));
	assert_int_equal(share(place, names, ARRAY_SIZE(names)), ALL_BYTES);
	assert_trash_is_empty(place);
	publish_13(place);
	assert_whole(place, OLD);
	assert_whole(place, MONTH ID_13 "/");
	assert_int_equal(archive_remove_backup(place->archive, ID), 0);
	assert_whole(place, MONTH ID_13 "/");
}

static void test_the_newer_removed(void **state)
{
	struct place *place = *state;

	make_two(place);
	assert_int_equal(share(place, names, ARRAY_SIZE(names)), ALL_BYTES);
	publish_13(place);
	assert_int_equal(archive_remove_backup(place->archive, ID_13), 0);
	assert_whole(place, OLD);
}

/* The manifest and the papers are each backup's own: nobody asks for them to be shared. */
static void test_only_what_is_asked_for(void **state)
{
	struct place *place = *state;
	ino_t report;

	make_two(place);
	report = inode(place, NEW "report.txt");
	assert_int_equal(share(place, names, 1), IMAGE_BYTES);
	assert_int_equal(inode(place, NEW "report.txt"), report);
	assert_true(inode(place, OLD "firmware/VIVA") != inode(place, NEW "firmware/VIVA"));
}

/* Killed before the rename: the spare name lies in trash/, the staged file is the one it was. */
static void test_killed_before_the_rename(void **state)
{
	struct place *place = *state;

	make_two(place);
	assert_int_equal(linkat(place->fd, OLD "ROM_0", place->fd, "trash/share-13", 0), 0);
	archive_close(TAKE_PTR(place->archive));
	assert_int_equal(archive_open(place->directory, &place->archive), 0);
	assert_int_equal(archive_sweep(place->archive), 0);
	assert_trash_is_empty(place);
	assert_whole(place, OLD);
	assert_true(archive_is_read(place->archive, 13));

	/* Without a sweep between, too. */
	assert_int_equal(linkat(place->fd, OLD "ROM_0", place->fd, "trash/share-13", 0), 0);
	assert_int_equal(share(place, names, ARRAY_SIZE(names)), ALL_BYTES);
	assert_trash_is_empty(place);
	publish_13(place);
	assert_whole(place, OLD);
}

/* Killed behind it: renaming one link over another of the same file would do nothing at all. */
static void test_killed_behind_the_rename(void **state)
{
	struct place *place = *state;

	make_two(place);
	assert_int_equal(share(place, names, 1), IMAGE_BYTES);
	assert_int_equal(share(place, names, ARRAY_SIZE(names)), ALL_BYTES);
	assert_trash_is_empty(place);
	publish_13(place);
	assert_whole(place, OLD);
	assert_whole(place, MONTH ID_13 "/");
}

/* What cannot be shared stays as it is, and the rest is. */
static void test_what_is_not_alike(void **state)
{
	static char *const wrong[] = { (char *)"firmware",          (char *)"firmware/none",
				       (char *)"../../../lock",     (char *)"/etc/passwd",
				       (char *)"firmware/../ROM_0", (char *)"" };
	struct place *place = *state;
	uint64_t bytes;

	make_two(place);
	assert_int_equal(share(place, wrong, ARRAY_SIZE(wrong)), 0);
	assert_int_equal(archive_share(place->archive, 13, ID_13, names, 1, &bytes), -ENOENT);
	assert_int_equal(archive_share(place->archive, 14, ID, names, 1, &bytes), -ENOENT);

	put(place->fd, NEW "firmware/VIVA", "longer");
	assert_int_equal(unlinkat(place->fd, OLD "firmware/leftover/a", 0), 0);
	assert_int_equal(symlinkat("../VIVA", place->fd, OLD "firmware/leftover/a"), 0);
	assert_int_equal(share(place, names, ARRAY_SIZE(names)), IMAGE_BYTES);
	assert_text(place, NEW "firmware/VIVA", "longer");
	assert_text(place, NEW "firmware/leftover/a", "y");
	assert_trash_is_empty(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shared_and_either_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_newer_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_only_what_is_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_killed_before_the_rename, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_killed_behind_the_rename, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_not_alike, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("archive-share", tests, NULL, NULL);
}
