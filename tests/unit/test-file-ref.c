/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "protocol/control/file-ref.h"

static void test_parse(void **state _unused_)
{
	static const struct {
		const char *text;
		int result;
		size_t index;
		const char *name;
	} cases[] = {
		{ "agents.bin", 0, 0, "agents.bin" },
		{ "fd:0", 1, 0, NULL },
		{ "fd:3", 1, 3, NULL },
		{ "fd:1:a:b", 1, 1, "a:b" },
		{ "fd:4", -EINVAL, 0, NULL },
		{ "fd:10", -EINVAL, 0, NULL },
		{ "fd:", -EINVAL, 0, NULL },
		{ "fd:0:", -EINVAL, 0, NULL },
		{ "fd:0:fd:1", -EINVAL, 0, NULL },
		{ "fd:0:../x", -EINVAL, 0, NULL },
		{ "fd:0:.x", -EINVAL, 0, NULL },
		{ "", -EINVAL, 0, NULL },
		{ "..", -EINVAL, 0, NULL },
		{ "a/b", -EINVAL, 0, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = NULL;
		size_t index = 0;

		assert_int_equal(file_ref_parse(cases[i].text, &index, &name), cases[i].result);
		assert_int_equal(index, cases[i].index);
		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
		else
			assert_null(name);
	}
}

/* What is made is read again, with the name of the file where that is one. */
static void test_format(void **state _unused_)
{
	static const char longest[] =
		"012345678901234567890123456789012345678901234567890123456789";
	static const struct {
		const char *path, *name;
	} cases[] = {
		{ "/home/me/agents.bin", "agents.bin" },
		{ "agents.bin", "agents.bin" },
		{ "/tmp/my agents.bin", NULL },
		{ "/tmp/", NULL },
		{ "/tmp/.hidden", NULL },
		{ "fd:1", NULL },
		{ longest, NULL },
		{ longest + 1, longest + 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char reference[FILE_REF_SIZE];
		const char *name = NULL;
		size_t index = 0;

		file_ref_format(2, cases[i].path, reference);
		assert_int_equal(file_ref_parse(reference, &index, &name), 1);
		assert_int_equal(index, 2);
		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
		else
			assert_null(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
