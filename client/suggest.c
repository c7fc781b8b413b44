/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/suggest.h"

#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/strings.h"

/* Nothing we offer is longer; longer input is no slip of the finger. */
#define MAX_WORD 31U

static size_t smallest(size_t a, size_t b, size_t c)
{
	return MIN_OF(a, MIN_OF(b, c));
}

/* Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours. */
static size_t suggest_distance(const char *a, const char *b)
{
	size_t d[MAX_WORD + 1][MAX_WORD + 1];
	size_t na = strlen(a), nb = strlen(b);

	for (size_t i = 0; i <= na; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= nb; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= na; i++)
		for (size_t j = 1; j <= nb; j++) {
			size_t change = a[i - 1] == b[j - 1] ? 0 : 1;

			d[i][j] = smallest(d[i - 1][j] + 1, d[i][j - 1] + 1,
					   d[i - 1][j - 1] + change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = MIN_OF(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[na][nb];
}

const char *suggest_word(const char *typed, const char *const *words, size_t n)
{
	const char *best = NULL;
	size_t length = strlen(typed);
	size_t best_distance = MAX_OF(length / 3, 1U) + 1;

	if (length < 2 || length > MAX_WORD)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t distance;

		if (strlen(words[i]) > MAX_WORD)
			continue;
		distance = strafter(words[i], typed) ? 1 : suggest_distance(typed, words[i]);
		if (distance < best_distance) {
			best = words[i];
			best_distance = distance;
		}
	}
	return best;
}
