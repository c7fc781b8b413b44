/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/verb.h"

static void main_refuse_verb(struct arguments *arguments, const char *name)
{
	const char *near = verb_suggest(name);

	if (!near) {
		arguments_wrong(arguments, "unknown verb: %s", name);
		return;
	}
	print_failure(arguments->client, "unknown verb: %s", name);
	print_hint(arguments->client, "did you mean 'mtkrbctl %s'?", near);
	arguments->status = STATUS_USAGE;
}

/* Takes the options before the verb, which stands at optind then; NULL: said why (arguments.h). */
static const struct verb *main_find_verb(struct arguments *arguments)
{
	const struct verb *verb;
	const char *value;

	if (arguments_next(arguments, &value) < 0)
		return NULL;
	if (optind >= arguments->argc) {
		arguments_wrong(arguments, "what shall I do? A verb is missing");
		return NULL;
	}
	verb = verb_find(arguments->argv[optind]);
	if (!verb)
		main_refuse_verb(arguments, arguments->argv[optind]);
	return verb;
}

static int main_run(struct client *client, int argc, char **argv)
{
	struct arguments arguments = { .client = client, .argc = argc, .argv = argv };
	const struct verb *verb = main_find_verb(&arguments);

	if (!verb)
		return arguments.status;
	arguments = (struct arguments){
		.client = client,
		.verb = verb,
		.argc = argc - optind,
		.argv = argv + optind,
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
