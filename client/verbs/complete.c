/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <unistd.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/completion/completion.h"
#include "client/verb.h"

#define PATIENCE_SECONDS 2U /* of somebody who has pressed the tabulator key */

_noreturn_ static void give_up(int signal_number _unused_)
{
	_exit(STATUS_DONE);
}

static int complete_run(struct client *client, struct arguments *arguments)
{
	char **words;
	size_t n;

	if (arguments_only_operands(arguments, 0, SIZE_MAX, &words, &n) < 0)
		return arguments->status;
	(void)signal(SIGALRM, give_up);
	(void)alarm(PATIENCE_SECONDS);
	completion_print(client, words, n);
	return STATUS_DONE;
}

const struct verb verb_complete = {
	.name = "complete",
	.host = HOST_REFUSED,
	.arguments = "-- [WORD...]",
	.summary = "what the last word could become, one a line, for the completion of shells",
	.details = "A word, a tab and what it is; ':files' and ':directories' say that the shell\n"
		   "knows better.",
	.run = complete_run,
};
