/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A map file. The first three bytes are the size that it must describe, little-endian. */

#include "protocol/device/read-map.h"
#include "tests/fuzz/fuzz.h"

#define SIZE_BYTES 3U

/* Pieces that are not done and those that are make up the whole. */
static void check(const struct read_map *map)
{
	_cleanup_(read_map_freep) struct read_map *again = NULL;
	_cleanup_free_ char *text = NULL;
	uint64_t at = 0, start, length, missing = 0;

	while (read_map_gap(map, at, &start, &length)) {
		fuzz_require(start >= at && length > 0);
		missing += length;
		at = start + length;
	}
	fuzz_require(read_map_done(map) + missing == read_map_size(map));
	fuzz_require(read_map_to_text(map, &text) == 0);
	fuzz_require(read_map_from_text(text, read_map_size(map), &again) == 0);
	fuzz_require(read_map_done(again) == read_map_done(map));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(read_map_freep) struct read_map *map = NULL;
	_cleanup_free_ char *text = NULL;
	uint64_t bytes;

	if (size < SIZE_BYTES)
		return 0;
	bytes = data[0] | (uint64_t)data[1] << 8 | (uint64_t)data[2] << 16;
	text = fuzz_text(data + SIZE_BYTES, size - SIZE_BYTES);
	if (read_map_from_text(text, bytes, &map) == 0)
		check(map);
	return 0;
}
