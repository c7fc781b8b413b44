/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A user area and the FAT file systems in it. The first byte says what the rest (sparse.h) is: 0 the
 * disk, which is spread over blocks here; else the area itself.
 */

#include "protocol/base/bytes.h"
#include "protocol/firmware/user-area.h"
#include "tests/fuzz/sparse.h"

#define PAGES_MAX    128U
#define BLOCK_BYTES  (USER_AREA_BLOCK_SECTORS * FAT_SECTOR_SIZE)
#define HEADER_WORDS 8U

/* As a watch has it: a header, FF, seven sectors. */
static uint8_t *spread(const uint8_t *disk, size_t size, size_t *ret_size)
{
	size_t blocks = size / BLOCK_BYTES;
	uint8_t *area = malloc(blocks * USER_AREA_BLOCK_SIZE);

	fuzz_require(area);
	memset(area, 0xff, blocks * USER_AREA_BLOCK_SIZE);
	for (size_t i = 0; i < blocks; i++) {
		uint8_t *block = area + i * USER_AREA_BLOCK_SIZE;

		put_le32(block, 0x3900006a);
		for (size_t j = 1; j < HEADER_WORDS; j++)
			put_le32(block + j * 4, 0x5c);
		memcpy(block + USER_AREA_BLOCK_HEADER, disk + i * BLOCK_BYTES, BLOCK_BYTES);
	}
	*ret_size = blocks * USER_AREA_BLOCK_SIZE;
	return area;
}

static int count(void *userdata, const void *data, size_t size)
{
	uint64_t *total = userdata;
	static const uint8_t nothing[FAT_SECTOR_SIZE];

	/* Looks at every byte, so that one outside is seen. */
	for (size_t at = 0; at < size; at += sizeof(nothing))
		(void)memcmp((const uint8_t *)data + at, nothing,
			     MIN_OF(sizeof(nothing), size - at));
	*total += size;
	return 0;
}

/* What is open holds together, so every file is as long as it says. */
static void read_files(const struct fat *fat)
{
	fuzz_require(fat->n_entries <= FAT_ENTRIES_MAX);
	for (size_t i = 0; i < fat->n_entries; i++) {
		const struct fat_entry *entry = &fat->entries[i];
		uint64_t total = 0;

		fuzz_require(strlen(entry->path) <= FAT_PATH_MAX);
		if (entry->directory)
			continue;
		fuzz_require(fat_read(fat, entry, count, &total) == 0);
		fuzz_require(total == entry->size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(user_area_freep) struct user_area *area = NULL;
	_cleanup_free_ uint8_t *image = NULL, *blocks = NULL;
	struct user_area_refusal refusal;
	size_t length;
	int r;

	if (size == 0)
		return 0;
	image = sparse_expand(data + 1, size - 1, PAGES_MAX, &length);
	if (!image)
		return 0;
	if (data[0] == 0)
		blocks = spread(image, length, &length);
	r = user_area_open(blocks ?: image, length, &area, &refusal);
	if (r < 0) {
		fuzz_require(user_area_describe(refusal.state));
		return 0;
	}
	for (size_t i = 0; i < area->n_volumes; i++)
		read_files(area->volumes[i]);
	return 0;
}
