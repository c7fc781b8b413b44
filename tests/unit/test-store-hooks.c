/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs after a job: wanted from its end until their results are stored, for each of its ends. */

#include "tests/unit/store-place.h"

static struct hooks_wanted only_wanted(struct place *place)
{
	struct hooks_wanted wanted[2];
	size_t n;

	assert_int_equal(store_wanted_hooks(place->store, wanted, ARRAY_SIZE(wanted), &n), 0);
	assert_int_equal(n, 1);
	return wanted[0];
}

static void assert_none_wanted(struct place *place)
{
	struct hooks_wanted wanted;
	size_t n;

	assert_int_equal(store_wanted_hooks(place->store, &wanted, 1, &n), 0);
	assert_int_equal(n, 0);
}

static void assert_outcome(struct place *place, int64_t job, enum hook_outcome outcome)
{
	struct hook_result *results;
	size_t n;

	assert_int_equal(store_get_hooks(place->store, job, &results, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(results[0].outcome, outcome);
	hook_results_free(results, n);
}

static void test_until_the_results_are_there(void **state)
{
	struct place *place = *state;
	struct hook_result result = { .name = (char *)"label-print", .outcome = HOOK_OK };
	int64_t job = add_job(place, JOB_FAILED);
	struct hooks_wanted wanted;

	assert_none_wanted(place);
	assert_int_equal(store_want_hooks(place->store, job), 0);
	reopen(place);
	wanted = only_wanted(place);
	assert_int_equal(wanted.job, job);
	assert_int_equal(store_set_hooks(place->store, &wanted, &result, 1), 0);
	reopen(place);
	assert_none_wanted(place);
	assert_outcome(place, job, HOOK_OK);
}

/* They still run for one end of the job when it is retried and ends once more. */
static void test_an_end_in_the_middle_of_a_run(void **state)
{
	struct place *place = *state;
	struct hook_result first = { .name = (char *)"label-print", .outcome = HOOK_OK };
	struct hook_result second = { .name = (char *)"label-print", .outcome = HOOK_FAILED };
	int64_t job = add_job(place, JOB_FAILED);
	struct hooks_wanted wanted;

	assert_int_equal(store_want_hooks(place->store, job), 0);
	wanted = only_wanted(place);
	assert_int_equal(store_want_hooks(place->store, job), 0);
	assert_int_equal(store_set_hooks(place->store, &wanted, &first, 1), 0);
	assert_outcome(place, job, HOOK_OK);

	wanted = only_wanted(place);
	assert_int_equal(store_set_hooks(place->store, &wanted, &second, 1), 0);
	assert_none_wanted(place);
	assert_outcome(place, job, HOOK_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_until_the_results_are_there, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_an_end_in_the_middle_of_a_run, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("store-hooks", tests, NULL, NULL);
}
