/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between the files of fat.h: the table's chains, and the walk through the directories. */

#include "protocol/firmware/fat.h"

#define FAT_FIRST_CLUSTER 2U

/* Sector of the file system. */
const uint8_t *fat_sector(const struct fat *fat, uint64_t number);

bool fat_is_cluster(const struct fat *fat, uint32_t cluster);

/* The cluster behind it, 0 at the chain's end; a value that is no cluster means broken. */
uint32_t fat_next(const struct fat *fat, uint32_t cluster);

/* Reads all directories into fat->entries. -EBADMSG with the fault, -ENOMEM. */
_must_check_ int fat_walk(struct fat *fat, enum fat_fault *ret_fault);

/*
 * The name of the short entry at record, whose long one (checked to belong to it) is in units; both
 * without a NUL in them. False when it cannot be a name.
 */
#define FAT_NAME_UNITS 255U
#define FAT_NAME_SIZE  (3 * FAT_NAME_UNITS + 1)

struct fat_long_name {
	uint16_t units[FAT_NAME_UNITS + 13]; /* the last piece may be padded */
	unsigned int left;                   /* pieces that are still to come */
	unsigned int pieces;                 /* 0: none is begun */
	uint8_t checksum;
};

void fat_name_add(struct fat_long_name *name, const uint8_t *record);
bool fat_name_take(struct fat_long_name *name, const uint8_t *record, char ret[FAT_NAME_SIZE]);
