/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A FAT12 or FAT16 file system on a disk of 512-byte sectors that nobody vouches for. It is read as
 * a whole when it is opened, and refused unless all of it holds together: boot sector, copies of
 * the table, every chain of every file and directory. So an open one also proves that the sectors
 * were put into the right order. Layout by Microsoft's specification (fatgen103).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"

#define FAT_SECTOR_SIZE 512U
#define FAT_ENTRIES_MAX 16384U /* files and directories of one file system */
#define FAT_DEPTH_MAX   32U
#define FAT_PATH_MAX    1024U /* bytes of a path */

/* Where the sectors come from: the sector of that number below n_sectors, never NULL. */
struct fat_disk {
	const uint8_t *(*sector)(const void *userdata, uint64_t number);
	const void *userdata;
	uint64_t n_sectors;
};

/* Why a file system is none, or is damaged. */
enum fat_fault {
	FAT_GOOD,
	FAT_NO_SIGNATURE, /* the boot sector does not end with 55 AA */
	FAT_GEOMETRY,     /* its figures cannot be, or it is neither FAT12 nor FAT16 */
	FAT_OUTSIDE,      /* it is larger than its partition */
	FAT_COPIES,       /* the copies of the table differ */
	FAT_MEDIA,        /* the table does not begin with the medium of the boot sector */
	FAT_BROKEN,       /* a chain leads to a free or impossible cluster */
	FAT_LOOP,         /* a chain leads back to itself */
	FAT_CROSS_LINK,   /* two chains share a cluster */
	FAT_SIZE,         /* a file is longer than its chain */
	FAT_DIRECTORY,    /* an entry of a directory cannot be */
	FAT_LOST,         /* the table has chains that no file has: directories are missing */
	FAT_LIMIT,        /* more entries, deeper or with longer paths than allowed here */
	_FAT_FAULT_MAX,
};

struct fat_entry {
	char *path; /* "DCIM/PHOTO001.JPG", UTF-8 without control characters */
	bool directory;
	uint32_t first; /* cluster; 0: it has none */
	uint32_t size;  /* bytes; 0 for a directory */
};

struct fat {
	struct fat_disk disk;
	unsigned int bits;     /* 12 or 16 */
	uint64_t first_sector; /* of the partition; the rest counts from there */
	uint32_t first_fat, first_root, first_data;
	uint32_t fat_sectors, root_entries, cluster_sectors;
	uint32_t n_clusters;
	uint16_t *table;           /* n_clusters + 2 */
	struct fat_entry *entries; /* a directory comes before what is in it */
	size_t n_entries;
};

/*
 * Opens what lies in n_sectors from first on, which are inside the disk. -EBADMSG with the fault,
 * -ENOMEM. disk->userdata must live as long as the result.
 */
_must_check_ int fat_open(const struct fat_disk *disk, uint64_t first, uint64_t n_sectors,
			  struct fat **ret, enum fat_fault *ret_fault);
void fat_free(struct fat *fat);
DEFINE_CLEANUP(struct fat *, fat_free);

/* The content of a file in pieces, in order. write's errors end it. */
_must_check_ int fat_read(const struct fat *fat, const struct fat_entry *entry,
			  int (*write)(void *userdata, const void *data, size_t size),
			  void *userdata);

/* A phrase: "a chain leads back to itself". */
const char *fat_fault_to_string(enum fat_fault fault);
