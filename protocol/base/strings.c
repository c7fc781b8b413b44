/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/strings.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

int str_replace(char **target, const char *value)
{
	char *copy = NULL;

	if (value) {
		copy = strdup(value);
		if (!copy)
			return -ENOMEM;
	}
	free(*target);
	*target = copy;
	return 0;
}

char *str_format(const char *format, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, format);
	n = vasprintf(&s, format, ap);
	va_end(ap);
	return n < 0 ? NULL : s;
}

/* Digits only (no sign, no space), decimal or 0x; leaves *end behind the last digit. */
static int parse_digits(const char *s, uint64_t *ret, const char **end)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	char *stop;

	if (!isxdigit((unsigned char)s[hex ? 2 : 0]) || (!hex && !isdigit((unsigned char)s[0])))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(s, &stop, hex ? 16 : 10);
	if (errno == ERANGE)
		return -ERANGE;
	*end = stop;
	return 0;
}

int parse_size(const char *s, uint64_t *ret)
{
	static const char units[] = "KMG";
	const char *end, *unit;
	uint64_t value;
	unsigned int shift = 0;
	int r;

	r = parse_digits(s, &value, &end);
	if (r < 0)
		return r;
	if (*end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (!unit || end[1])
			return -EINVAL;
		shift = 10U * (unsigned int)(unit - units + 1);
	}
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*ret = value << shift;
	return 0;
}

int parse_int(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t value;
	const char *end;
	int64_t result;
	int r;

	r = parse_digits(s + negative, &value, &end);
	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	if (value > INT64_MAX)
		return -ERANGE;
	result = negative ? -(int64_t)value : (int64_t)value;
	if (result < min || result > max)
		return -ERANGE;
	*ret = result;
	return 0;
}

int parse_duration(const char *s, double *ret_seconds)
{
	static const struct {
		const char *suffix;
		double seconds;
	} units[] = {
		{ "", 1 },   { "s", 1 },    { "sec", 1 },  { "ms", 0.001 },
		{ "m", 60 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 },
	};
	char *end;
	double value;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	value = strtod(s, &end);
	if (errno == ERANGE || !isfinite(value))
		return -ERANGE;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (streq(end, units[i].suffix)) {
			*ret_seconds = value * units[i].seconds;
			return 0;
		}
	return -EINVAL;
}

int parse_bool(const char *s, bool *ret)
{
	static const char *const words[][2] = {
		{ "no", "yes" }, { "false", "true" }, { "off", "on" }, { "0", "1" }
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (int value = 0; value < 2; value++)
			if (strcasecmp(s, words[i][value]) == 0) {
				*ret = value;
				return 0;
			}
	return -EINVAL;
}

void hex_encode(const uint8_t *data, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * size] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *hex, uint8_t *ret, size_t size)
{
	if (strlen(hex) != 2 * size)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

bool is_plain_name(const char *s, size_t max)
{
	size_t n = strlen(s);

	if (n == 0 || n > max || s[0] == '.')
		return false;
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:+-") ==
	       n;
}

/* Length of the UTF-8 sequence at p (room bytes left), 0 when it is not one (RFC 3629). */
static size_t utf8_sequence(const unsigned char *p, size_t room)
{
	size_t n = p[0] < 0x80                   ? 1
		   : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
		   : (p[0] & 0xf0) == 0xe0       ? 3
		   : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
						 : 0;

	if (n == 0 || n > room)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

#define PATH_BYTES_MAX 255U

bool is_plain_path(const char *s)
{
	char part[PATH_BYTES_MAX + 1];

	if (strlen(s) > PATH_BYTES_MAX)
		return false;
	for (;;) {
		size_t n = strcspn(s, "/");

		memcpy(part, s, n);
		part[n] = '\0';
		if (!is_plain_name(part, PATH_BYTES_MAX))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

bool is_utf8(const char *s, size_t size)
{
	for (size_t i = 0, n; i < size; i += n) {
		n = utf8_sequence((const unsigned char *)s + i, size - i);
		if (n == 0 || s[i] == '\0')
			return false;
	}
	return true;
}

const char *format_bytes(uint64_t bytes, char buf[16])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(buf, 16, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return buf;
}
