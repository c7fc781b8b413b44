/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The user area of a watch: its files and settings on a disk that a translation layer spreads over
 * the flash. Known from one public analysis of a dump: blocks of 4096 bytes, each with a header of
 * 32 bytes, 480 bytes FF and seven sectors of 512; together the sectors are a disk with an MBR and
 * FAT partitions. What the header says, and so which sector is which, is not known. Therefore this
 * only guesses, aloud: that the sectors lie in the order of the blocks. The guess counts as proven
 * when MBR, boot sectors, tables and every chain of every file agree with it; anything less is
 * refused. What is inside the files has no check, so a block of it could still be another one's.
 * Experimental.
 */

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/cleanup.h"
#include "protocol/firmware/fat.h"

#define USER_AREA_BLOCK_SIZE    4096U
#define USER_AREA_BLOCK_HEADER  512U /* with the FF behind it */
#define USER_AREA_BLOCK_SECTORS 7U
#define USER_AREA_VOLUMES_MAX   4U

/* In the order in which one gets there; a guess that fails later was the better one. */
enum user_area_state {
	USER_AREA_EMPTY,       /* there is none, or it is shorter than a block */
	USER_AREA_ERASED,      /* only FF */
	USER_AREA_NO_BLOCKS,   /* no block has the known form */
	USER_AREA_NO_MBR,      /* the first sector is no partition table */
	USER_AREA_PARTITIONS,  /* its entries cannot be */
	USER_AREA_FILE_SYSTEM, /* a partition holds no whole FAT file system */
	USER_AREA_AMBIGUOUS,   /* two guesses hold, and they differ */
	USER_AREA_GOOD,
	_USER_AREA_STATE_MAX,
};

/* The guess that held. */
enum user_area_order {
	USER_AREA_IN_PLACE, /* every block stands for seven sectors, erased ones for erased ones */
	USER_AREA_USED,     /* only blocks of the known form do */
	_USER_AREA_ORDER_MAX,
};

struct user_area {
	const uint8_t *data; /* borrowed */
	enum user_area_order order;
	uint32_t *blocks; /* in the order of the disk */
	size_t n_blocks;
	size_t n_used;      /* blocks of the known form */
	uint64_t n_sectors; /* up to the end of the last partition */
	struct fat *volumes[USER_AREA_VOLUMES_MAX];
	size_t n_volumes;
};

struct user_area_refusal {
	enum user_area_state state;
	enum fat_fault fault; /* where the state is USER_AREA_FILE_SYSTEM */
};

/*
 * Opens the size bytes of a user area; data stays the caller's and is needed as long as the result.
 * -EBADMSG with *refusal when it cannot be proven, -ENOMEM.
 */
_must_check_ int user_area_open(const uint8_t *data, uint64_t size, struct user_area **ret,
				struct user_area_refusal *refusal);
void user_area_free(struct user_area *area);
DEFINE_CLEANUP(struct user_area *, user_area_free);

/* "no-blocks", "no-mbr", …; stable. */
const char *user_area_state_to_string(enum user_area_state state);

/* A sentence for people. */
const char *user_area_describe(enum user_area_state state);
const char *user_area_order_describe(enum user_area_order order);
