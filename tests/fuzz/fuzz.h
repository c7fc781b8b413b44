/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What all fuzz targets share. A target is one fuzz-*.c: libFuzzer calls its function with inputs of
 * its own, replay.c with those of the corpus. Whatever the input, the function returns; it aborts
 * when a promise of the code below does not hold.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise, also where NDEBUG is set. */
#define fuzz_require(condition)                                                                 \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

/* The input as a text: a copy with a NUL behind it, which the caller frees. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	fuzz_require(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}
