/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/text.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "protocol/base/strings.h"

#define MEID_SHOWN 8U

/*
 * What takes no column of its own and does not combine either turns the direction of the line
 * around, or hides.
 */
static bool text_is_shown(wchar_t c)
{
	return iswprint((wint_t)c) && (wcwidth(c) > 0 || iswctype((wint_t)c, wctype("combining")));
}

/* Bytes of the character at s (1 or more), and its columns; -1 columns: not to be printed. */
static size_t text_character(const char *s, int *ret_columns)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, s, strlen(s), &state);

	if (n == 0 || n > strlen(s)) {
		*ret_columns = -1;
		return 1;
	}
	*ret_columns = text_is_shown(c) ? wcwidth(c) : -1;
	return n;
}

char *text_clean(const char *s)
{
	char *clean = malloc(strlen(s) + 1);
	char *end = clean;

	if (!clean)
		return NULL;
	while (*s) {
		int columns;
		size_t n = text_character(s, &columns);

		if (columns < 0)
			*end++ = '?';
		else
			end = mempcpy(end, s, n);
		s += n;
	}
	*end = '\0';
	return clean;
}

size_t text_columns(const char *s)
{
	size_t total = 0;

	while (*s) {
		int columns;

		s += text_character(s, &columns);
		total += (size_t)(columns < 0 ? 1 : columns);
	}
	return total;
}

/* The part of s behind its first characters that are at least columns wide together. */
static const char *text_skip(const char *s, size_t columns)
{
	size_t skipped = 0;

	while (*s && skipped < columns) {
		int width;

		s += text_character(s, &width);
		skipped += (size_t)(width < 0 ? 1 : width);
	}
	return s;
}

/* Bytes of the longest start of s that is no wider than columns. */
static size_t text_fitting(const char *s, size_t columns)
{
	const char *end = s;
	size_t used = 0;

	while (*end) {
		int width;
		size_t n = text_character(end, &width);

		used += (size_t)(width < 0 ? 1 : width);
		if (used > columns)
			break;
		end += n;
	}
	return (size_t)(end - s);
}

char *text_cut(const char *s, size_t columns, bool at_start, bool unicode)
{
	const char *ellipsis = unicode ? "…" : "..";
	size_t width = text_columns(s);
	size_t room;

	if (width <= columns)
		return strdup(s);
	if (text_columns(ellipsis) >= columns)
		return strndup(s, text_fitting(s, columns));
	room = columns - text_columns(ellipsis);
	if (at_start)
		return str_format("%s%s", ellipsis, text_skip(s, width - room));
	return str_format("%.*s%s", (int)text_fitting(s, room), s, ellipsis);
}

char *text_ascii(const char *s)
{
	char *ascii = malloc(strlen(s) + 1);
	char *end = ascii;

	if (!ascii)
		return NULL;
	while (*s) {
		int columns;
		size_t n = text_character(s, &columns);

		/* What combines with the character before it goes without a trace. */
		if (n == 1)
			*end++ = *s;
		else if (columns != 0)
			*end++ = '?';
		s += n;
	}
	*end = '\0';
	return ascii;
}

size_t text_line(const char *s, size_t columns)
{
	size_t n = text_fitting(s, columns);
	size_t blank = n;
	int width;

	if (!s[n] || s[n] == ' ')
		return n;
	while (blank > 0 && s[blank - 1] != ' ')
		blank--;
	while (blank > 0 && s[blank - 1] == ' ')
		blank--;
	if (blank > 0)
		return blank;
	return n > 0 ? n : text_character(s, &width);
}

const char *text_meid(const char *meid)
{
	size_t n = strlen(meid);

	return n > MEID_SHOWN ? meid + n - MEID_SHOWN : meid;
}
