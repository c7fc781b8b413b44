/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/manual.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "client/verb.h"
#include "protocol/base/strings.h"

#define LINE_BYTES 78U /* mandoc's lint wants no longer ones */

/* A letter of text: a backslash would begin an escape, a hyphen be taken for a typographic one. */
static void put_letter(FILE *out, char c)
{
	if (c == '\\')
		fputs("\\e", out);
	else if (c == '-')
		fputs("\\-", out);
	else
		fputc(c, out);
}

static void put_escaped(FILE *out, const char *s, size_t n)
{
	/* A control character at the beginning of a line makes a request of it. */
	if (n > 0 && (*s == '.' || *s == '\''))
		fputs("\\&", out);
	for (size_t i = 0; i < n; i++)
		put_letter(out, s[i]);
}

/* "word." and "(word.)" end a sentence, and with it the line. */
static bool ends_sentence(const char *word, size_t n)
{
	while (n > 0 && strchr(")'\"", word[n - 1]))
		n--;
	return n > 0 && strchr(".!?", word[n - 1]);
}

static void put_paragraph(FILE *out, const char *text, size_t size)
{
	size_t used = 0;

	while (size > 0) {
		size_t blank = strspn(text, " \n"), n;

		if (blank >= size)
			break;
		text += blank;
		size -= blank;
		n = MIN_OF(strcspn(text, " \n"), size);
		if (used > 0 && used + 1 + n > LINE_BYTES - 8) {
			fputc('\n', out);
			used = 0;
		}
		if (used > 0)
			fputc(' ', out);
		put_escaped(out, text, n);
		used += 1 + n;
		if (ends_sentence(text, n)) {
			fputc('\n', out);
			used = 0;
		}
		text += n;
		size -= n;
	}
	if (used > 0)
		fputc('\n', out);
}

/* A table that stands in the text with blanks between its columns. */
static bool is_table(const char *text, size_t size)
{
	return memmem(text, size, "   ", 3) != NULL;
}

static void put_table(FILE *out, const char *text, size_t size)
{
	fputs(".Bd -literal -compact\n", out);
	while (size > 0) {
		size_t n = MIN_OF(strcspn(text, "\n"), size);

		put_escaped(out, text, n);
		fputc('\n', out);
		n = MIN_OF(n + 1, size);
		text += n;
		size -= n;
	}
	fputs(".Ed\n", out);
}

/* Paragraphs with an empty line between them. */
static void put_text(FILE *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t n = end ? (size_t)(end - text) : strlen(text);

		fputs(".Pp\n", out);
		if (is_table(text, n))
			put_table(out, text, n);
		else
			put_paragraph(out, text, n);
		text += n;
		text += strspn(text, "\n");
	}
}

/* What is no whole sentence in the help is one here. */
static void put_summary(FILE *out, const char *text)
{
	_cleanup_free_ char *sentence = str_format("%s.", text);

	if (!sentence)
		return;
	*sentence = (char)toupper((unsigned char)*sentence);
	put_paragraph(out, sentence, strlen(sentence));
}

static void put_options(FILE *out, const struct verb_option *option)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (; option->name; option++) {
		if (!option->text)
			continue;
		fputs(".It ", out);
		if (option->key >= 'A' && option->key <= 'z')
			fprintf(out, "Fl %c , ", option->key);
		fprintf(out, "Fl -%s", option->name);
		if (option->argument)
			fprintf(out, " Ns = Ns Ar \"%s\"", option->argument);
		fputc('\n', out);
		put_paragraph(out, option->text, strlen(option->text));
	}
	fputs(".El\n", out);
}

/* They stand with the verb whose own they are. */
static void put_more_options(FILE *out, const struct verb *verb)
{
	for (size_t i = 0; i < n_verbs; i++) {
		_cleanup_free_ char *text = NULL;

		if (verbs[i]->options != verb->more_options)
			continue;
		text = str_format("%s: as of %s.", verb->more_title, verbs[i]->name);
		if (text)
			put_paragraph(out, text, strlen(text));
	}
}

static void put_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, ".It Cm %s", verb->name);
	if (verb->options)
		fputs(" Oo Ar OPTIONS Oc", out);
	if (*verb->arguments)
		fprintf(out, " Ar \"%s\"", verb->arguments);
	fputc('\n', out);
	put_summary(out, verb->summary);
	if (verb->details)
		put_text(out, verb->details);
	if (verb_host_text(verb))
		put_text(out, verb_host_text(verb));
	if (verb->options)
		put_options(out, verb->options);
	if (verb->more_options)
		put_more_options(out, verb);
}

static void put_verbs(FILE *out)
{
	const char *group = NULL;

	for (size_t i = 0; i < n_verbs; i++) {
		if (!verbs[i]->group)
			continue;
		if (!streq_ptr(group, verbs[i]->group)) {
			if (group)
				fputs(".El\n", out);
			group = verbs[i]->group;
			fprintf(out, ".Ss %s\n.Bl -tag -width Ds\n", group);
		}
		put_verb(out, verbs[i]);
	}
	fputs(".El\n", out);
}

int manual_print(FILE *template, FILE *out)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, template) >= 0) {
		if (streq(line, "@VERBS@\n"))
			put_verbs(out);
		else if (streq(line, "@OPTIONS@\n"))
			put_options(out, general_options);
		else
			fputs(line, out);
	}
	return ferror(template) ? -EIO : 0;
}
