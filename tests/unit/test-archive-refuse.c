/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/archive-place.h"

#include <errno.h>

/* Each breaks one thing in a good staging, given its manifest. */
static void no_manifest(int fd, struct manifest *manifest)
{
	(void)manifest;
	assert_int_equal(unlinkat(fd, MANIFEST_FILE, 0), 0);
}

static void manifest_is_no_json(int fd, struct manifest *manifest)
{
	(void)manifest;
	put(fd, MANIFEST_FILE, "{\"format\": 1,");
}

static void manifest_of_the_future(int fd, struct manifest *manifest)
{
	_cleanup_free_ char *text = NULL;
	char *format;

	assert_int_equal(manifest_to_text(manifest, &text), 0);
	format = strpbrk(strstr(text, "\"format\""), "0123456789");
	*format = '2';
	put(fd, MANIFEST_FILE, text);
}

static void manifest_with_nul(int fd, struct manifest *manifest)
{
	(void)manifest;
	assert_int_equal(fd_replace_file(fd, MANIFEST_FILE, "{}\0{}", 5, 0600), 0);
}

static void manifest_too_large(int fd, struct manifest *manifest)
{
	const size_t size = 257UL * 1024;
	_cleanup_free_ char *text = malloc(size);

	(void)manifest;
	assert_non_null(text);
	memset(text, ' ', size);
	assert_int_equal(fd_replace_file(fd, MANIFEST_FILE, text, size, 0600), 0);
}

static void manifest_is_a_link(int fd, struct manifest *manifest)
{
	(void)manifest;
	assert_int_equal(renameat(fd, MANIFEST_FILE, fd, "real.json"), 0);
	assert_int_equal(symlinkat("real.json", fd, MANIFEST_FILE), 0);
}

static void manifest_is_a_fifo(int fd, struct manifest *manifest)
{
	(void)manifest;
	assert_int_equal(unlinkat(fd, MANIFEST_FILE, 0), 0);
	assert_int_equal(mkfifoat(fd, MANIFEST_FILE, 0600), 0);
}

static void other_job(int fd, struct manifest *manifest)
{
	manifest->job = 13;
	put_manifest(fd, manifest);
}

static void bad_id(int fd, struct manifest *manifest)
{
	manifest->id = (char *)"../../../etc/mtkrbd";
	put_manifest(fd, manifest);
}

static void file_outside(int fd, struct manifest *manifest)
{
	struct manifest_range range = rom;

	range.file = (char *)"../12/ROM_0";
	manifest->read.ranges = &range;
	put_manifest(fd, manifest);
}

static void no_image(int fd, struct manifest *manifest)
{
	(void)manifest;
	assert_int_equal(unlinkat(fd, "ROM_0", 0), 0);
}

static void short_image(int fd, struct manifest *manifest)
{
	(void)manifest;
	put_image(fd, IMAGE_BYTES - 1);
}

static void long_image(int fd, struct manifest *manifest)
{
	(void)manifest;
	put_image(fd, IMAGE_BYTES + 1);
}

static void image_is_a_link(int fd, struct manifest *manifest)
{
	(void)manifest;
	assert_int_equal(renameat(fd, "ROM_0", fd, "ROM_1"), 0);
	assert_int_equal(symlinkat("ROM_1", fd, "ROM_0"), 0);
}

static void image_is_a_directory(int fd, struct manifest *manifest)
{
	(void)manifest;
	assert_int_equal(unlinkat(fd, "ROM_0", 0), 0);
	assert_int_equal(mkdirat(fd, "ROM_0", 0700), 0);
}

static void no_sums(int fd, struct manifest *manifest)
{
	(void)manifest;
	assert_int_equal(unlinkat(fd, "SHA256SUMS", 0), 0);
}

static void map_left(int fd, struct manifest *manifest)
{
	(void)manifest;
	put(fd, "ROM_0.map", "x");
}

static void state_left(int fd, struct manifest *manifest)
{
	(void)manifest;
	put(fd, "state.json", "{}");
}

static void link_inside(int fd, struct manifest *manifest)
{
	(void)manifest;
	assert_int_equal(symlinkat("/etc/passwd", fd, "firmware/leftover/passwd"), 0);
}

static void too_deep(int fd, struct manifest *manifest)
{
	char path[64] = "d";

	(void)manifest;
	for (int i = 0; i < 9; i++) {
		assert_int_equal(mkdirat(fd, path, 0700), 0);
		memcpy(path + strlen(path), "/d", 3);
	}
}

static const struct {
	void (*do_it)(int fd, struct manifest *manifest);
	const char *why;
} breakages[] = {
	{ no_manifest, "manifest.json is missing" },
	{ manifest_is_no_json, "manifest.json: " },
	{ manifest_of_the_future, "format" },
	{ manifest_with_nul, "is not text" },
	{ manifest_too_large, "larger than 262144 bytes" },
	{ manifest_is_a_link, "manifest.json is not a regular file" },
	{ manifest_is_a_fifo, "manifest.json is not a regular file" },
	{ other_job, "belongs to job 13" },
	{ bad_id, "id" },
	{ file_outside, "file" },
	{ no_image, "ROM_0 is missing" },
	{ short_image, "ROM_0 has 4095 bytes, the manifest says 4096" },
	{ long_image, "ROM_0 has 4097 bytes, the manifest says 4096" },
	{ image_is_a_link, "ROM_0 is not a regular file" },
	{ image_is_a_directory, "ROM_0 is not a regular file" },
	{ no_sums, "SHA256SUMS is missing" },
	{ map_left, "ROM_0.map is still there" },
	{ state_left, "state.json is still there" },
	{ link_inside, "neither a file nor a directory" },
	{ too_deep, "nested too deep" },
};

static void remove_deep(struct place *place)
{
	/* Deeper than the archive goes; out of its way before the next one. */
	if (archive_remove_staging(place->archive, 12) == -ELOOP)
		assert_int_equal(renameat(place->fd, "trash/12/d/d/d", place->fd, "trash/13"), 0);
	assert_int_equal(archive_sweep(place->archive), 0);
}

static void test_refuse(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < ARRAY_SIZE(breakages); i++) {
		struct manifest manifest = make_manifest();
		int fd = make_staging(place);
		_cleanup_free_ char *why = NULL;
		struct backup backup;

		breakages[i].do_it(fd, &manifest);
		fd_close(fd);
		assert_int_equal(publish_all(place, 12, &backup, &why), -EBADMSG);
		assert_non_null(why);
		if (!strstr(why, breakages[i].why))
			fail_msg("expected %s, got %s", breakages[i].why, why);
		assert_true(archive_has_staging(place->archive, 12));
		assert_false(exists(place, MONTH ID));
		remove_deep(place);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refuse, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("archive-refuse", tests, NULL, NULL);
}
