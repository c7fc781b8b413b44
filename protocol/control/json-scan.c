/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/json-scan.h"

#include <errno.h>
#include <stdbool.h>

#include "protocol/base/strings.h"
#include "protocol/control/limits.h"

struct scan {
	const char *p;
	const char *end;
	uint64_t members;
	unsigned int depth;
	bool is_object[LIMIT_JSON_DEPTH]; /* of each open container, else an array */
};

static int peek(const struct scan *scan)
{
	return scan->p < scan->end ? (unsigned char)*scan->p : -1;
}

static bool take(struct scan *scan, char c)
{
	if (peek(scan) != c)
		return false;
	scan->p++;
	return true;
}

static void skip_space(struct scan *scan)
{
	while (scan->p < scan->end && strchr(" \t\n\r", *scan->p))
		scan->p++;
}

static size_t skip_digits(struct scan *scan)
{
	const char *begin = scan->p;

	while (peek(scan) >= '0' && peek(scan) <= '9')
		scan->p++;
	return (size_t)(scan->p - begin);
}

static bool fits_int64(const char *digits, size_t n, bool negative)
{
	uint64_t limit = (uint64_t)INT64_MAX + negative, value = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t digit = (uint64_t)(digits[i] - '0');

		if (value > (limit - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	return true;
}

static bool scan_number(struct scan *scan)
{
	bool negative = take(scan, '-'), real = false;
	const char *digits = scan->p;
	size_t n = skip_digits(scan);

	if (n == 0 || (n > 1 && digits[0] == '0'))
		return false;
	if (take(scan, '.')) {
		real = true;
		if (skip_digits(scan) == 0)
			return false;
	}
	if (take(scan, 'e') || take(scan, 'E')) {
		real = true;
		if (!take(scan, '+'))
			(void)take(scan, '-');
		if (skip_digits(scan) == 0)
			return false;
	}
	return real || fits_int64(digits, n, negative);
}

static bool scan_literal(struct scan *scan)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t room = (size_t)(scan->end - scan->p);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i]);

		if (n <= room && memcmp(scan->p, words[i], n) == 0) {
			scan->p += n;
			return true;
		}
	}
	return false;
}

/* The four digits of \uXXXX. */
static bool scan_code_unit(struct scan *scan, uint16_t *ret)
{
	char hex[5] = "";
	uint8_t bytes[2];

	if (scan->end - scan->p < 4)
		return false;
	memcpy(hex, scan->p, 4);
	if (hex_decode(hex, bytes, 2) < 0)
		return false;
	scan->p += 4;
	*ret = (uint16_t)(bytes[0] << 8 | bytes[1]);
	return true;
}

static bool scan_escape(struct scan *scan)
{
	uint16_t unit;
	int c = peek(scan);

	if (c <= 0 || !strchr("\"\\/bfnrtu", c))
		return false;
	scan->p++;
	if (c != 'u')
		return true;
	if (!scan_code_unit(scan, &unit) || unit == 0)
		return false;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	/* The first half of a pair needs its second; a second half alone is nothing. */
	return unit < 0xdc00 && take(scan, '\\') && take(scan, 'u') &&
	       scan_code_unit(scan, &unit) && unit >= 0xdc00 && unit <= 0xdfff;
}

static bool scan_string(struct scan *scan)
{
	if (!take(scan, '"'))
		return false;
	for (;;) {
		int c = peek(scan);

		if (c < ' ')
			return false;
		scan->p++;
		if (c == '"')
			return true;
		if (c == '\\' && !scan_escape(scan))
			return false;
	}
}

static bool scan_key(struct scan *scan)
{
	skip_space(scan);
	if (!scan_string(scan))
		return false;
	skip_space(scan);
	scan->members++;
	return take(scan, ':');
}

/* Behind the opening of a container: up to where its first value begins, or behind its end. */
static bool scan_open(struct scan *scan, bool is_object, bool *ret_empty)
{
	if (scan->depth == LIMIT_JSON_DEPTH)
		return false;
	scan->p++;
	skip_space(scan);
	*ret_empty = take(scan, is_object ? '}' : ']');
	if (*ret_empty)
		return true;
	scan->is_object[scan->depth++] = is_object;
	return !is_object || scan_key(scan);
}

/* Behind a value: up to where the next one begins; false when there is none or it is malformed. */
static bool scan_next(struct scan *scan, bool *ret_end)
{
	for (;;) {
		bool is_object;

		skip_space(scan);
		*ret_end = scan->depth == 0;
		if (*ret_end)
			return true;
		is_object = scan->is_object[scan->depth - 1];
		if (take(scan, ','))
			return !is_object || scan_key(scan);
		if (!take(scan, is_object ? '}' : ']'))
			return false;
		scan->depth--;
	}
}

static bool scan_value(struct scan *scan, bool *ret_complete)
{
	int c;

	skip_space(scan);
	c = peek(scan);
	if (c == '{' || c == '[')
		return scan_open(scan, c == '{', ret_complete);
	*ret_complete = true;
	if (c == '"')
		return scan_string(scan);
	return c == '-' || (c >= '0' && c <= '9') ? scan_number(scan) : scan_literal(scan);
}

int json_scan(const char *text, size_t size, uint64_t *ret_members)
{
	struct scan scan = { .p = text, .end = text + size };
	bool end = false, complete;

	if (!is_utf8(text, size))
		return -EBADMSG;
	skip_space(&scan);
	if (peek(&scan) != '{')
		return -EBADMSG;
	while (!end) {
		if (!scan_value(&scan, &complete))
			return -EBADMSG;
		if (complete && !scan_next(&scan, &end))
			return -EBADMSG;
	}
	if (scan.p != scan.end)
		return -EBADMSG;
	*ret_members = scan.members;
	return 0;
}
