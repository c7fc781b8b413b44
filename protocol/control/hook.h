/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Programs that run after a job: what became of each (type HookResult of the interface), and the two
 * messages between the daemon and mtkrbd-hook, which runs them. The daemon sends one HookCall; for
 * each program comes one result, then the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

struct json_object;
struct problem;

enum hook_outcome {
	HOOK_OK,      /* exit status 0 */
	HOOK_FAILED,  /* another exit status */
	HOOK_KILLED,  /* by a signal */
	HOOK_TIMEOUT, /* it took too long and was killed */
	HOOK_REFUSED, /* not run: others could have written it */
	HOOK_BROKEN,  /* it could not be run, or nobody knows how it ended */
	_HOOK_OUTCOME_MAX,
};

const char *hook_outcome_to_string(enum hook_outcome outcome);

struct hook_result {
	char *name; /* of the program's file */
	enum hook_outcome outcome;
	int64_t status; /* exit status or signal, 0 where there is none */
	double seconds;
	char *message; /* the first line it wrote to stderr, or why it was not run; NULL: nothing */
};

void hook_result_clear(struct hook_result *result);
void hook_results_free(struct hook_result *results, size_t n);

/* Appends, taking what result holds, also on failure. -ENOMEM, -E2BIG over LIMIT_HOOKS. */
_must_check_ int hook_results_add(struct hook_result **results, size_t *n,
				  struct hook_result *result);

_must_check_ int hook_results_to_json(const struct hook_result *results, size_t n,
				      struct json_object **ret);
/* -EBADMSG with *problem, -ENOMEM. */
_must_check_ int hook_results_from_json(struct json_object *array, struct hook_result **ret,
					size_t *ret_n, struct problem *problem);

/* The same as text, for the store. */
_must_check_ int hook_results_to_text(const struct hook_result *results, size_t n, char **ret);
_must_check_ int hook_results_from_text(const char *text, struct hook_result **ret, size_t *ret_n);

/* ---- between the daemon and mtkrbd-hook ---- */

struct hook_call {
	double timeout;                  /* seconds for each program */
	struct json_object *environment; /* names to strings; the names begin with MTKRB_ */
	struct json_object *input;       /* what each program finds on stdin */
};

void hook_call_clear(struct hook_call *call);
_must_check_ int hook_call_to_text(const struct hook_call *call, char **ret);
/* -EBADMSG also for a name or value that cannot stand in an environment. */
_must_check_ int hook_call_from_text(const char *text, size_t size, struct hook_call *ret);

/* One result; NULL for the end, when all programs are through. */
_must_check_ int hook_reply_to_text(const struct hook_result *result, char **ret);
/* 1 with a result, 0 for the end, -EBADMSG. */
_must_check_ int hook_reply_from_text(const char *text, size_t size, struct hook_result *ret);
