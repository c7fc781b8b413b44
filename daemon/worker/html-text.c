/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/html-text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "protocol/base/strings.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Bytes of the character at s if it is well-formed UTF-8, else 0; never looks behind the NUL. */
static size_t character_size(const char *s)
{
	unsigned char first = (unsigned char)*s;
	size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	for (size_t i = 1; i < size; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	return is_utf8(s, size) ? size : 0;
}

static uint32_t decode(const char *s, size_t size)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)*s & masks[size];

	for (size_t i = 1; i < size; i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	return code;
}

static bool is_harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||       /* controls */
	       code == 0x61c || code == 0x200e || code == 0x200f ||  /* direction marks */
	       (code >= 0x2028 && code <= 0x202e) ||                 /* separators, embeddings */
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff; /* isolates, BOM */
}

static const char *reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_text(FILE *out, const char *text)
{
	while (text && *text) {
		size_t size = character_size(text);
		const char *special = reference(*text);

		if (size == 0 || is_harmful(decode(text, size)))
			fputs(REPLACEMENT, out);
		else if (special)
			fputs(special, out);
		else
			fwrite(text, 1, size, out);
		text += size > 0 ? size : 1;
	}
}

void html_vtextf(FILE *out, const char *format, va_list arguments)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	html_text(out, text ? text : REPLACEMENT);
}

void html_textf(FILE *out, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	html_vtextf(out, format, arguments);
	va_end(arguments);
}
