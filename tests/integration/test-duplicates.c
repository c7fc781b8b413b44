/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Equal backups: stored once, and each whole without the other. */

#include "tests/integration/catalogue-bench.h"

#include <errno.h>
#include <sys/stat.h>

#define MEID "000000000000000000000000000000aa"

/*
 * Blocks of a file that are its own cannot be asked for without reading extents; the tests run where
 * there are no clones, so that a second link is what can be seen.
 */
static bool is_shared(const struct made *a, const struct made *b, const char *name)
{
	_cleanup_free_ char *x = str_format("%s/%s", a->path, name);
	_cleanup_free_ char *y = str_format("%s/%s", b->path, name);
	struct stat s, t;

	assert_int_equal(stat(x, &s), 0);
	assert_int_equal(stat(y, &t), 0);
	return s.st_ino == t.st_ino;
}

/* True where the rig's directory has clones. */
static bool has_clones(const struct rig *rig)
{
	_cleanup_free_ char *command = str_format(
		"cd '%s' && echo x >a && cp --reflink=always a b 2>/dev/null", rig->directory);

	return system(command) == 0;
}

static void check_sums(const struct made *made)
{
	_cleanup_free_ char *command =
		str_format("cd '%s' && sha256sum --quiet --strict -c SHA256SUMS", made->path);

	assert_int_equal(system(command), 0);
}

static void assert_verifies(struct rig *rig, const struct made *made)
{
	struct output output;

	assert_ctl(rig, 0, &output, "verify", made->id, NULL);
	output_clear(&output);
	check_sums(made);
}

static void test_stored_once(void **state)
{
	struct rig *rig = *state;
	_cleanup_(made_clear) struct made a = { 0 }, b = { 0 };
	char image[128];
	struct output output;

	rig_make_image(rig, "image", "1M", image);
	a = make_backup(rig, image, MEID, "");
	b = make_backup(rig, image, MEID, ",\"labels\":{\"ticket\":\"4711\"}");
	if (!has_clones(rig)) {
		assert_true(is_shared(&a, &b, "ROM_0"));
		assert_true(is_shared(&a, &b, "firmware/ROM"));
		assert_true(is_shared(&a, &b, "firmware/leftover/efuse"));
	}
	assert_false(is_shared(&a, &b, "manifest.json"));
	assert_false(is_shared(&a, &b, "report.txt"));
	assert_true(rig_log_has(rig, "are stored once"));

	/* Both say so, and are true by themselves. */
	assert_ctl(rig, 0, &output, "backup", b.id, NULL);
	assert_non_null(strstr(output.out, "identical to"));
	assert_non_null(strstr(output.out, a.id));
	output_clear(&output);
	assert_ctl(rig, 0, &output, "backups", NULL);
	assert_non_null(strstr(output.out, "identical"));
	output_clear(&output);
	assert_verifies(rig, &a);
	assert_verifies(rig, &b);

	assert_ctl(rig, 0, &output, "remove", a.id, NULL);
	output_clear(&output);
	assert_verifies(rig, &b);
	assert_ctl(rig, 0, &output, "backup", b.id, NULL);
	assert_null(strstr(output.out, "identical to"));
	output_clear(&output);
}

/* What has rotted on the disk must not take the place of what was just read. */
static void test_rotten_twin(void **state)
{
	struct rig *rig = *state;
	_cleanup_(made_clear) struct made a = { 0 }, b = { 0 }, c = { 0 };
	char image[128];
	struct output output;

	rig_make_image(rig, "image", "1M", image);
	a = make_backup(rig, image, MEID, "");
	rot(a.path, "ROM_0", 70000);
	b = make_backup(rig, image, MEID, "");
	assert_false(is_shared(&a, &b, "ROM_0"));
	assert_verifies(rig, &b);
	assert_ctl(rig, 1, &output, "verify", a.id, NULL);
	output_clear(&output);
	/* Known to be damaged, it is not even compared with: the next shares with the good one. */
	c = make_backup(rig, image, MEID, "");
	assert_false(is_shared(&a, &c, "ROM_0"));
	if (!has_clones(rig))
		assert_true(is_shared(&b, &c, "ROM_0"));
	assert_verifies(rig, &c);
}

static void test_switched_off(void **state)
{
	struct rig *rig = *state;
	_cleanup_(made_clear) struct made a = { 0 }, b = { 0 };
	char image[128];
	struct output output;

	rig_tear_down(rig);
	rig_set_up(rig, "[automatic]\nenabled=no\n[archive]\ndeduplicate=no\n");
	rig_start(rig);
	rig_make_image(rig, "image", "1M", image);
	a = make_backup(rig, image, MEID, "");
	b = make_backup(rig, image, MEID, "");
	assert_false(is_shared(&a, &b, "ROM_0"));
	assert_false(rig_log_has(rig, "are stored once"));
	/* It is identical all the same. */
	assert_ctl(rig, 0, &output, "backup", b.id, NULL);
	assert_non_null(strstr(output.out, "identical to"));
	output_clear(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stored_once, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_rotten_twin, rig_test_set_up,
						rig_test_tear_down),
		cmocka_unit_test_setup_teardown(test_switched_off, rig_test_set_up,
						rig_test_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
