/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"
#include "protocol/firmware/fat-internal.h"

#define RECORD_SIZE         32U
#define RECORDS_PER_SECTOR  (FAT_SECTOR_SIZE / RECORD_SIZE)
#define ATTRIBUTE_VOLUME    0x08U
#define ATTRIBUTE_DIRECTORY 0x10U
#define ATTRIBUTE_LONG      0x0fU

/*
 * The walk goes through the entries as through a queue: each directory found is looked into when
 * its turn comes. Every chain takes its clusters once, so the work is bounded by the table.
 */
struct walk {
	struct fat *fat;
	uint32_t *owners; /* of each cluster: number of the entry + 1, 0: none */
	uint8_t *depths;  /* of each entry */
	size_t allocated;
	size_t parent; /* entry whose directory is looked into, SIZE_MAX: the root */
	struct fat_long_name name;
	enum fat_fault fault;
};

static int refuse(struct walk *walk, enum fat_fault fault)
{
	walk->fault = fault;
	return -EBADMSG;
}

/* ---- Chains ---- */

static int claim(struct walk *walk, uint32_t first, uint32_t owner, uint32_t *ret_length)
{
	uint32_t length = 0;

	for (uint32_t c = first; c != 0; c = fat_next(walk->fat, c)) {
		if (!fat_is_cluster(walk->fat, c))
			return refuse(walk, FAT_BROKEN);
		if (walk->owners[c] != 0)
			return refuse(walk, walk->owners[c] == owner ? FAT_LOOP : FAT_CROSS_LINK);
		walk->owners[c] = owner;
		length++;
	}
	*ret_length = length;
	return 0;
}

static int claim_entry(struct walk *walk, size_t index)
{
	const struct fat_entry *entry = &walk->fat->entries[index];
	uint32_t length;
	int r = claim(walk, entry->first, (uint32_t)index + 1, &length);

	if (r < 0)
		return r;
	if (entry->directory)
		return length > 0 ? 0 : refuse(walk, FAT_BROKEN);
	if (entry->size > (uint64_t)length * walk->fat->cluster_sectors * FAT_SECTOR_SIZE)
		return refuse(walk, FAT_SIZE);
	return 0;
}

/* ---- Entries ---- */

static int grow(struct walk *walk)
{
	size_t n = walk->allocated > 0 ? walk->allocated * 2 : 64;
	struct fat_entry *entries = reallocarray(walk->fat->entries, n, sizeof(*entries));
	uint8_t *depths;

	if (!entries)
		return -ENOMEM;
	walk->fat->entries = entries;
	depths = reallocarray(walk->depths, n, sizeof(*depths));
	if (!depths)
		return -ENOMEM;
	walk->depths = depths;
	walk->allocated = n;
	return 0;
}

static int append(struct walk *walk, const char *name, const uint8_t *record)
{
	struct fat *fat = walk->fat;
	bool below = walk->parent != SIZE_MAX;
	unsigned int depth = below ? walk->depths[walk->parent] + 1U : 1;
	struct fat_entry entry = {
		.directory = record[11] & ATTRIBUTE_DIRECTORY,
		.first = get_le16(record + 26),
	};

	entry.size = entry.directory ? 0 : get_le32(record + 28);
	if (fat->n_entries >= FAT_ENTRIES_MAX || depth > FAT_DEPTH_MAX)
		return refuse(walk, FAT_LIMIT);
	if (fat->n_entries == walk->allocated && grow(walk) < 0)
		return -ENOMEM;
	entry.path =
		below ? str_format("%s/%s", fat->entries[walk->parent].path, name) : strdup(name);
	if (!entry.path)
		return -ENOMEM;
	walk->depths[fat->n_entries] = (uint8_t)depth;
	fat->entries[fat->n_entries++] = entry;
	if (strlen(entry.path) > FAT_PATH_MAX)
		return refuse(walk, FAT_LIMIT);
	return claim_entry(walk, fat->n_entries - 1);
}

static bool is_dots(const uint8_t *record)
{
	return memcmp(record, ".          ", 11) == 0 || memcmp(record, "..         ", 11) == 0;
}

/* 1: this was the last one. */
static int look_at(struct walk *walk, const uint8_t *record)
{
	char name[FAT_NAME_SIZE];
	uint8_t attributes = record[11];

	if (record[0] == 0)
		return 1;
	if (record[0] == 0xe5)
		return 0;
	if ((attributes & 0xc0) != 0)
		return refuse(walk, FAT_DIRECTORY);
	if ((attributes & 0x3f) == ATTRIBUTE_LONG) {
		fat_name_add(&walk->name, record);
		return 0;
	}
	if ((attributes & ATTRIBUTE_VOLUME) || is_dots(record))
		return 0;
	if (!fat_name_take(&walk->name, record, name))
		return refuse(walk, FAT_DIRECTORY);
	return append(walk, name, record);
}

/* 1: the directory ended there. */
static int look_through(struct walk *walk, uint64_t sector, uint64_t n_sectors)
{
	for (uint64_t i = 0; i < n_sectors; i++) {
		const uint8_t *data = fat_sector(walk->fat, sector + i);

		for (size_t j = 0; j < RECORDS_PER_SECTOR; j++) {
			int r = look_at(walk, data + j * RECORD_SIZE);

			if (r != 0)
				return r;
		}
	}
	return 0;
}

/* Its chain was claimed, so it ends. */
static int walk_directory(struct walk *walk, uint32_t first)
{
	const struct fat *fat = walk->fat;
	int r = 0;

	walk->name = (struct fat_long_name){ 0 };
	for (uint32_t c = first; c != 0 && r == 0; c = fat_next(fat, c))
		r = look_through(walk,
				 fat->first_data +
					 (uint64_t)(c - FAT_FIRST_CLUSTER) * fat->cluster_sectors,
				 fat->cluster_sectors);
	return r < 0 ? r : 0;
}

/*
 * Directories out of place may look empty; then the table still tells of their files. Reserved
 * values (a bad cluster's) are nobody's.
 */
static int check_lost(struct walk *walk)
{
	const struct fat *fat = walk->fat;
	const uint32_t reserved = fat->bits == 12 ? 0xff0 : 0xfff0;
	const uint32_t end = fat->bits == 12 ? 0xff8 : 0xfff8;

	for (uint32_t c = FAT_FIRST_CLUSTER; fat_is_cluster(fat, c); c++) {
		uint32_t value = fat->table[c];

		if (walk->owners[c] == 0 && value != 0 && (value < reserved || value >= end))
			return refuse(walk, FAT_LOST);
	}
	return 0;
}

static int walk_all(struct walk *walk)
{
	struct fat *fat = walk->fat;
	int r;

	walk->parent = SIZE_MAX;
	r = look_through(walk, fat->first_root, fat->root_entries / RECORDS_PER_SECTOR);
	for (size_t i = 0; r >= 0 && i < fat->n_entries; i++) {
		walk->parent = i;
		if (fat->entries[i].directory)
			r = walk_directory(walk, fat->entries[i].first);
	}
	return r < 0 ? r : check_lost(walk);
}

int fat_walk(struct fat *fat, enum fat_fault *ret_fault)
{
	struct walk walk = { .fat = fat };
	int r;

	walk.owners = calloc(fat->n_clusters + FAT_FIRST_CLUSTER, sizeof(*walk.owners));
	r = walk.owners ? walk_all(&walk) : -ENOMEM;
	free(walk.owners);
	free(walk.depths);
	if (r == -EBADMSG)
		*ret_fault = walk.fault;
	return r;
}
