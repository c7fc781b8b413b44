/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "client/completion/completion.h"
#include "client/verb.h"
#include "protocol/base/strings.h"
#include "protocol/control/job.h"

static void check_options(const struct verb *verb, const struct verb_option *option)
{
	for (; option && option->name; option++)
		if (option->argument && !completion_of(verb, option, 0))
			fail_msg("nothing says what --%s=%s of %s is completed with", option->name,
				 option->argument, verb ? verb->name : "every verb");
}

/* Somebody has decided for each verb and option, new ones too. */
static void test_all_are_known(void **state)
{
	(void)state;
	check_options(NULL, general_options);
	for (size_t i = 0; i < n_verbs; i++) {
		if (!completion_of(verbs[i], NULL, 0))
			fail_msg("nothing says what %s %s is completed with", verbs[i]->name,
				 verbs[i]->arguments);
		check_options(verbs[i], verbs[i]->options);
	}
}

static const char *offer(const char *option)
{
	const struct verb_option of = { .name = option, .argument = "WORD" };

	return completion_of(&verb_submit, &of, 0);
}

static void add_word(char *text, const char *word)
{
	strcat(text, *text ? " " : "");
	strcat(text, word);
}

static void test_words_are_those_of_the_interface(void **state)
{
	char states[256] = "", methods[256] = "", modes[256] = "", afters[256] = "";

	(void)state;
	for (unsigned int i = 0; i < _JOB_STATE_MAX; i++)
		add_word(states, job_state_to_string((enum job_state)i));
	for (unsigned int i = 0; i < _METHOD_MAX; i++)
		add_word(methods, read_method_to_string((enum read_method)i));
	for (unsigned int i = 0; i < _VERIFY_MAX; i++)
		add_word(modes, verify_mode_to_string((enum verify_mode)i));
	for (unsigned int i = 0; i < _AFTER_MAX; i++)
		add_word(afters, after_action_to_string((enum after_action)i));
	assert_string_equal(offer("state"), states);
	assert_string_equal(offer("method"), methods);
	assert_string_equal(offer("verify"), modes);
	assert_string_equal(offer("after"), afters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_known),
		cmocka_unit_test(test_words_are_those_of_the_interface),
	};

	return cmocka_run_group_tests_name("completion", tests, NULL, NULL);
}
