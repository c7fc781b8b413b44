/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/bytes.h"

void bytes_swap_words(uint8_t *data, size_t length)
{
	for (size_t i = 0; i + 4 <= length; i += 4) {
		uint32_t word;

		memcpy(&word, data + i, 4);
		word = __builtin_bswap32(word);
		memcpy(data + i, &word, 4);
	}
}

bool bytes_are_uniform(const uint8_t *data, size_t length)
{
	return length < 2 || memcmp(data, data + 1, length - 1) == 0;
}
