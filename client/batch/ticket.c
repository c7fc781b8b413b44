/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/batch/ticket.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/control/batch.h"

#define IMEI_DIGITS 15U
/* What some spreadsheets put before the first line of UTF-8 text. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

_printf_(2, 3) static int wrong(char why[TICKET_WHY_SIZE], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, TICKET_WHY_SIZE, format, ap);
	va_end(ap);
	return -EINVAL;
}

/* ---- The format ---- */

void ticket_format_clear(struct ticket_format *format)
{
	for (size_t i = 0; i < format->n; i++)
		free(format->keys[i]);
	*format = (struct ticket_format){ 0 };
}

static bool format_has(const struct ticket_format *format, const char *key)
{
	for (size_t i = 0; i < format->n; i++)
		if (format->keys[i] && streq(format->keys[i], key))
			return true;
	return false;
}

static int format_add(struct ticket_format *format, const char *key, char why[TICKET_WHY_SIZE])
{
	char *copy = NULL;

	if (format->n == ARRAY_SIZE(format->keys))
		return wrong(why, "more than %u fields", LIMIT_LABELS);
	if (!streq(key, "-")) {
		if (!is_plain_name(key, LIMIT_NAME_BYTES))
			return wrong(why, "\"%.64s\" cannot be the name of a field", key);
		if (streq(key, LABEL_BATCH))
			return wrong(why, "the batch is said once, not in each line");
		if (format_has(format, key))
			return wrong(why, "%s is there twice", key);
		copy = strdup(key);
		if (!copy)
			return -ENOMEM;
	}
	format->keys[format->n++] = copy;
	return 0;
}

int ticket_format_parse(const char *text, struct ticket_format *ret, char why[TICKET_WHY_SIZE])
{
	_cleanup_(ticket_format_clear) struct ticket_format format = { 0 };
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy;

	if (!copy)
		return -ENOMEM;
	while (rest) {
		int r = format_add(&format, strsep(&rest, ","), why);

		if (r < 0)
			return r;
	}
	if (!format_has(&format, LABEL_TICKET))
		return wrong(why, "there is no " LABEL_TICKET " among them");
	*ret = TAKE_STRUCT(format);
	return 0;
}

/* ---- A line ---- */

void ticket_clear(struct ticket *ticket)
{
	free(ticket->slot);
	labels_free(ticket->labels, ticket->n_labels);
	*ticket = (struct ticket){ 0 };
}

/* A copy as a string, without what a line may have at its ends. */
static int copy_line(const char *line, size_t size, char **ret, char why[TICKET_WHY_SIZE])
{
	char *copy;

	if (!is_utf8(line, size))
		return wrong(why, "this is not UTF-8 text");
	if (size >= 3 && memcmp(line, BYTE_ORDER_MARK, 3) == 0) {
		line += 3;
		size -= 3;
	}
	while (size > 0 && strchr(" \r", line[size - 1]))
		size--;
	copy = strndup(line, size);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

/* "@SLOT", and what separates it from the rest. */
static int take_slot(char **rest, struct ticket *ticket, char why[TICKET_WHY_SIZE])
{
	char *name = *rest + strspn(*rest, " "), *end;

	if (*name != '@')
		return 0;
	name++;
	end = name + strcspn(name, " \t;");
	*rest = *end ? end + 1 : end;
	*end = '\0';
	if (!is_plain_name(name, LIMIT_NAME_BYTES))
		return wrong(why, "\"@%.64s\" does not name a slot", name);
	ticket->slot = strdup(name);
	return ticket->slot ? 0 : -ENOMEM;
}

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " ");
	n = strlen(text);
	while (n > 0 && text[n - 1] == ' ')
		text[--n] = '\0';
	return text;
}

static int add_field(const struct ticket_format *format, size_t i, const char *text,
		     struct ticket *ticket, char why[TICKET_WHY_SIZE])
{
	int r;

	if (!*text)
		return 0;
	if (i >= format->n)
		return wrong(why, "field %zu is one too many: \"%.64s\"", i + 1, text);
	if (!format->keys[i])
		return 0;
	r = labels_add(&ticket->labels, &ticket->n_labels, format->keys[i], text);
	if (r == -EINVAL)
		return wrong(why, "%s has control characters or more than %u bytes",
			     format->keys[i], LIMIT_LABEL_BYTES);
	return r;
}

static int take_fields(const struct ticket_format *format, char *rest, struct ticket *ticket,
		       char why[TICKET_WHY_SIZE])
{
	const char *separator = strchr(rest, '\t') ? "\t" : ";";

	for (size_t i = 0; rest; i++) {
		int r = add_field(format, i, trim(strsep(&rest, separator)), ticket, why);

		if (r < 0)
			return r;
	}
	ticket->name = labels_get(ticket->labels, ticket->n_labels, LABEL_TICKET);
	return ticket->name ? 0 : wrong(why, "the ticket is missing");
}

int ticket_parse(const struct ticket_format *format, const char *line, size_t size,
		 struct ticket *ret, char why[TICKET_WHY_SIZE])
{
	_cleanup_(ticket_clear) struct ticket ticket = { 0 };
	_cleanup_free_ char *copy = NULL;
	char *rest;
	int r = copy_line(line, size, &copy, why);

	if (!copy)
		return r;
	rest = copy;
	r = take_slot(&rest, &ticket, why);
	if (r >= 0 && rest[strspn(rest, " \t")])
		r = take_fields(format, rest, &ticket, why);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(ticket);
	return 0;
}

/* Luhn's sum, as 3GPP TS 23.003 annex B has it: every second digit from the right is doubled. */
static bool digits_agree(const char *digits, size_t n)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned int digit = (unsigned int)(digits[n - 1 - i] - '0');

		if (i % 2)
			digit = digit * 2 / 10 + digit * 2 % 10;
		sum += digit;
	}
	return sum % 10 == 0;
}

const char *ticket_doubt_imei(const char *imei)
{
	if (strspn(imei, "0123456789") != IMEI_DIGITS || strlen(imei) != IMEI_DIGITS)
		return "an IMEI has 15 digits";
	if (!digits_agree(imei, IMEI_DIGITS))
		return "its last digit does not agree with the others";
	return NULL;
}
