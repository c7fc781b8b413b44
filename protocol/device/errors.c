/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/errors.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/strings.h"

const struct device_error *device_error_of(enum device_error_family family, uint32_t code)
{
	const struct device_error *group = NULL;
	size_t n;
	const struct device_error *rows = device_error_table(&n);

	for (size_t i = 0; i < n; i++) {
		if (rows[i].family != family || code < rows[i].first || code > rows[i].last)
			continue;
		if (rows[i].first == rows[i].last)
			return &rows[i];
		if (!group)
			group = &rows[i];
	}
	return group;
}

const struct device_error *device_error_find(uint16_t status)
{
	static const struct device_error success = {
		.family = DEVICE_ERROR_BROM,
		.last = 0xFF,
		.proof = DEVICE_ERROR_SEEN,
		.name = "success",
		.meaning = "The command succeeded.",
	};
	static const struct device_error unknown = {
		.family = DEVICE_ERROR_BROM,
		.first = 0xFFFF,
		.last = 0xFFFF,
		.proof = DEVICE_ERROR_LISTED,
		.name = "unknown-status",
		.meaning = "The watch refused with a status that no source explains.",
		.hint = "Try another cable or USB port, then plug the watch in again.",
	};
	const struct device_error *error = device_error_of(DEVICE_ERROR_BROM, status);

	if (status < 0x0100)
		return &success;
	return error ? error : &unknown;
}

const struct device_error *device_error_of_agent(uint32_t code)
{
	static const struct device_error unknown = {
		.family = DEVICE_ERROR_FLASHTOOL,
		.first = UINT32_MAX,
		.last = UINT32_MAX,
		.proof = DEVICE_ERROR_LISTED,
		.name = "unknown-code",
		.meaning = "The download agent refused with a code that no source explains.",
		.hint = "Try --method=brom, which needs no download agent.",
	};
	const struct device_error *error = device_error_of(DEVICE_ERROR_FLASHTOOL, code);

	return error ? error : &unknown;
}

const char *device_error_family_to_string(enum device_error_family family)
{
	static const char *const names[] = {
		[DEVICE_ERROR_BROM] = "boot ROM status",
		[DEVICE_ERROR_FLASHTOOL] = "FlashTool",
		[DEVICE_ERROR_SP_FLASHTOOL] = "SP Flash Tool",
	};

	return names[family];
}

const char *device_error_proof_to_string(enum device_error_proof proof)
{
	static const char *const names[] = {
		[DEVICE_ERROR_SEEN] = "seen from a device",
		[DEVICE_ERROR_TABLED] = "from mtkclient's table",
		[DEVICE_ERROR_LISTED] = "from public lists only",
	};

	return names[proof];
}

/* ---- Looking up what a person typed ---- */

static int fold(char c)
{
	return c == '-' ? '_' : tolower((unsigned char)c);
}

static bool same_name(const char *a, const char *b)
{
	while (*a && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return !*a && !*b;
}

/* name with or without what the vendor puts before every symbol. */
static bool is_called(const char *name, const char *typed)
{
	static const char *const prefixes[] = { "S_DA_", "S_BROM_", "S_FT_", "S_SECURITY_", "S_" };

	if (!name)
		return false;
	if (same_name(name, typed))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *rest = strafter(name, prefixes[i]);

		if (rest && same_name(rest, typed))
			return true;
	}
	return false;
}

struct matches {
	const struct device_error **rows;
	size_t n, max;
};

static void add_match(struct matches *matches, const struct device_error *error)
{
	if (!error || matches->n == matches->max)
		return;
	for (size_t i = 0; i < matches->n; i++)
		if (matches->rows[i] == error)
			return;
	matches->rows[matches->n++] = error;
}

static void add_code(struct matches *matches, uint32_t code)
{
	for (int family = 0; family < _DEVICE_ERROR_FAMILY_MAX; family++)
		add_match(matches, device_error_of((enum device_error_family)family, code));
}

/* All of s in that base; strtoul's own blanks and signs are no numbers. */
static bool is_number(const char *s, int base, uint32_t *ret)
{
	unsigned long long value;
	char *end;

	if (!isxdigit((unsigned char)*s))
		return false;
	errno = 0;
	value = strtoull(s, &end, base);
	if (*end || errno || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

size_t device_error_lookup(const char *typed, const struct device_error **ret, size_t max)
{
	struct matches matches = { ret, 0, max };
	const bool prefixed = typed[0] == '0' && (typed[1] | 0x20) == 'x';
	uint32_t code;
	size_t n;
	const struct device_error *rows = device_error_table(&n);

	if (!prefixed && is_number(typed, 10, &code)) {
		add_code(&matches, code);
		if (is_number(typed, 16, &code))
			add_match(&matches, device_error_of(DEVICE_ERROR_BROM, code));
	} else if (is_number(prefixed ? typed + 2 : typed, 16, &code)) {
		add_code(&matches, code);
	}
	for (size_t i = 0; i < n; i++)
		if (is_called(rows[i].name, typed) || is_called(rows[i].symbol, typed))
			add_match(&matches, &rows[i]);
	return matches.n;
}
