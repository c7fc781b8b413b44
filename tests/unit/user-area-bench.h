/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Builds the user area of a watch: a disk with two FAT12 volumes, spread over blocks of flash. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "protocol/firmware/user-area.h"

#define BLOCKS      128U
#define SECTORS     (BLOCKS * USER_AREA_BLOCK_SECTORS)
#define FIRST       1U /* where the partitions begin, as on a real watch */
#define SECOND      71U
#define FAT_SECTORS 3U
#define ROOT        (1 + 2 * FAT_SECTORS)
#define DATA        (ROOT + 1)

struct disk {
	uint8_t sectors[SECTORS][FAT_SECTOR_SIZE];
};

/* ---- Building ---- */

static void put_partition(struct disk *disk, size_t index, uint8_t type, uint32_t first,
			  uint32_t length)
{
	uint8_t *entry = disk->sectors[0] + 446 + index * 16;

	entry[4] = type;
	put_le32(entry + 8, first);
	put_le32(entry + 12, length);
}

static void put_link_in(uint8_t *table, uint32_t cluster, uint16_t value)
{
	uint8_t *at = table + cluster + cluster / 2;

	if (cluster % 2) {
		at[0] = (uint8_t)((at[0] & 0x0f) | (value & 0xf) << 4);
		at[1] = (uint8_t)(value >> 4);
	} else {
		at[0] = (uint8_t)value;
		at[1] = (uint8_t)((at[1] & 0xf0) | value >> 8);
	}
}

/* In both copies of a volume's table. */
static void put_link(struct disk *disk, uint32_t volume, uint32_t cluster, uint16_t value)
{
	put_link_in(disk->sectors[volume + 1], cluster, value);
	put_link_in(disk->sectors[volume + 1 + FAT_SECTORS], cluster, value);
}

static void put_volume(struct disk *disk, uint32_t volume, uint32_t sectors)
{
	uint8_t *boot = disk->sectors[volume];

	put_le16(boot + 11, FAT_SECTOR_SIZE);
	boot[13] = 1;
	put_le16(boot + 14, 1);
	boot[16] = 2;
	put_le16(boot + 17, 16);
	put_le16(boot + 19, (uint16_t)sectors);
	boot[21] = 0xf8;
	put_le16(boot + 22, FAT_SECTORS);
	boot[510] = 0x55;
	boot[511] = 0xaa;
	put_link(disk, volume, 0, 0xff8);
	put_link(disk, volume, 1, 0xfff);
}

static uint8_t *record_at(struct disk *disk, uint32_t sector, size_t index)
{
	return disk->sectors[sector] + index * 32;
}

static void put_record(uint8_t *record, const char name[12], uint8_t attributes, uint16_t first,
		       uint32_t size)
{
	memcpy(record, name, 11);
	record[11] = attributes;
	put_le16(record + 26, first);
	put_le32(record + 28, size);
}

static uint8_t *cluster_at(struct disk *disk, uint32_t volume, uint32_t cluster)
{
	return disk->sectors[volume + DATA + cluster - 2];
}

/* "a long name.txt" before LONGNA~1.TXT, in two pieces. */
static void put_long_name(struct disk *disk, uint32_t sector, size_t index, uint8_t checksum)
{
	static const uint8_t places[] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
	static const char name[26] = "a long name.txt";

	for (size_t piece = 0; piece < 2; piece++) {
		uint8_t *record = record_at(disk, sector, index + 1 - piece);

		record[0] = (uint8_t)(piece + 1) | (piece == 1 ? 0x40 : 0);
		record[11] = 0x0f;
		record[13] = checksum;
		for (size_t i = 0; i < sizeof(places); i++)
			put_le16(record + places[i], (uint8_t)name[piece * 13 + i]);
	}
}

static uint8_t checksum_of(const char name[12])
{
	uint8_t sum = 0;

	for (size_t i = 0; i < 11; i++)
		sum = (uint8_t)((sum << 7 | sum >> 1) + (uint8_t)name[i]);
	return sum;
}

/* HELLO.TXT over the clusters 2 and 4, DIR in 3 with a file of a long name in 5. */
static struct disk *new_disk(void)
{
	struct disk *disk = calloc(1, sizeof(*disk));

	assert_non_null(disk);
	disk->sectors[0][510] = 0x55;
	disk->sectors[0][511] = 0xaa;
	put_partition(disk, 0, 0x01, FIRST, SECOND - FIRST);
	put_partition(disk, 1, 0x01, SECOND, SECTORS - SECOND);
	put_volume(disk, FIRST, SECOND - FIRST);
	put_volume(disk, SECOND, SECTORS - SECOND);
	put_record(record_at(disk, FIRST + ROOT, 0), "WATCH      ", 0x08, 0, 0);
	put_record(record_at(disk, FIRST + ROOT, 1), "HELLO   TXT", 0x20, 2, 600);
	put_record(record_at(disk, FIRST + ROOT, 2), "DIR        ", 0x10, 3, 0);
	put_record(record_at(disk, FIRST + ROOT, 3), "\xe5LD     TXT", 0x20, 2, 600);
	put_link(disk, FIRST, 2, 4);
	put_link(disk, FIRST, 4, 0xfff);
	put_link(disk, FIRST, 3, 0xff8);
	put_link(disk, FIRST, 5, 0xfff);
	memset(cluster_at(disk, FIRST, 2), 'a', 512);
	memset(cluster_at(disk, FIRST, 4), 'b', 512);
	memset(cluster_at(disk, FIRST, 5), 'c', 512);
	put_record(cluster_at(disk, FIRST, 3), ".          ", 0x10, 3, 0);
	put_record(cluster_at(disk, FIRST, 3) + 32, "..         ", 0x10, 0, 0);
	put_long_name(disk, FIRST + DATA + 1, 2, checksum_of("LONGNA~1TXT"));
	put_record(cluster_at(disk, FIRST, 3) + 128, "LONGNA~1TXT", 0x20, 5, 3);
	return disk;
}

/* As a flash has it; skip blocks are left erased before the one of that number. */
_unused_ static uint8_t *spread(const struct disk *disk, size_t at, size_t skip)
{
	size_t size = (BLOCKS + skip) * USER_AREA_BLOCK_SIZE;
	uint8_t *data = malloc(size);

	assert_non_null(data);
	memset(data, 0xff, size);
	for (size_t i = 0; i < BLOCKS; i++) {
		uint8_t *block = data + (i + (i >= at ? skip : 0)) * USER_AREA_BLOCK_SIZE;

		put_le32(block, 0x3900006a);
		for (size_t j = 1; j < 8; j++)
			put_le32(block + j * 4, 0x5c);
		memcpy(block + USER_AREA_BLOCK_HEADER, disk->sectors[i * USER_AREA_BLOCK_SECTORS],
		       USER_AREA_BLOCK_SECTORS * FAT_SECTOR_SIZE);
	}
	return data;
}
