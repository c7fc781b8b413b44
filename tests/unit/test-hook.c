/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What daemon and mtkrbd-hook say to each other, and what they do not believe. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "protocol/base/strings.h"
#include "protocol/control/hook.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

static void test_call(void **state)
{
	struct hook_call call = { .timeout = 2.5 }, back;
	char *text;

	(void)state;
	assert_int_equal(message_build(&call.environment, MEMBERS(M_STRING("MTKRB_JOB", "7"))), 0);
	assert_int_equal(message_build(&call.input, MEMBERS(M_INT("job", 7))), 0);
	assert_int_equal(hook_call_to_text(&call, &text), 0);
	assert_int_equal(hook_call_from_text(text, strlen(text), &back), 0);
	assert_true(back.timeout == 2.5);
	assert_string_equal(message_string(message_member(back.environment, "MTKRB_JOB")), "7");
	free(text);
	hook_call_clear(&call);
	hook_call_clear(&back);
}

static void test_calls_that_are_refused(void **state)
{
	static const char *const calls[] = {
		"{}",
		"{\"timeout\":1,\"environment\":{},\"input\":[]}",
		"{\"timeout\":-1,\"environment\":{},\"input\":{}}",
		"{\"timeout\":1,\"environment\":{\"LD_PRELOAD\":\"x\"},\"input\":{}}",
		"{\"timeout\":1,\"environment\":{\"MTKRB_A=B\":\"x\"},\"input\":{}}",
		"{\"timeout\":1,\"environment\":{\"MTKRB_A\":1},\"input\":{}}",
		"{\"timeout\":1,\"environment\":{},\"input\":{},\"program\":\"/bin/sh\"}",
	};
	struct hook_call call;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (hook_call_from_text(calls[i], strlen(calls[i]), &call) != -EBADMSG)
			fail_msg("taken: %s", calls[i]);
}

static struct hook_result make_result(const char *name)
{
	return (struct hook_result){ .name = strdup(name),
				     .outcome = HOOK_FAILED,
				     .status = 3,
				     .seconds = 0.25,
				     .message = strdup("no printer") };
}

static void test_replies(void **state)
{
	struct hook_result result = make_result("label-print"), back;
	char *text;

	(void)state;
	assert_int_equal(hook_reply_to_text(&result, &text), 0);
	assert_int_equal(hook_reply_from_text(text, strlen(text), &back), 1);
	assert_string_equal(back.name, "label-print");
	assert_int_equal(back.outcome, HOOK_FAILED);
	assert_int_equal(back.status, 3);
	assert_true(back.seconds == 0.25);
	assert_string_equal(back.message, "no printer");
	free(text);
	hook_result_clear(&result);
	hook_result_clear(&back);

	assert_int_equal(hook_reply_to_text(NULL, &text), 0);
	assert_int_equal(hook_reply_from_text(text, strlen(text), &back), 0);
	free(text);
	assert_int_equal(hook_reply_from_text("{}", 2, &back), -EBADMSG);
	assert_int_equal(hook_reply_from_text("{\"end\":false}", 13, &back), -EBADMSG);
	assert_int_equal(hook_reply_from_text("{\"result\":7}", 12, &back), -EBADMSG);
}

static void test_as_many_as_are_allowed(void **state)
{
	struct hook_result *results = NULL, *back, result;
	size_t n = 0, n_back;
	char *text;

	(void)state;
	for (size_t i = 0; i < LIMIT_HOOKS; i++) {
		result = make_result("one");
		assert_int_equal(hook_results_add(&results, &n, &result), 0);
		assert_null(result.name);
	}
	result = make_result("one too many");
	assert_int_equal(hook_results_add(&results, &n, &result), -E2BIG);
	assert_int_equal(hook_results_to_text(results, n, &text), 0);
	assert_int_equal(hook_results_from_text(text, &back, &n_back), 0);
	assert_int_equal(n_back, LIMIT_HOOKS);
	hook_results_free(results, n);
	hook_results_free(back, n_back);
	free(text);
	assert_int_equal(hook_results_from_text("{\"hooks\":{}}", &back, &n_back), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_calls_that_are_refused),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_as_many_as_are_allowed),
	};

	return cmocka_run_group_tests_name("hook", tests, NULL, NULL);
}
