/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mtkrbctl files and extract on images: what can be proven is listed, the rest refused by name. */

#include "tests/integration/rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "tests/unit/user-area-bench.h"

#define USER_AREA     0x300000U /* where the virtual watch's 4 MiB have it */
#define USER_AREA_END 0x3fe000U

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	*state = rig;
	rig_set_up(rig, NULL);
	return 0;
}

/* Replaces the image's user area by one whose sectors lie in order. */
static void put_user_area(const char *image)
{
	_cleanup_free_ struct disk *disk = new_disk();
	_cleanup_free_ uint8_t *data = spread(disk, 0, 0);
	_cleanup_free_ uint8_t *rest = NULL;
	_cleanup_close_ int fd = open(image, O_WRONLY | O_CLOEXEC);
	const size_t size = BLOCKS * USER_AREA_BLOCK_SIZE;

	assert_true(fd >= 0);
	rest = malloc(USER_AREA_END - USER_AREA - size);
	assert_non_null(rest);
	memset(rest, 0xff, USER_AREA_END - USER_AREA - size);
	assert_int_equal(fd_pwrite_all(fd, data, size, USER_AREA), 0);
	assert_int_equal(
		fd_pwrite_all(fd, rest, USER_AREA_END - USER_AREA - size, USER_AREA + size), 0);
}

static void assert_ended(struct output output, int status, const char *words)
{
	if (output.status != status || !strstr(output.err, words))
		fail_msg("ended with %d: %s%s", output.status, output.out, output.err);
	output_clear(&output);
}

static void test_files(void **state)
{
	const struct rig *rig = *state;
	_cleanup_free_ char *out = str_format("%s/out", rig->directory);
	char image[128];
	struct output output;

	rig_make_image(rig, "image", "4M", image);
	put_user_area(image);
	output = rig_run(rig, "mtkrbctl", "files", image, NULL);
	assert_int_equal(output.status, 0);
	assert_non_null(strstr(output.out, "600  1/HELLO.TXT\n"));
	assert_non_null(strstr(output.out, "3  1/DIR/a long name.txt\n"));
	assert_non_null(strstr(output.err, "experimental"));
	output_clear(&output);
	output = rig_run(rig, "mtkrbctl", "--json", "files", image, NULL);
	assert_non_null(strstr(output.out, "\"experimental\":true"));
	output_clear(&output);

	assert_ended(rig_run(rig, "mtkrbctl", "extract", image, "1/HELLO.TXT", "-o", out, NULL), 0,
		     "not proven");
	assert_int_equal(file_size(out), 600);
	assert_ended(rig_run(rig, "mtkrbctl", "extract", image, "1/HELLO.TXT", "-o", out, NULL), 1,
		     "hint: --force");
	assert_ended(rig_run(rig, "mtkrbctl", "extract", image, "2/HELLO.TXT", "-o", "x", NULL), 4,
		     "hint:");
	assert_ended(rig_run(rig, "mtkrbctl", "extract", image, "1/DIR", "-o", "x", NULL), 1,
		     "is a directory");
}

/* The virtual watch's own user area is noise in the form of blocks; a ROM alone has none. */
static void test_refusals(void **state)
{
	const struct rig *rig = *state;
	char image[128];

	rig_make_image(rig, "other", "4M", image);
	assert_ended(rig_run(rig, "mtkrbctl", "files", image, NULL), 1, "--region=user-area");
	assert_ended(rig_run(rig, "mtkrbctl", "files", image, NULL), 1,
		     "no-mbr: the order of the sectors cannot be proven");
	assert_int_equal(truncate(image, 0x300000), 0);
	assert_ended(rig_run(rig, "mtkrbctl", "files", image, NULL), 1, "no-user-area");
	assert_ended(rig_run(rig, "mtkrbctl", "extract", image, "1/A", NULL), 2, "--output");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, set_up, rig_test_tear_down);
}
