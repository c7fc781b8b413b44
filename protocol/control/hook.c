/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/hook.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define ENVIRONMENT_PREFIX "MTKRB_"
#define TIMEOUT_MAX        86400 /* seconds */

static const char *const outcome_words[] = {
	[HOOK_OK] = "ok",           [HOOK_FAILED] = "failed",   [HOOK_KILLED] = "killed",
	[HOOK_TIMEOUT] = "timeout", [HOOK_REFUSED] = "refused", [HOOK_BROKEN] = "broken",
};

const char *hook_outcome_to_string(enum hook_outcome outcome)
{
	return outcome_words[outcome];
}

void hook_result_clear(struct hook_result *result)
{
	free(result->name);
	free(result->message);
	*result = (struct hook_result){ 0 };
}

void hook_results_free(struct hook_result *results, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hook_result_clear(&results[i]);
	free(results);
}

int hook_results_add(struct hook_result **results, size_t *n, struct hook_result *result)
{
	struct hook_result *grown = NULL;

	if (*n < LIMIT_HOOKS)
		grown = reallocarray(*results, *n + 1, sizeof(*grown));
	if (!grown) {
		hook_result_clear(result);
		return *n < LIMIT_HOOKS ? -ENOMEM : -E2BIG;
	}
	grown[(*n)++] = *result;
	*results = grown;
	*result = (struct hook_result){ 0 };
	return 0;
}

static int result_to_json(const struct hook_result *result, struct json_object **ret)
{
	bool has_status = result->outcome == HOOK_FAILED || result->outcome == HOOK_KILLED;

	return message_build(ret,
			     MEMBERS(M_STRING("name", result->name),
				     M_STRING("outcome", hook_outcome_to_string(result->outcome)),
				     M_INT_IF(has_status, "status", result->status),
				     M_REAL("seconds", result->seconds),
				     M_STRING_OPT("message", result->message)));
}

static int result_from_json(struct json_object *object, struct hook_result *ret,
			    struct problem *problem)
{
	static const struct field fields[] = {
		{ .name = "name",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct hook_result, name),
		  .flags = FIELD_REQUIRED | FIELD_CLEAN,
		  .min = 1,
		  .max = NAME_MAX },
		{ .name = "outcome",
		  .type = FIELD_WORD,
		  .offset = offsetof(struct hook_result, outcome),
		  .flags = FIELD_REQUIRED,
		  .words = outcome_words,
		  .n_words = ARRAY_SIZE(outcome_words) },
		{ .name = "status",
		  .type = FIELD_INT,
		  .offset = offsetof(struct hook_result, status),
		  .min = 0,
		  .max = 255 },
		{ .name = "seconds",
		  .type = FIELD_REAL,
		  .offset = offsetof(struct hook_result, seconds),
		  .flags = FIELD_REQUIRED,
		  .min = 0,
		  .max = INT32_MAX },
		{ .name = "message",
		  .type = FIELD_STRING,
		  .offset = offsetof(struct hook_result, message),
		  .flags = FIELD_CLEAN,
		  .max = LIMIT_HOOK_MESSAGE_BYTES },
	};
	struct hook_result result = { 0 };
	int r = message_read_known(object, fields, ARRAY_SIZE(fields), &result, problem);

	if (r < 0) {
		hook_result_clear(&result);
		return r;
	}
	*ret = result;
	return 0;
}

int hook_results_to_json(const struct hook_result *results, size_t n, struct json_object **ret)
{
	_cleanup_message_ struct json_object *array = NULL;
	int r = message_new_array(&array);

	for (size_t i = 0; i < n && r >= 0; i++) {
		struct json_object *object;

		r = result_to_json(&results[i], &object);
		if (r >= 0)
			r = message_append(array, object);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

int hook_results_from_json(struct json_object *array, struct hook_result **ret, size_t *ret_n,
			   struct problem *problem)
{
	struct hook_result *results = NULL;
	size_t n = 0;
	int r = 0;

	if (!message_is_array(array) || message_length(array) > LIMIT_HOOKS)
		return problem_set(problem, "", "must be an array of at most %u", LIMIT_HOOKS);
	for (size_t i = 0; i < message_length(array) && r >= 0; i++) {
		struct hook_result result;

		r = result_from_json(message_at(array, i), &result, problem);
		if (r >= 0)
			r = hook_results_add(&results, &n, &result);
	}
	if (r < 0) {
		hook_results_free(results, n);
		return r;
	}
	*ret = results;
	*ret_n = n;
	return 0;
}

int hook_results_to_text(const struct hook_result *results, size_t n, char **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	struct json_object *array;
	int r = hook_results_to_json(results, n, &array);

	if (r >= 0)
		r = message_build(&object, MEMBERS(M_OBJECT("hooks", array)));
	return r < 0 ? r : message_to_text(object, ret);
}

int hook_results_from_text(const char *text, struct hook_result **ret, size_t *ret_n)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r = message_parse(text, strlen(text), &object);

	return r < 0 ? r
		     : hook_results_from_json(message_member(object, "hooks"), ret, ret_n, NULL);
}

/* ---- the call ---- */

void hook_call_clear(struct hook_call *call)
{
	message_unref(call->environment);
	message_unref(call->input);
	*call = (struct hook_call){ 0 };
}

int hook_call_to_text(const struct hook_call *call, char **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	int r = message_build(&object,
			      MEMBERS(M_REAL("timeout", call->timeout),
				      M_OBJECT("environment", message_ref(call->environment)),
				      M_OBJECT("input", message_ref(call->input))));

	return r < 0 ? r : message_to_text(object, ret);
}

static int check_variable(const char *name, struct json_object *value, void *userdata)
{
	const char *rest = strafter(name, ENVIRONMENT_PREFIX);

	(void)userdata;
	if (!rest || strspn(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(rest) ||
	    !message_string(value))
		return -EBADMSG;
	return 0;
}

int hook_call_from_text(const char *text, size_t size, struct hook_call *ret)
{
	static const struct field fields[] = {
		{ .name = "timeout",
		  .type = FIELD_REAL,
		  .offset = offsetof(struct hook_call, timeout),
		  .flags = FIELD_REQUIRED,
		  .min = 0,
		  .max = TIMEOUT_MAX },
		{ .name = "environment",
		  .type = FIELD_OBJECT,
		  .offset = offsetof(struct hook_call, environment),
		  .flags = FIELD_REQUIRED,
		  .max = LIMIT_HOOK_VARIABLES },
		{ .name = "input",
		  .type = FIELD_OBJECT,
		  .offset = offsetof(struct hook_call, input),
		  .flags = FIELD_REQUIRED },
	};
	_cleanup_message_ struct json_object *object = NULL;
	_cleanup_(hook_call_clear) struct hook_call call = { 0 };
	int r;

	r = message_parse(text, size, &object);
	if (r >= 0)
		r = message_read(object, fields, ARRAY_SIZE(fields), &call, NULL);
	if (r >= 0)
		r = message_each(call.environment, check_variable, NULL);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(call);
	return 0;
}

/* ---- the reply ---- */

int hook_reply_to_text(const struct hook_result *result, char **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	struct json_object *inner = NULL;
	int r = result ? result_to_json(result, &inner) : 0;

	if (r >= 0)
		r = message_build(&object, MEMBERS(M_OBJECT("result", inner),
						   result ? M_NONE : M_BOOL("end", true)));
	return r < 0 ? r : message_to_text(object, ret);
}

int hook_reply_from_text(const char *text, size_t size, struct hook_result *ret)
{
	static const struct field fields[] = {
		{ .name = "end", .type = FIELD_BOOL, .flags = FIELD_REQUIRED },
	};
	_cleanup_message_ struct json_object *object = NULL;
	bool end = false;
	int r = message_parse(text, size, &object);

	if (r < 0)
		return r;
	if (message_member(object, "result")) {
		r = result_from_json(message_member(object, "result"), ret, NULL);
		return r < 0 ? r : 1;
	}
	r = message_read(object, fields, ARRAY_SIZE(fields), &end, NULL);
	if (r < 0)
		return r;
	return end ? 0 : -EBADMSG;
}
