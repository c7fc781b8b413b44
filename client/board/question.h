/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One question to the daemon at a time, on a connection of its own. It is waited for once, when it is
 * opened; a lost one is made anew for the next question, without waiting.
 */

#include <stdbool.h>

#include "client/complaint.h"

struct json_object;
struct question;

/* address is borrowed. Errors as in connection.h. */
_must_check_ int question_open(const char *address, struct question **ret,
			       struct complaint *complaint);
void question_free(struct question *question);
DEFINE_CLEANUP(struct question *, question_free);

/* True while an answer is to come. */
bool question_is_asked(const struct question *question);

/*
 * Asks; method is borrowed until the answer. Takes parameters, also on failure. Errors as in
 * connection.h.
 */
_must_check_ int question_ask(struct question *question, const char *method,
			      struct json_object *parameters, struct complaint *complaint);

/* For poll(); -1 when no answer is to come. */
int question_fd(const struct question *question);

/*
 * 1: the answer, the caller's; 0: not yet. Negative: it failed, with words: the daemon said no, went
 * away, or has not answered for QUESTION_SECONDS. Then no answer is to come any more.
 */
_must_check_ int question_take(struct question *question, struct json_object **ret,
			       struct complaint *complaint);

/* Ends the connection: no answer is to come, and the next question begins with a new one. */
void question_hang_up(struct question *question);

#define QUESTION_SECONDS 10
