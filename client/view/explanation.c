/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/view/explanation.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "client/suggest.h"
#include "protocol/base/strings.h"
#include "protocol/control/failure-words.h"
#include "protocol/control/message.h"

#define N_WORDS ((size_t)_FAILURE_MAX - 1)

size_t explanation_count(void)
{
	size_t n;

	(void)device_error_table(&n);
	return N_WORDS + n;
}

struct explanation explanation_at(size_t index)
{
	size_t n;
	const struct device_error *rows = device_error_table(&n);

	if (index < N_WORDS)
		return (struct explanation){ .failure = (enum failure_code)(index + 1) };
	return (struct explanation){ .error = &rows[index - N_WORDS] };
}

size_t explanation_find(const char *typed, struct explanation ret[EXPLANATION_MATCHES_MAX])
{
	const struct device_error *errors[DEVICE_ERROR_MATCHES_MAX];
	size_t n = 0, n_errors = device_error_lookup(typed, errors, ARRAY_SIZE(errors));

	for (size_t i = 0; i < N_WORDS && n == 0; i++) {
		struct explanation word = explanation_at(i);
		_cleanup_free_ char *hyphens = strdup(typed);

		for (char *s = hyphens; s && *s; s++)
			*s = *s == '_' ? '-' : *s;
		if (hyphens && strcasecmp(explanation_name(&word), hyphens) == 0)
			ret[n++] = word;
	}
	for (size_t i = 0; i < n_errors; i++)
		ret[n++] = (struct explanation){ .error = errors[i] };
	return n;
}

const char *explanation_family(const struct explanation *explanation)
{
	return explanation->error ? device_error_family_to_string(explanation->error->family)
				  : "mtkrbd";
}

const char *explanation_name(const struct explanation *explanation)
{
	return explanation->error ? explanation->error->name
				  : failure_code_to_string(explanation->failure);
}

const char *explanation_meaning(const struct explanation *explanation)
{
	return explanation->error ? explanation->error->meaning
				  : failure_words(explanation->failure)->meaning;
}

const char *explanation_hint(const struct explanation *explanation)
{
	return explanation->error ? explanation->error->hint
				  : failure_words(explanation->failure)->hint;
}

static bool in_hexadecimal(const struct device_error *error)
{
	return error->family == DEVICE_ERROR_BROM || error->first > 0xFFFF;
}

const char *explanation_code(const struct explanation *explanation, char buf[EXPLANATION_CODE_SIZE])
{
	const struct device_error *error = explanation->error;
	const uint32_t first = error ? error->first : 0, last = error ? error->last : 0;

	if (!error)
		return "";
	if (in_hexadecimal(error))
		(void)snprintf(buf, EXPLANATION_CODE_SIZE, "%04" PRIX32, first);
	else
		(void)snprintf(buf, EXPLANATION_CODE_SIZE, "%" PRIu32, first);
	if (last != first && in_hexadecimal(error))
		(void)snprintf(buf, EXPLANATION_CODE_SIZE, "%04" PRIX32 " to %04" PRIX32, first,
			       last);
	else if (last != first)
		(void)snprintf(buf, EXPLANATION_CODE_SIZE, "%" PRIu32 " to %" PRIu32, first, last);
	return buf;
}

int explanation_to_json(const struct explanation *explanation, struct json_object **ret)
{
	const struct device_error *error = explanation->error;
	char hex[16];

	if (!error)
		return message_build(ret,
				     MEMBERS(M_STRING("family", explanation_family(explanation)),
					     M_STRING("name", explanation_name(explanation)),
					     M_STRING("meaning", explanation_meaning(explanation)),
					     M_STRING_OPT("hint", explanation_hint(explanation)),
					     M_BOOL("confirmed", true),
					     M_STRING("source", "our own word")));
	(void)snprintf(hex, sizeof(hex), "0x%04" PRIX32, error->first);
	return message_build(
		ret, MEMBERS(M_STRING("family", explanation_family(explanation)),
			     M_INT("code", error->first), M_STRING("hex", hex),
			     M_INT_IF(error->last != error->first, "last", error->last),
			     M_STRING("name", error->name), M_STRING_OPT("symbol", error->symbol),
			     M_STRING("meaning", error->meaning), M_STRING_OPT("hint", error->hint),
			     M_BOOL("confirmed", error->proof == DEVICE_ERROR_SEEN),
			     M_STRING("source", device_error_proof_to_string(error->proof))));
}

/* ---- Suggestions ---- */

/* The part of a name that people type: without the vendor's prefix. */
static const char *short_name(const char *name)
{
	static const char *const prefixes[] = { "S_DA_", "S_BROM_", "S_FT_", "S_SECURITY_", "S_" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strafter(name, prefixes[i]))
			return strafter(name, prefixes[i]);
	return name;
}

static char *fold(const char *s)
{
	char *copy = strdup(short_name(s));

	for (char *c = copy; c && *c; c++)
		*c = *c == '-' ? '_' : (char)tolower((unsigned char)*c);
	return copy;
}

static void strings_free(char **strings, size_t n)
{
	for (size_t i = 0; strings && i < n; i++)
		free(strings[i]);
	free(strings);
}

static bool is_there(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (streq(list[i], s))
			return true;
	return false;
}

/* Names that hold what was typed; then, one after the other, those that look most like it. */
static size_t pick(const char *typed, char **names, size_t n, const char **ret, size_t max)
{
	size_t found = 0;

	for (size_t i = 0; i < n && strlen(typed) >= 3 && found < max; i++) {
		struct explanation explanation = explanation_at(i);
		const char *name = explanation_name(&explanation);

		if (strstr(names[i], typed) && !is_there(ret, found, name))
			ret[found++] = name;
	}
	while (found < max) {
		const char *near = suggest_word(typed, (const char *const *)names, n);
		size_t i = 0;

		if (!near)
			break;
		while (names[i] != near)
			i++;
		struct explanation explanation = explanation_at(i);
		if (!is_there(ret, found, explanation_name(&explanation)))
			ret[found++] = explanation_name(&explanation);
		names[i][0] = '\0'; /* not again */
	}
	return found;
}

size_t explanation_suggest(const char *typed, const char **ret, size_t max)
{
	const size_t n = explanation_count();
	_cleanup_free_ char *word = fold(typed);
	char **names = calloc(n, sizeof(*names));
	size_t found = 0;
	bool whole = word && names;

	for (size_t i = 0; whole && i < n; i++) {
		struct explanation explanation = explanation_at(i);

		names[i] = fold(explanation_name(&explanation));
		whole = names[i];
	}
	if (whole)
		found = pick(word, names, n, ret, max);
	strings_free(names, n);
	return found;
}
