/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/da-container.h"

static void test_selection(void **state _unused_)
{
	struct entry entries[5] = { mt6261, mt6261, mt6261, mt6261, iot_entry(0x2523, 0, 0, 4) };
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	const struct da_entry *entry = NULL, *all;
	char why[DA_WHY_SIZE] = "";
	size_t n;
	int fd;
	static const struct {
		struct da_target target;
		int index; /* or a negative errno */
	} cases[] = {
		{ { 0x6261, 0xCB01, 0 }, 2 }, /* 0 and 1 are newer, 2 is the first that fits */
		{ { 0x6261, 0xCB01, 5 }, 1 }, /* its sw_version of 5 is reached */
		{ { 0x6261, 0xCC00, 9 }, 0 }, /* the first of those that fit */
		{ { 0x6261, 0xC000, 0 }, 3 }, /* 0 fits every version */
		{ { 0x2523, 0, 0 }, 4 },      { { 0x6260, 0xCB01, 0 }, -ENOENT },
	};

	entries[0].hw_version = 0xCC00;
	entries[1].sw_version = 5;
	entries[3].hw_version = 0;
	fd = new_container("x", entries, 5, false, MT6261_SIZE);
	file = open_file(fd);
	all = da_file_entries(file, &n);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = da_select(file, &cases[i].target, &entry, why);

		if (cases[i].index < 0)
			assert_int_equal(r, cases[i].index);
		else
			assert_ptr_equal(r < 0 ? NULL : entry, &all[cases[i].index]);
	}
	assert_non_null(strstr(why, "MT6260"));
	fd_close(fd);
}

static void test_too_new(void **state _unused_)
{
	const struct da_target target = { 0x6261, 0xC900, 0 };
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	const struct da_entry *entry = NULL;
	char why[DA_WHY_SIZE] = "";
	int fd = new_container("x", &mt6261, 1, false, MT6261_SIZE);

	file = open_file(fd);
	assert_int_equal(da_select(file, &target, &entry, why), -ENOENT);
	assert_non_null(strstr(why, "newer versions"));
	fd_close(fd);
}

static void test_incomplete(void **state _unused_)
{
	static const struct {
		size_t region;
		uint32_t length;
		const char *text;
	} cases[] = {
		{ 2, 0, "no da1" },
		{ 3, 0, "no da2" },
		{ 4, 0, "no nor-table" },
		{ 4, 35, "not whole rows" },
	};
	const struct da_target target = { 0x6261, 0xCB01, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct entry broken = mt6261;
		_cleanup_(da_file_freep) struct da_file *file = NULL;
		const struct da_entry *entry = NULL;
		char why[DA_WHY_SIZE] = "";
		int fd;

		broken.regions[cases[i].region].length = cases[i].length;
		broken.regions[cases[i].region].signature = 0;
		fd = new_container("x", &broken, 1, false, MT6261_SIZE);
		file = open_file(fd);
		assert_int_equal(da_select(file, &target, &entry, why), -EBADMSG);
		assert_non_null(strstr(why, cases[i].text));
		fd_close(fd);
	}
}

static void test_unknown_chip(void **state _unused_)
{
	const struct da_target target = { 0x1234, 0, 0 };
	struct entry unknown = mt6261;
	_cleanup_(da_file_freep) struct da_file *file = NULL;
	const struct da_entry *entry = NULL;
	char why[DA_WHY_SIZE] = "";
	int fd;

	unknown.hw_code = 0x1234;
	unknown.hw_version = 0;
	fd = new_container("x", &unknown, 1, false, MT6261_SIZE);
	file = open_file(fd);
	assert_int_equal(da_select(file, &target, &entry, why), -EOPNOTSUPP);
	fd_close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selection),
		cmocka_unit_test(test_too_new),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_unknown_chip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
