/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/print.h"
#include "client/verb.h"

/* Options before the verb; 0 with the verb and where it stands, else negative (arguments.h). */
static int main_find_verb(struct arguments *arguments, const struct verb **ret, int *ret_index)
{
	const char *value, *name, *near;
	int r = arguments_next(arguments, &value);

	if (r < 0)
		return r;
	if (optind >= arguments->argc)
		return arguments_wrong(arguments, "what shall I do? A verb is missing");
	name = arguments->argv[optind];
	*ret = verb_find(name);
	*ret_index = optind;
	if (*ret)
		return 0;
	near = verb_suggest(name);
	if (!near)
		return arguments_wrong(arguments, "unknown verb: %s", name);
	print_failure(arguments->client, "unknown verb: %s", name);
	print_hint(arguments->client, "did you mean 'mtkrbctl %s'?", near);
	arguments->status = STATUS_USAGE;
	return -EINVAL;
}

static int main_run(struct client *client, int argc, char **argv)
{
	struct arguments arguments = { .client = client, .argc = argc, .argv = argv };
	const struct verb *verb;
	int index = 0;

	if (main_find_verb(&arguments, &verb, &index) < 0)
		return arguments.status;
	arguments = (struct arguments){
		.client = client,
		.verb = verb,
		.argc = argc - index,
		.argv = argv + index,
	};
	optind = 0; /* getopt_long begins anew */
	return verb->run(client, &arguments);
}

int main(int argc, char **argv)
{
	struct client client;
	int status;

	setlocale(LC_ALL, "");
	client_init(&client);
	/* What the daemon tells is UTF-8 whatever the user's locale is. */
	setlocale(LC_CTYPE, "C.UTF-8");

	status = main_run(&client, argc, argv);
	client_done(&client);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		print_failure(&client, "cannot write to stdout: %s", strerror(errno));
		if (status == STATUS_DONE)
			status = STATUS_FAILED;
	}
	return status;
}
