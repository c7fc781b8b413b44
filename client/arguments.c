/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/calls/ssh.h"
#include "client/client.h"
#include "client/output/print.h"
#include "client/suggest.h"
#include "client/verb.h"
#include "protocol/base/strings.h"

#define MAX_OPTIONS 64U

/* Both lists as getopt_long wants them; returns their number. */
static size_t arguments_table(const struct verb *verb, struct option table[MAX_OPTIONS + 1])
{
	const struct verb_option *lists[] = { verb ? verb->options : NULL,
					      verb ? verb->more_options : NULL, general_options };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct verb_option *o = lists[i]; o && o->name && n < MAX_OPTIONS; o++)
			table[n++] = (struct option){
				.name = o->name,
				.has_arg = o->argument ? required_argument : no_argument,
				.val = o->key,
			};
	table[n] = (struct option){ 0 };
	return n;
}

/*
 * The short options: -h, -H, and those of the verb whose key is a letter. Before the verb, reading stops
 * at the first operand: the verb.
 */
static void arguments_letters(const struct verb *verb, char letters[2 * MAX_OPTIONS + 8])
{
	char *end = stpcpy(letters, verb ? ":hH:" : "+:hH:");

	for (const struct verb_option *o = verb ? verb->options : NULL; o && o->name; o++) {
		if (o->key < 'A' || o->key > 'z' || end - letters > 2 * (int)MAX_OPTIONS)
			continue;
		*end++ = (char)o->key;
		if (o->argument)
			*end++ = ':';
	}
	*end = '\0';
}

static int arguments_fail(struct arguments *arguments)
{
	if (arguments->verb)
		print_hint(arguments->client, "see 'mtkrbctl %s --help'", arguments->verb->name);
	else
		print_hint(arguments->client, "see 'mtkrbctl --help'");
	arguments->status = STATUS_USAGE;
	return -EINVAL;
}

int arguments_wrong(struct arguments *arguments, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	print_failure(arguments->client, "%s", text ? text : "out of memory");
	return arguments_fail(arguments);
}

/* An option that does not exist, with the nearest that does. */
static int arguments_unknown(struct arguments *arguments, const char *typed,
			     const struct option *table, size_t n)
{
	_cleanup_free_ char *name = strndup(typed, strcspn(typed, "="));
	const char *names[MAX_OPTIONS];
	const char *near = NULL;

	for (size_t i = 0; i < n; i++)
		names[i] = table[i].name;
	if (name && strafter(name, "--"))
		near = suggest_word(name + 2, names, n);
	if (!near)
		return arguments_wrong(arguments, "unknown option: %s", name ? name : typed);
	print_failure(arguments->client, "unknown option: %s", name);
	print_hint(arguments->client, "did you mean --%s?", near);
	arguments->status = STATUS_USAGE;
	return -EINVAL;
}

static const char *arguments_option_name(const struct option *table, size_t n, int key)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].val == key)
			return table[i].name;
	return NULL;
}

/* What getopt_long did not like; key is what it said. */
static int arguments_bad_option(struct arguments *arguments, int key, const struct option *table,
				size_t n)
{
	const char *name = optopt ? arguments_option_name(table, n, optopt) : NULL;

	if (name && key == ':')
		return arguments_wrong(arguments, "--%s needs an argument", name);
	if (name)
		return arguments_wrong(arguments, "--%s takes no argument", name);
	if (optopt)
		return arguments_wrong(arguments, "unknown option: -%c", optopt);
	return arguments_unknown(arguments, arguments->argv[optind - 1], table, n);
}

static int arguments_end(struct arguments *arguments)
{
	arguments->status = STATUS_DONE;
	return -ECANCELED;
}

static int arguments_host(struct arguments *arguments, const char *host)
{
	struct client *client = arguments->client;
	char *address = str_format(SSH_ADDRESS "%s", host);

	if (!address)
		return arguments_wrong(arguments, "out of memory");
	free(client->address);
	client->address = address;
	client->host_given = true;
	client_set_address(client, address);
	return 0;
}

/* Carries out a general option; 0 to go on. */
static int arguments_general(struct arguments *arguments, int key, const char *value)
{
	struct client *client = arguments->client;

	switch (key) {
	case OPTION_SOCKET:
		if (!*value)
			return arguments_wrong(arguments, "--socket needs a path");
		if (client->host_given)
			return arguments_wrong(arguments, "--socket does not go with --host");
		client_set_address(client, value);
		client->socket_given = true;
		return 0;
	case 'H':
		if (client->socket_given)
			return arguments_wrong(arguments, "--host does not go with --socket");
		return arguments_host(arguments, value);
	case OPTION_JSON:
		client->json = true;
		return 0;
	case OPTION_QUIET:
		client->quiet = true;
		return 0;
	case OPTION_NO_COLOR:
		client->out.colour = client->err.colour = false;
		return 0;
	case OPTION_VERSION:
		puts("mtkrbctl " MTKRB_VERSION);
		return arguments_end(arguments);
	default:
		if (arguments->verb)
			verb_print_help(arguments->verb);
		else
			verb_print_program_help();
		return arguments_end(arguments);
	}
}

int arguments_next(struct arguments *arguments, const char **ret_value)
{
	struct option table[MAX_OPTIONS + 1];
	char letters[2 * MAX_OPTIONS + 8];
	size_t n = arguments_table(arguments->verb, table);

	arguments_letters(arguments->verb, letters);
	opterr = 0;
	for (;;) {
		int key, r;

		optopt = 0;
		key = getopt_long(arguments->argc, arguments->argv, letters, table, NULL);
		if (key == -1)
			return 0;
		if (key == '?' || key == ':')
			return arguments_bad_option(arguments, key, table, n);
		if (key != 'h' && key != 'H' && key < OPTION_SOCKET) {
			*ret_value = optarg;
			return key;
		}
		r = arguments_general(arguments, key, optarg);
		if (r < 0)
			return r;
	}
}

int arguments_allow_host(struct arguments *arguments, enum verb_host host, const char *what)
{
	const struct client *client = arguments->client;

	if (host != HOST_REFUSED || !client->host_given)
		return 0;
	print_failure(client, "%s works on this machine alone: it does not go with --host", what);
	print_hint(client, "leave --host out, or run it there: ssh %s mtkrbctl %s ...",
		   client->host, what);
	arguments->status = STATUS_USAGE;
	return -EINVAL;
}

int arguments_operands(struct arguments *arguments, size_t min, size_t max, char ***ret,
		       size_t *ret_n)
{
	size_t n = (size_t)(arguments->argc - optind);
	int r = arguments_allow_host(arguments, arguments->verb->host, arguments->verb->name);

	if (r < 0)
		return r;
	if (n < min)
		return arguments_wrong(arguments, "%s: missing %s", arguments->verb->name,
				       arguments->verb->arguments);
	if (n > max)
		return arguments_wrong(arguments, "%s: too many arguments: %s",
				       arguments->verb->name,
				       arguments->argv[(size_t)optind + max]);
	*ret = arguments->argv + optind;
	*ret_n = n;
	return 0;
}

int arguments_only_operands(struct arguments *arguments, size_t min, size_t max, char ***ret,
			    size_t *ret_n)
{
	const char *value;
	int r = arguments_next(arguments, &value);

	return r < 0 ? r : arguments_operands(arguments, min, max, ret, ret_n);
}

int arguments_job_id(struct arguments *arguments, const char *text, int64_t *ret)
{
	if (parse_int(text, 1, INT64_MAX, ret) < 0)
		return arguments_wrong(arguments, "not a job's number: %s", text);
	return 0;
}
