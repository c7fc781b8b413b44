/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/print.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/client.h"
#include "client/output/text.h"
#include "protocol/control/message.h"

/* What the formatting gives, cleaned; NULL when out of memory. */
_printf_(1, 0) static char *print_text(const char *format, va_list ap)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, format, ap) < 0) {
		text = NULL;
		return NULL;
	}
	return text_clean(text);
}

_printf_(4, 0) static void print_marked(const struct term *term, enum tint tint, const char *mark,
					const char *format, va_list ap)
{
	_cleanup_free_ char *text = print_text(format, ap);

	fflush(stdout);
	fprintf(stderr, "%s%s%s%s\n", term_begin(term, tint), mark, term_end(term, tint),
		text ? text : "out of memory");
}

void print_failure(const struct client *client, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print_marked(&client->err, TINT_BAD, "mtkrbctl: ", format, ap);
	va_end(ap);
}

void print_hint(const struct client *client, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print_marked(&client->err, TINT_ACTIVE, "hint: ", format, ap);
	va_end(ap);
}

void print_note(const struct client *client, const char *format, ...)
{
	va_list ap;

	if (client->quiet)
		return;
	va_start(ap, format);
	print_marked(&client->err, TINT_NONE, "", format, ap);
	va_end(ap);
}

void print_line(const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = print_text(format, ap);
	va_end(ap);
	puts(text ? text : "out of memory");
	fflush(stdout);
}

int print_json(const struct client *client, struct json_object *object)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!client->out.tty)
		return print_json_line(object);
	r = message_to_pretty_text(object, &text);
	if (r < 0)
		return r;
	puts(text);
	return 0;
}

int print_json_line(struct json_object *object)
{
	_cleanup_free_ char *text = NULL;
	int r = message_to_text(object, &text);

	if (r < 0)
		return r;
	puts(text);
	fflush(stdout);
	return 0;
}
