/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Command line of the program or of a verb: options anywhere, the general ones too, which it carries
 * out itself. What is wrong is put on stderr here, with the nearest option where one is close.
 */

#include <stddef.h>
#include <stdint.h>

#include "client/verb.h"
#include "protocol/base/cleanup.h"

struct client;

struct arguments {
	struct client *client;
	const struct verb *verb; /* NULL: options before the verb */
	int argc;
	char **argv; /* [0] is the program or the verb; reordered while reading */
	int status;  /* the exit status when arguments_next was negative */
};

/*
 * The key of the next option of the verb, with its argument (borrowed) or NULL in *ret_value. 0 when
 * all are read. Negative when the program is to end with arguments->status: the line is wrong (said
 * so), or it asked for help or the version (printed).
 */
_must_check_ int arguments_next(struct arguments *arguments, const char **ret_value);

/*
 * The operands, once arguments_next returned 0: their number in *ret_n, argv style. Complains and
 * returns negative (see above) when there are fewer than min or more than max, and when there is a
 * -H that the verb refuses.
 */
_must_check_ int arguments_operands(struct arguments *arguments, size_t min, size_t max,
				    char ***ret, size_t *ret_n);

/* For verbs without options of their own: both in one. */
_must_check_ int arguments_only_operands(struct arguments *arguments, size_t min, size_t max,
					 char ***ret, size_t *ret_n);

/*
 * For a part of a verb, which what names, where it is not as the whole verb: complains and returns
 * negative (see above) when it refuses the -H that was given.
 */
_must_check_ int arguments_allow_host(struct arguments *arguments, enum verb_host host,
				      const char *what);

/*
 * An operand that is a job's number; complains and sets the status when it is none. Negative errno.
 */
_must_check_ int arguments_job_id(struct arguments *arguments, const char *text, int64_t *ret);

/* Complains about an option's argument and sets the status; always negative. */
_printf_(2, 3) int arguments_wrong(struct arguments *arguments, const char *format, ...);
