/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/worker/image-profile.h"

static void test_cells(void **state)
{
	const size_t size = 3 * PROFILE_CELL_SIZE + 5000;
	_cleanup_free_ uint8_t *image = malloc(size);
	struct image_profile profile;

	(void)state;
	assert_non_null(image);
	memset(image, 0xff, size);
	for (size_t i = 0; i < PROFILE_CELL_SIZE; i++)
		image[i] = (uint8_t)i;
	for (size_t i = 0; i < PROFILE_CELL_SIZE; i++)
		image[PROFILE_CELL_SIZE + i] = (uint8_t)(i % 2 * 0x55);
	image[2 * PROFILE_CELL_SIZE + 4097] = 0;
	image_profile_make(image, size, &profile);
	assert_int_equal(profile.n_cells, 4);
	assert_int_equal(profile.cell_size, PROFILE_CELL_SIZE);
	assert_float_equal(profile.cells[0].entropy, 8, 0.001);
	assert_float_equal(profile.cells[1].entropy, 1, 0.001);
	assert_int_equal(profile.cells[1].erased, 0);
	assert_true(profile.cells[2].entropy > 0 && profile.cells[2].entropy < 0.01);
	assert_int_equal(profile.cells[2].erased, PROFILE_CELL_SIZE - PROFILE_PAGE_SIZE);
	assert_float_equal(profile.cells[3].entropy, 0, 0.001);
	assert_int_equal(profile.cells[3].size, 5000);
	assert_int_equal(profile.cells[3].erased, 5000);
	assert_int_equal(profile.erased, PROFILE_CELL_SIZE - PROFILE_PAGE_SIZE + 5000);
}

/* However large the image, the cells are few. */
static void test_large(void **state)
{
	const size_t size = (64U << 20) + 1;
	_cleanup_free_ uint8_t *image = calloc(1, size);
	struct image_profile profile;
	uint64_t covered = 0;

	(void)state;
	assert_non_null(image);
	image_profile_make(image, size, &profile);
	assert_true(profile.n_cells <= PROFILE_CELLS_MAX);
	for (size_t i = 0; i < profile.n_cells; i++)
		covered += profile.cells[i].size;
	assert_int_equal(covered, size);
	assert_int_equal(profile.erased, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
