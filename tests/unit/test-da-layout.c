/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/da-container.h"

/* As an agent for the MT6261 is passed around: DA1, DA2, 264 rows, then what is not needed. */
#define BARE      "da1=0:0x718:0x70007000:0x400,da2=0x718:0x1E5C8:0x10020000:0x800,table=0x1ECE0:9504"
#define BARE_SIZE 141816

static void test_bare(void **state _unused_)
{
	const struct da_target targets[] = { { 0x6261, 0xCB01, 1 }, { 0x6260, 0xCB00, 0 } };
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	const struct da_entry *entry = NULL;
	char why[DA_WHY_SIZE] = "";
	int fd = memfd_create("bare", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, BARE_SIZE), 0);
	refuses(fd, NULL, -EINVAL, "no layout");
	assert_int_equal(da_file_open(fd, BARE, &file, why), 0);
	assert_null(da_file_version(file));
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		assert_int_equal(da_select(file, &targets[i], &entry, why), 0);
	assert_int_equal(entry->hw_code, 0);
	assert_int_equal(da_entry_region(entry, DA_REGION_DA2)->load_address, 0x10020000);
	assert_int_equal(da_entry_region(entry, DA_REGION_DA2)->signature_length, 0x800);
	assert_int_equal(da_entry_region(entry, DA_REGION_NOR_TABLE)->length, 264 * 36);

	da_file_free(TAKE_PTR(file));
	assert_int_equal(da_file_open(fd, BARE ",chip=0x6260", &file, why), 0);
	assert_int_equal(da_select(file, &targets[0], &entry, why), -ENOENT);
	assert_int_equal(da_select(file, &targets[1], &entry, why), 0);
	fd_close(fd);
}

static void test_layouts(void **state _unused_)
{
	static const struct {
		const char *layout, *text;
	} bad[] = {
		{ "", "not one of" },
		{ "da1", "da1 needs" },
		{ "da1=", "da1 needs" },
		{ "da1=0:16", "da1 needs OFFSET:LENGTH:ADDRESS" },
		{ "da1=0:16:0:0:0,table=0:36", "da1 needs" },
		{ "da1=-1:16:0,table=0:36", "da1 needs" },
		{ "da1=0x:16:0,table=0:36", "da1 needs" },
		{ "da1=0:16:0,", "not one of" },
		{ "da1=0:16:0", "table is missing" },
		{ "table=0:36", "da1 is missing" },
		{ "da1=0:16:0,da1=0:16:0,table=0:36", "there twice" },
		{ "da3=0:16:0", "not one of" },
		{ "da1=0:0:0,table=0:36", "not empty" },
		{ "da1=0:16:0,table=0:35", "not whole rows" },
		{ "da1=0:16:0,table=0:36:0", "table needs OFFSET:LENGTH" },
		{ "da1=0:16:0,table=0:0", "not empty" },
		{ "da1=0:16:0x100000000,table=0:36", "32-bit" },
		{ "da1=0:16:0xFFFFFFF1,table=0:36", "32-bit" },
		{ "da1=0:16:0:17,table=0:36", "signature" },
		{ "da1=0xFFFFFFFFFFFFFFFF:16:0,table=0:36", "below" },
		{ "da1=0:16:0,table=0:36,chip=0", "chip must" },
		{ "da1=0:16:0,table=0:36,chip=0x10000", "chip must" },
	};
	char why[DA_WHY_SIZE], longest[1024];
	int fd = memfd_create("bare", MFD_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(da_layout_check(bad[i].layout, why), -EINVAL);
		if (!strstr(why, bad[i].text))
			fail_msg("%s: '%s' does not say '%s'", bad[i].layout, why, bad[i].text);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(da_layout_check(longest, why), -EINVAL);
	assert_int_equal(da_layout_check(BARE, why), 0);

	/* What is beyond the end is seen when there is a file. */
	assert_int_equal(ftruncate(fd, 0x1ECE0 + 9503), 0);
	refuses(fd, BARE, -EINVAL, "layout: table");
	assert_int_equal(ftruncate(fd, 0x717), 0);
	refuses(fd, BARE, -EINVAL, "layout: da1");
	assert_int_equal(ftruncate(fd, 0), 0);
	refuses(fd, BARE, -EINVAL, "layout: da1");
	fd_close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_layouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
