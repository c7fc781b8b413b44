/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/fat.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/firmware/fat-internal.h"

#define FAT12_CLUSTERS_END 4085U /* fewer clusters: FAT12 */
#define FAT16_CLUSTERS_END 65525U
#define BROKEN             1U /* cluster 1 is none */

const uint8_t *fat_sector(const struct fat *fat, uint64_t number)
{
	return fat->disk.sector(fat->disk.userdata, fat->first_sector + number);
}

bool fat_is_cluster(const struct fat *fat, uint32_t cluster)
{
	return cluster >= FAT_FIRST_CLUSTER && cluster - FAT_FIRST_CLUSTER < fat->n_clusters;
}

uint32_t fat_next(const struct fat *fat, uint32_t cluster)
{
	uint32_t next = fat->table[cluster];

	if (next >= (fat->bits == 12 ? 0xff8U : 0xfff8U))
		return 0;
	return next == 0 ? BROKEN : next;
}

/* ---- Boot sector ---- */

static bool is_power_of_two(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static enum fat_fault read_geometry(struct fat *fat, const uint8_t *boot, uint64_t n_sectors)
{
	uint32_t reserved = get_le16(boot + 14), copies = boot[16];
	uint64_t total = get_le16(boot + 19) ? get_le16(boot + 19) : get_le32(boot + 32);

	fat->cluster_sectors = boot[13];
	fat->root_entries = get_le16(boot + 17);
	fat->fat_sectors = get_le16(boot + 22);
	if (get_le16(boot + 11) != FAT_SECTOR_SIZE || !is_power_of_two(fat->cluster_sectors) ||
	    reserved == 0 || copies == 0 || copies > 2 || fat->fat_sectors == 0 ||
	    fat->root_entries == 0 || fat->root_entries % (FAT_SECTOR_SIZE / 32) != 0)
		return FAT_GEOMETRY;
	if (total > n_sectors)
		return FAT_OUTSIDE;
	fat->first_fat = reserved;
	fat->first_root = reserved + copies * fat->fat_sectors;
	fat->first_data = fat->first_root + fat->root_entries * 32 / FAT_SECTOR_SIZE;
	if (total <= fat->first_data)
		return FAT_GEOMETRY;
	total = (total - fat->first_data) / fat->cluster_sectors;
	if (total == 0 || total >= FAT16_CLUSTERS_END)
		return FAT_GEOMETRY;
	fat->n_clusters = (uint32_t)total;
	fat->bits = fat->n_clusters < FAT12_CLUSTERS_END ? 12 : 16;
	if ((fat->n_clusters + FAT_FIRST_CLUSTER) * fat->bits >
	    fat->fat_sectors * FAT_SECTOR_SIZE * 8)
		return FAT_GEOMETRY;
	return FAT_GOOD;
}

/* ---- Table ---- */

static uint8_t table_byte(const struct fat *fat, uint32_t at)
{
	return fat_sector(fat, fat->first_fat + at / FAT_SECTOR_SIZE)[at % FAT_SECTOR_SIZE];
}

static uint16_t table_entry(const struct fat *fat, uint32_t cluster)
{
	uint32_t at = fat->bits == 12 ? cluster + cluster / 2 : cluster * 2;
	uint16_t pair = (uint16_t)(table_byte(fat, at) | table_byte(fat, at + 1) << 8);

	if (fat->bits == 16)
		return pair;
	return cluster % 2 ? (uint16_t)(pair >> 4) : (uint16_t)(pair & 0xfff);
}

static enum fat_fault compare_copies(const struct fat *fat, unsigned int copies)
{
	for (uint32_t i = 0; copies == 2 && i < fat->fat_sectors; i++)
		if (memcmp(fat_sector(fat, fat->first_fat + i),
			   fat_sector(fat, fat->first_fat + fat->fat_sectors + i),
			   FAT_SECTOR_SIZE) != 0)
			return FAT_COPIES;
	return FAT_GOOD;
}

static int read_table(struct fat *fat, const uint8_t *boot, enum fat_fault *fault)
{
	*fault = compare_copies(fat, boot[16]);
	if (*fault == FAT_GOOD &&
	    table_entry(fat, 0) != ((fat->bits == 12 ? 0xf00 : 0xff00) | boot[21]))
		*fault = FAT_MEDIA;
	if (*fault != FAT_GOOD)
		return -EBADMSG;
	fat->table = calloc(fat->n_clusters + FAT_FIRST_CLUSTER, sizeof(*fat->table));
	if (!fat->table)
		return -ENOMEM;
	for (uint32_t i = 0; i < fat->n_clusters + FAT_FIRST_CLUSTER; i++)
		fat->table[i] = table_entry(fat, i);
	return 0;
}

/* ---- All of it ---- */

static int open_all(struct fat *fat, uint64_t n_sectors, enum fat_fault *fault)
{
	const uint8_t *boot = fat_sector(fat, 0);
	int r;

	if (boot[510] != 0x55 || boot[511] != 0xaa)
		*fault = FAT_NO_SIGNATURE;
	else
		*fault = read_geometry(fat, boot, n_sectors);
	if (*fault != FAT_GOOD)
		return -EBADMSG;
	r = read_table(fat, boot, fault);
	return r < 0 ? r : fat_walk(fat, fault);
}

int fat_open(const struct fat_disk *disk, uint64_t first, uint64_t n_sectors, struct fat **ret,
	     enum fat_fault *ret_fault)
{
	_cleanup_(fat_freep) struct fat *fat = NULL;
	int r;

	if (n_sectors == 0 || !bytes_inside(disk->n_sectors, first, n_sectors)) {
		*ret_fault = FAT_OUTSIDE;
		return -EBADMSG;
	}
	fat = calloc(1, sizeof(*fat));
	if (!fat)
		return -ENOMEM;
	fat->disk = *disk;
	fat->first_sector = first;
	r = open_all(fat, n_sectors, ret_fault);
	if (r >= 0)
		*ret = TAKE_PTR(fat);
	return r;
}

void fat_free(struct fat *fat)
{
	if (!fat)
		return;
	for (size_t i = 0; i < fat->n_entries; i++)
		free(fat->entries[i].path);
	free(fat->entries);
	free(fat->table);
	free(fat);
}

/* Chains were checked when it was opened: they end, and are as long as the file. */
int fat_read(const struct fat *fat, const struct fat_entry *entry,
	     int (*write)(void *userdata, const void *data, size_t size), void *userdata)
{
	uint32_t left = entry->size;
	int r = 0;

	for (uint32_t c = entry->first; left > 0 && c != 0; c = fat_next(fat, c)) {
		uint64_t sector =
			fat->first_data + (uint64_t)(c - FAT_FIRST_CLUSTER) * fat->cluster_sectors;

		for (uint32_t i = 0; i < fat->cluster_sectors && left > 0; i++) {
			uint32_t size = MIN_OF(left, FAT_SECTOR_SIZE);

			r = write(userdata, fat_sector(fat, sector + i), size);
			if (r < 0)
				return r;
			left -= size;
		}
	}
	return left > 0 ? -EBADMSG : 0;
}

const char *fat_fault_to_string(enum fat_fault fault)
{
	static const char *const phrases[_FAT_FAULT_MAX] = {
		[FAT_GOOD] = "it is whole",
		[FAT_NO_SIGNATURE] = "the boot sector has no signature",
		[FAT_GEOMETRY] = "the figures in the boot sector cannot be",
		[FAT_OUTSIDE] = "it is larger than its partition",
		[FAT_COPIES] = "the copies of its table differ",
		[FAT_MEDIA] = "its table does not begin as the boot sector tells",
		[FAT_BROKEN] = "a chain leads to a cluster that is free or cannot be",
		[FAT_LOOP] = "a chain leads back to itself",
		[FAT_CROSS_LINK] = "two files share a cluster",
		[FAT_SIZE] = "a file is longer than its chain",
		[FAT_DIRECTORY] = "a directory has an entry that cannot be",
		[FAT_LOST] = "clusters are in use that no file has",
		[FAT_LIMIT] = "it has more entries, or deeper ones, than can be",
	};

	return phrases[fault];
}
