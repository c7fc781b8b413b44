/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strings: comparison, strict numbers as people type them, hexadecimal, formatting. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/base/cleanup.h"

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* NULL equals only NULL. */
static inline bool streq_ptr(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

/* The rest of s behind prefix, or NULL when s does not begin with it. */
static inline const char *strafter(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* Frees *target and puts a copy of value (may be NULL) there; -ENOMEM leaves *target alone. */
_must_check_ int str_replace(char **target, const char *value);

/* A new formatted string, NULL when out of memory. */
_must_check_ _printf_(1, 2) char *str_format(const char *format, ...);

/*
 * A whole number of bytes: decimal or 0x hexadecimal, an optional K, M or G (1024 each).
 * -EINVAL on anything else, sign and spaces included; -ERANGE when it does not fit.
 */
_must_check_ int parse_size(const char *s, uint64_t *ret);

/* A whole decimal or 0x number from min to max; -EINVAL or -ERANGE. */
_must_check_ int parse_int(const char *s, int64_t min, int64_t max, int64_t *ret);

/* "30", "30s", "5min" or "5m", "2h", "1d", "250ms": seconds; -EINVAL or -ERANGE. */
_must_check_ int parse_duration(const char *s, double *ret_seconds);

/* yes/no, true/false, on/off, 1/0; -EINVAL. */
_must_check_ int parse_bool(const char *s, bool *ret);

/* Lower-case hexadecimal and a NUL: out holds 2 * size + 1 bytes. */
void hex_encode(const uint8_t *data, size_t size, char *out);

/* Exactly size bytes from 2 * size digits, nothing behind them; -EINVAL. */
_must_check_ int hex_decode(const char *hex, uint8_t *ret, size_t size);

/* True for a non-empty name of [A-Za-z0-9._:+-] that does not begin with a dot, at most max long. */
bool is_plain_name(const char *s, size_t max);

/* True for plain names with slashes between them, at most 255 bytes: what stays below a folder. */
bool is_plain_path(const char *s);

/* True when the size bytes at s are UTF-8 text with no NUL. */
bool is_utf8(const char *s, size_t size);

/* "4.0 MiB" and the like, into buf; returns buf. */
const char *format_bytes(uint64_t bytes, char buf[16]);
