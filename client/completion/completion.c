/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/completion/completion.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/client.h"
#include "client/completion/source.h"
#include "client/output/text.h"
#include "client/verb.h"
#include "protocol/base/strings.h"

/* ---- What belongs where ---- */

/* Options by their name, whatever the verb. */
static const struct {
	const char *option, *offer;
} options[] = {
	{ "action", "submit cancel retry remove prune attach detach slot agent reload" },
	{ "after", "reset off stay" },
	{ "before", "@slots @backups" },
	{ "bell", "ended failed never" },
	{ "chip", "@chips" },
	{ "da", "/" },
	{ "fields", "ticket" },
	{ "firmware", "@firmwares" },
	{ "format", "table csv json" },
	{ "host", "" },
	{ "label", "@labels" },
	{ "meid", "@meids" },
	{ "method", "auto brom da" },
	{ "mode", "auto brom preloader" },
	{ "names", "standard extractor" },
	{ "object", "@jobs @backups @slots" },
	{ "slot", "@slots" },
	{ "socket", "/" },
	{ "state", "queued running waiting done failed cancelled" },
	{ "ticket", "@tickets" },
	{ "verify", "auto none sample full" },
};

/* All other options by what their argument is called in the help. */
static const struct {
	const char *argument, *offer;
} arguments[] = {
	{ "ADDR", "" },     { "AGE", "" },
	{ "BYTES", "" },    { "DIR", "//" },
	{ "DURATION", "" }, { "FILE", "/" },
	{ "HEX", "" },      { "N", "" },
	{ "NAME", "" },     { "NAME:START:LENGTH", "" },
	{ "OFFSET", "" },   { "PARTS", "" },
	{ "PERCENT", "" },  { "SECONDS", "" },
	{ "TIME", "" },
};

/* Operands: the first, and all behind it. */
static const struct {
	const char *verb, *first, *more;
} operands[] = {
	{ "attach", "/", NULL },
	{ "backup", "@backups", NULL },
	{ "backups", "", "" },
	{ "batch", "start status report finish", "@batches" },
	{ "cancel", "@unfinished", "@unfinished" },
	{ "check", "/", "/" },
	{ "complete", "", "" },
	{ "cut", "/", NULL },
	{ "da", "list add remove", "@agents /" },
	{ "detach", "@devices", NULL },
	{ "diff", "@backups /", "@backups /" },
	{ "explain", "@errors", "@errors" },
	{ "export", "@backups", "@backups /" },
	{ "extract", "/", "" },
	{ "files", "/", NULL },
	{ "follow", "@unfinished", "@unfinished" },
	{ "rebuild", "/", NULL },
	{ "remove", "@backups", "@backups" },
	{ "retry", "@ended", "@ended" },
	{ "show", "@jobs", NULL },
	{ "slot", "list name exclude include rule label forget", "@slots @rules" },
	{ "verify", "@backups", "@backups" },
};

static const char *of_option(const struct verb_option *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (streq(option->name, options[i].option))
			return options[i].offer;
	for (size_t i = 0; option->argument && i < ARRAY_SIZE(arguments); i++)
		if (streq(option->argument, arguments[i].argument))
			return arguments[i].offer;
	return NULL;
}

const char *completion_of(const struct verb *verb, const struct verb_option *option,
			  size_t n_operands)
{
	if (option)
		return of_option(option);
	for (size_t i = 0; i < ARRAY_SIZE(operands); i++)
		if (streq(verb->name, operands[i].verb))
			return n_operands == 0 ? operands[i].first : operands[i].more ?: "";
	return *verb->arguments ? NULL : "";
}

/* ---- The command line so far ---- */

struct line {
	struct client *client;
	const struct verb *verb;
	const struct verb_option *awaits; /* its argument is the next word */
	size_t n_operands;
	bool options_ended; /* by "--" */
	const char *last;
	size_t prefix; /* letters of last that stand before what is completed: "--label=" */
};

/* The option that a word is, "--name", "--name=value" or "-n"; NULL for none. */
static const struct verb_option *find_option(const struct verb *verb, const char *word)
{
	const struct verb_option *lists[] = { verb ? verb->options : NULL,
					      verb ? verb->more_options : NULL, general_options };
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct verb_option *o = lists[i]; o && o->name; o++) {
			bool letter = o->key >= 'A' && o->key <= 'z';

			if (strafter(word, "--")
				    ? strlen(o->name) == length - 2 &&
					      strncmp(o->name, word + 2, length - 2) == 0
				    : letter && word[1] == (char)o->key)
				return o;
		}
	return NULL;
}

/* What it says matters here when it says which daemon to ask. */
static void take_argument(struct line *line, const struct verb_option *option, const char *value)
{
	if (option->key == OPTION_SOCKET)
		client_set_address(line->client, value);
	else if (option->key == 'H')
		line->client->host = value;
}

static void take_option(struct line *line, const char *word)
{
	const struct verb_option *option = find_option(line->verb, word);
	const char *equals = strchr(word, '=');

	if (!option || !option->argument)
		return;
	if (word[1] != '-' && word[2])
		take_argument(line, option, word + 2);
	else if (word[1] == '-' && equals)
		take_argument(line, option, equals + 1);
	else
		line->awaits = option;
}

/* False when nothing that follows makes sense. */
static bool take_word(struct line *line, const char *word)
{
	if (line->awaits) {
		take_argument(line, line->awaits, word);
		line->awaits = NULL;
	} else if (streq(word, "--") && line->verb) {
		line->options_ended = true;
	} else if (word[0] == '-' && word[1] && !line->options_ended) {
		take_option(line, word);
	} else if (!line->verb) {
		line->verb = verb_find(word);
	} else {
		line->n_operands++;
	}
	return line->verb || line->awaits || word[0] == '-';
}

/* ---- What comes out ---- */

static void print_candidate(const char *word, const char *about, void *userdata)
{
	const struct line *line = userdata;
	_cleanup_free_ char *clean = text_clean(word), *clean_about = text_clean(about ?: "");

	/* What cannot be typed as it is helps nobody. */
	if (!clean || !clean_about || !streq(clean, word) ||
	    strncmp(word, line->last + line->prefix, strlen(line->last + line->prefix)) != 0)
		return;
	printf("%.*s%s\t%s\n", (int)line->prefix, line->last, word, clean_about);
}

static void print_offer(struct line *line, const char *offer)
{
	_cleanup_free_ char *words = strdup(offer ?: "");
	char *save = NULL;

	for (char *w = words ? strtok_r(words, " ", &save) : NULL; w;
	     w = strtok_r(NULL, " ", &save)) {
		if (streq(w, "/"))
			puts(":files");
		else if (streq(w, "//"))
			puts(":directories");
		else if (*w == '@')
			completion_source(line->client, w + 1, print_candidate, line);
		else
			print_candidate(w, NULL, line);
	}
}

static void print_verbs(struct line *line)
{
	for (size_t i = 0; i < n_verbs; i++)
		if (verbs[i]->group)
			print_candidate(verbs[i]->name, verbs[i]->summary, line);
}

static void print_options(struct line *line)
{
	const struct verb_option *lists[] = { line->verb ? line->verb->options : NULL,
					      line->verb ? line->verb->more_options : NULL,
					      general_options };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct verb_option *o = lists[i]; o && o->name; o++) {
			_cleanup_free_ char *word =
				str_format("--%s%s", o->name, o->argument ? "=" : "");

			if (word && o->text)
				print_candidate(word, o->text, line);
		}
}

void completion_print(struct client *client, char **words, size_t n)
{
	struct line line = { .client = client, .last = n > 0 ? words[n - 1] : "" };
	const char *equals = strchr(line.last, '=');

	for (size_t i = 0; i + 1 < n; i++)
		if (!take_word(&line, words[i]))
			return;
	if (line.awaits) {
		print_offer(&line, completion_of(line.verb, line.awaits, 0));
	} else if (*line.last == '-' && !line.options_ended && equals) {
		const struct verb_option *option = find_option(line.verb, line.last);

		line.prefix = (size_t)(equals + 1 - line.last);
		if (option && option->argument)
			print_offer(&line, completion_of(line.verb, option, 0));
	} else if (*line.last == '-' && !line.options_ended) {
		print_options(&line);
	} else if (!line.verb) {
		print_verbs(&line);
	} else {
		print_offer(&line, completion_of(line.verb, NULL, line.n_operands));
	}
}
