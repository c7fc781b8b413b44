/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What could stand at the end of a command line, for the completion of shells. The verbs and options
 * come from their own tables, ids, slots, labels and the like from the daemon; where there is none,
 * or it takes longer than a person wants to wait, there are simply none of those.
 */

#include <stddef.h>

#include "protocol/base/cleanup.h"

struct client;
struct verb;
struct verb_option;

/*
 * Prints what the last of n words (without the program's name) could become, one a line: the word, a
 * tab, a few words about it. A line ":files" or ":directories" says that the shell knows better, for
 * what is behind the "=" of an option.
 */
void completion_print(struct client *client, char **words, size_t n);

/*
 * What is offered for an option's argument (option NULL: for an operand of the verb): "@KIND" asks
 * the daemon, "/" and "//" stand for files and directories, "" for nothing, all else are the words
 * themselves. NULL where nobody has decided, which a test complains about.
 */
const char *completion_of(const struct verb *verb, const struct verb_option *option,
			  size_t n_operands);
