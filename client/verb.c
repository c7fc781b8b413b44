/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>

#include "client/suggest.h"
#include "protocol/base/strings.h"

#define HELP_COLUMN 28 /* where the text of an option begins */
#define VERB_COLUMN 22 /* where the text of a verb begins */

const struct verb *const verbs[] = {
	&verb_status, &verb_board,   &verb_ports,   &verb_attach,   &verb_detach,  &verb_slot,
	&verb_rules,  &verb_audit,   &verb_metrics, &verb_submit,   &verb_batch,   &verb_jobs,
	&verb_show,   &verb_follow,  &verb_cancel,  &verb_retry,    &verb_monitor, &verb_backups,
	&verb_backup, &verb_verify,  &verb_export,  &verb_diff,     &verb_remove,  &verb_prune,
	&verb_da,     &verb_explain, &verb_doctor,  &verb_check,    &verb_rebuild, &verb_cut,
	&verb_files,  &verb_extract, &verb_bridge,  &verb_complete, &verb_manual,
};
const size_t n_verbs = ARRAY_SIZE(verbs);

const struct verb_option general_options[] = {
	{ "socket", OPTION_SOCKET, "PATH", "the daemon's socket (also: MTKRB_SOCKET)" },
	{ "host", 'H', "[USER@]HOST", "the daemon of another machine, over ssh" },
	{ "json", OPTION_JSON, NULL, "JSON on stdout, for programs" },
	{ "quiet", OPTION_QUIET, NULL, "no progress and no remarks" },
	{ "no-color", OPTION_NO_COLOR, NULL, "no colours on a terminal (also: NO_COLOR)" },
	{ "help", OPTION_HELP, NULL, "this help; VERB --help tells about a verb" },
	{ "version", OPTION_VERSION, NULL, "the version" },
	{ 0 },
};

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < n_verbs; i++)
		if (streq(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

const char *verb_host_text(const struct verb *verb)
{
	static const char *const texts[] = {
		[HOST_ASKED] = NULL,
		[HOST_RUNS] =
			"With --host it runs on that machine, with the rights of the user there.",
		[HOST_REFUSED] = "It works on this machine alone: --host is refused.",
	};

	return texts[verb->host];
}

const char *verb_suggest(const char *name)
{
	const char *names[ARRAY_SIZE(verbs)];
	size_t n = 0;

	for (size_t i = 0; i < n_verbs; i++)
		if (verbs[i]->group)
			names[n++] = verbs[i]->name;
	return suggest_word(name, names, n);
}

/* "  --name=ARG   text"; text goes to its own line where the first part is too long. */
static void verb_print_option(const struct verb_option *option)
{
	bool letter = option->key >= 'A' && option->key <= 'z';
	int n = printf("  %s%.*s%s--%s%s%s", letter ? "-" : "", letter ? 1 : 0,
		       (const char[]){ (char)option->key }, letter ? ", " : "", option->name,
		       option->argument ? "=" : "", option->argument ? option->argument : "");

	if (n > HELP_COLUMN - 2) {
		putchar('\n');
		n = 0;
	}
	printf("%*s%s\n", HELP_COLUMN - n, "", option->text);
}

static void verb_print_options(const char *title, const struct verb_option *options)
{
	printf("\n%s:\n", title);
	for (; options->name; options++)
		if (options->text)
			verb_print_option(options);
}

static void verb_print_summary(const struct verb *verb)
{
	int n = printf("  %s%s%s", verb->name, *verb->arguments ? " " : "", verb->arguments);

	printf("%*s%s\n", n < VERB_COLUMN ? VERB_COLUMN - n : 2, "", verb->summary);
}

void verb_print_program_help(void)
{
	const char *group = "";

	puts("Usage: mtkrbctl [OPTIONS] VERB [...]\n"
	     "\n"
	     "Backs up the flash of MediaTek watches through the daemon mtkrbd.");
	for (size_t i = 0; i < n_verbs; i++) {
		if (!verbs[i]->group)
			continue;
		if (!streq(group, verbs[i]->group)) {
			group = verbs[i]->group;
			printf("\n%s:\n", group);
		}
		verb_print_summary(verbs[i]);
	}
	verb_print_options("Options", general_options);
	puts("\n"
	     "Exit status: 0 done, 1 the job or the check failed, 2 wrong usage, 3 no daemon,\n"
	     "4 no such thing, 5 not permitted, 6 refused by the daemon, 130 interrupted.");
}

void verb_print_help(const struct verb *verb)
{
	printf("Usage: mtkrbctl %s%s%s%s\n\n%c%s.\n", verb->name, verb->options ? " [OPTIONS]" : "",
	       *verb->arguments ? " " : "", verb->arguments,
	       toupper((unsigned char)verb->summary[0]), verb->summary + 1);
	if (verb->details)
		printf("\n%s\n", verb->details);
	if (verb_host_text(verb))
		printf("\n%s\n", verb_host_text(verb));
	if (verb->options)
		verb_print_options("Options", verb->options);
	if (verb->more_options)
		verb_print_options(verb->more_title, verb->more_options);
	verb_print_options("General options", general_options);
}
