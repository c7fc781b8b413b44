/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* mtkrbctl while it runs: what it is told on its standard input, and what it has said so far. */

#include "tests/integration/rig.h"

struct talk {
	pid_t pid;
	int in;       /* its standard input */
	int out, err; /* what it wrote, in memory */
};

/* Starts mtkrbctl with arguments up to a NULL. */
void talk_begin(struct talk *talk, const struct rig *rig, ...);

void talk_say(const struct talk *talk, const char *text);

/* Waits until the text is on its standard output, or on its standard error. */
void talk_await(const struct talk *talk, const char *text);
void talk_await_error(const struct talk *talk, const char *text);

/* Ends its input and waits for its end. */
struct output talk_end(struct talk *talk);
