/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/arguments.h"
#include "client/board/board.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/verb.h"
#include "protocol/base/strings.h"

enum { KEY_BELL = 1, KEY_NO_BELL };

static int bell_from_string(const char *word, enum board_bell *ret)
{
	static const char *const words[] = {
		[BOARD_BELL_ENDED] = "ended",
		[BOARD_BELL_FAILED] = "failed",
		[BOARD_BELL_NEVER] = "never",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(word, words[i])) {
			*ret = (enum board_bell)i;
			return 0;
		}
	return -1;
}

static int board_options(struct arguments *arguments, enum board_bell *ret)
{
	enum board_bell bell = BOARD_BELL_ENDED;
	const char *value;
	char **operands;
	size_t n;
	int key;

	while ((key = arguments_next(arguments, &value)) > 0) {
		if (key == KEY_NO_BELL)
			bell = BOARD_BELL_NEVER;
		else if (bell_from_string(value, &bell) < 0)
			return arguments_wrong(arguments,
					       "--bell=%s: not one of ended, failed, never", value);
	}
	if (key < 0 || arguments_operands(arguments, 0, 0, &operands, &n) < 0)
		return -1;
	*ret = bell;
	return 0;
}

static int board_verb_run(struct client *client, struct arguments *arguments)
{
	enum board_bell bell = BOARD_BELL_ENDED;

	if (board_options(arguments, &bell) < 0)
		return arguments->status;
	if (client->json) {
		print_failure(client, "board: there is no JSON of a screen");
		print_hint(client, "'mtkrbctl --json monitor' tells programs the same, event by "
				   "event; 'mtkrbctl --json jobs' what is now");
		return STATUS_USAGE;
	}
	if (!client->out.tty) {
		print_failure(client, "board: stdout is no terminal");
		print_hint(client, "'mtkrbctl follow' tells the same in lines");
		return STATUS_USAGE;
	}
	return board_run(client, bell);
}

static const struct verb_option options[] = {
	{ "bell", KEY_BELL, "WHEN", "ring when a job has ended (the default), failed, or never" },
	{ "no-bell", KEY_NO_BELL, NULL, "the same as --bell=never" },
	{ 0 },
};

const struct verb verb_board = {
	.name = "board",
	.group = "Daemon and ports",
	.arguments = "",
	.summary = "the whole bench on a screen, as it happens",
	.details =
		"One tile for each slot in bench order: its state, how far it is, whose watch it "
		"is "
		"and what\nto do next; a line for each slot where tiles have no room. Around them "
		"the day's totals, the\nqueue, free space and the last failure. Words and marks "
		"say everything, colour repeats it.\n"
		"\n"
		"Keys: arrows, PgUp, PgDn, Home, End select; Enter tells all about a slot and its "
		"job; r queues\nits failed or cancelled job again; c cancels it, after a question; "
		"? helps; q ends the board.\nJobs go on without it, and it goes on when the daemon "
		"is restarted. Without a terminal on\nstdin it only shows. There is no JSON of it: "
		"use monitor.",
	.options = options,
	.run = board_verb_run,
};
