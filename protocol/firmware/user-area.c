/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/user-area.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "protocol/base/bytes.h"

#define HEADER_SIZE     32U
#define PARTITION_TABLE 446U
#define PARTITION_SIZE  16U
#define AREA_BYTES_MAX  (256ULL << 20)

/* ---- Blocks ---- */

static const uint8_t *block_at(const struct user_area *area, size_t index)
{
	return area->data + index * USER_AREA_BLOCK_SIZE;
}

/* A header that is not erased, then nothing but FF up to the sectors. */
static bool has_form(const uint8_t *block)
{
	const uint8_t *rest = block + HEADER_SIZE;

	return !bytes_are_uniform(block, HEADER_SIZE) && *rest == 0xff &&
	       bytes_are_uniform(rest, USER_AREA_BLOCK_HEADER - HEADER_SIZE);
}

static bool is_erased(const uint8_t *data, uint64_t size)
{
	return *data == 0xff && bytes_are_uniform(data, size);
}

static void put_in_order(struct user_area *area, size_t n, enum user_area_order order)
{
	area->order = order;
	area->n_blocks = 0;
	for (size_t i = 0; i < n; i++)
		if (order == USER_AREA_IN_PLACE || has_form(block_at(area, i)))
			area->blocks[area->n_blocks++] = (uint32_t)i;
}

static const uint8_t *sector_at(const void *userdata, uint64_t number)
{
	const struct user_area *area = userdata;
	const uint8_t *block = block_at(area, area->blocks[number / USER_AREA_BLOCK_SECTORS]);

	return block + USER_AREA_BLOCK_HEADER + number % USER_AREA_BLOCK_SECTORS * FAT_SECTOR_SIZE;
}

static int new_area(const uint8_t *data, size_t n, struct user_area **ret)
{
	_cleanup_(user_area_freep) struct user_area *area = calloc(1, sizeof(*area));

	if (!area)
		return -ENOMEM;
	area->data = data;
	area->blocks = calloc(n, sizeof(*area->blocks));
	if (!area->blocks)
		return -ENOMEM;
	*ret = TAKE_PTR(area);
	return 0;
}

/* ---- Partitions ---- */

struct partition {
	uint8_t type;
	uint64_t first, length;
};

static struct partition read_partition(const uint8_t *mbr, size_t index)
{
	const uint8_t *entry = mbr + PARTITION_TABLE + index * PARTITION_SIZE;

	return (struct partition){ entry[4], get_le32(entry + 8), get_le32(entry + 12) };
}

static bool is_fat(uint8_t type)
{
	return type == 0x01 || type == 0x04 || type == 0x06 || type == 0x0e;
}

static bool overlap(const struct partition *a, const struct partition *b)
{
	return a->first < b->first + b->length && b->first < a->first + a->length;
}

/* Of FAT12 or FAT16, behind the table and inside the disk, none on another. */
static bool partitions_can_be(const struct partition *partitions, size_t n, uint64_t n_sectors)
{
	for (size_t i = 0; i < n; i++) {
		const struct partition *one = &partitions[i];

		if (!is_fat(one->type) || one->first == 0 || one->length == 0 ||
		    !bytes_inside(n_sectors, one->first, one->length))
			return false;
		for (size_t j = 0; j < i; j++)
			if (overlap(one, &partitions[j]))
				return false;
	}
	return n > 0;
}

static void close_volumes(struct user_area *area)
{
	while (area->n_volumes > 0)
		fat_free(area->volumes[--area->n_volumes]);
}

static int open_volumes(struct user_area *area, const struct fat_disk *disk,
			const struct partition *partitions, size_t n,
			struct user_area_refusal *refusal)
{
	for (size_t i = 0; i < n; i++) {
		int r = fat_open(disk, partitions[i].first, partitions[i].length,
				 &area->volumes[area->n_volumes], &refusal->fault);

		if (r < 0) {
			refusal->state = USER_AREA_FILE_SYSTEM;
			return r;
		}
		area->n_volumes++;
	}
	return 0;
}

/* One guess; -EBADMSG with *refusal when it does not hold. */
static int try_order(struct user_area *area, struct user_area_refusal *refusal)
{
	const struct fat_disk disk = {
		.sector = sector_at,
		.userdata = area,
		.n_sectors = (uint64_t)area->n_blocks * USER_AREA_BLOCK_SECTORS,
	};
	const uint8_t *mbr = sector_at(area, 0);
	struct partition partitions[USER_AREA_VOLUMES_MAX];
	size_t n = 0;
	int r;

	*refusal = (struct user_area_refusal){ .state = USER_AREA_NO_MBR };
	if (mbr[510] != 0x55 || mbr[511] != 0xaa)
		return -EBADMSG;
	for (size_t i = 0; i < USER_AREA_VOLUMES_MAX; i++) {
		partitions[n] = read_partition(mbr, i);
		n += partitions[n].type != 0;
	}
	refusal->state = USER_AREA_PARTITIONS;
	if (!partitions_can_be(partitions, n, disk.n_sectors))
		return -EBADMSG;
	area->n_sectors = 0;
	for (size_t i = 0; i < n; i++)
		area->n_sectors =
			MAX_OF(area->n_sectors, partitions[i].first + partitions[i].length);
	r = open_volumes(area, &disk, partitions, n, refusal);
	if (r < 0)
		close_volumes(area);
	return r;
}

/* ---- All of it ---- */

static bool same_sectors(const struct user_area *a, const struct user_area *b)
{
	size_t n = (size_t)((MAX_OF(a->n_sectors, b->n_sectors) + USER_AREA_BLOCK_SECTORS - 1) /
			    USER_AREA_BLOCK_SECTORS);

	return n <= a->n_blocks && n <= b->n_blocks &&
	       memcmp(a->blocks, b->blocks, n * sizeof(*a->blocks)) == 0;
}

/* Nothing tells which of two guesses is right when both hold. */
static int check_rival(const struct user_area *area, size_t n)
{
	_cleanup_(user_area_freep) struct user_area *rival = NULL;
	struct user_area_refusal refusal;
	int r;

	if (area->order != USER_AREA_IN_PLACE)
		return 0;
	r = new_area(area->data, n, &rival);
	if (r < 0)
		return r;
	put_in_order(rival, n, USER_AREA_USED);
	r = try_order(rival, &refusal);
	if (r == -EBADMSG)
		return 0;
	return r < 0 || same_sectors(area, rival) ? r : -EBADMSG;
}

static int try_all(struct user_area *area, size_t n, struct user_area_refusal *refusal)
{
	struct user_area_refusal best = { .state = USER_AREA_EMPTY }, tried;
	int r = -EBADMSG;

	for (enum user_area_order order = 0; r == -EBADMSG && order < _USER_AREA_ORDER_MAX;
	     order++) {
		put_in_order(area, n, order);
		r = try_order(area, &tried);
		if (r == -EBADMSG && tried.state > best.state)
			best = tried;
	}
	if (r >= 0) {
		r = check_rival(area, n);
		best = (struct user_area_refusal){ .state = USER_AREA_AMBIGUOUS };
	}
	if (r == -EBADMSG)
		*refusal = best;
	return r;
}

static int refuse(struct user_area_refusal *refusal, enum user_area_state state)
{
	*refusal = (struct user_area_refusal){ .state = state };
	return -EBADMSG;
}

int user_area_open(const uint8_t *data, uint64_t size, struct user_area **ret,
		   struct user_area_refusal *refusal)
{
	_cleanup_(user_area_freep) struct user_area *area = NULL;
	size_t n = (size_t)(MIN_OF(size, AREA_BYTES_MAX) / USER_AREA_BLOCK_SIZE);
	int r;

	if (n == 0)
		return refuse(refusal, USER_AREA_EMPTY);
	if (is_erased(data, size))
		return refuse(refusal, USER_AREA_ERASED);
	r = new_area(data, n, &area);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		area->n_used += has_form(block_at(area, i));
	if (area->n_used == 0)
		return refuse(refusal, USER_AREA_NO_BLOCKS);
	r = try_all(area, n, refusal);
	if (r >= 0)
		*ret = TAKE_PTR(area);
	return r;
}

void user_area_free(struct user_area *area)
{
	if (!area)
		return;
	close_volumes(area);
	free(area->blocks);
	free(area);
}

static const struct {
	const char *name, *text;
} states[_USER_AREA_STATE_MAX] = {
	[USER_AREA_EMPTY] = { "no-user-area", "the firmware names no user area in this image" },
	[USER_AREA_ERASED] = { "erased", "the user area is erased" },
	[USER_AREA_NO_BLOCKS] = { "no-blocks", "the user area has no block of the known form" },
	[USER_AREA_NO_MBR] = { "no-mbr", "the order of the sectors cannot be proven: taken in the "
					 "order of their blocks, the first is no partition table" },
	[USER_AREA_PARTITIONS] = { "partitions",
				   "the order of the sectors cannot be proven: taken "
				   "in the order of their blocks, they give partitions "
				   "that cannot be" },
	[USER_AREA_FILE_SYSTEM] = { "file-system",
				    "the order of the sectors cannot be proven: taken in the order "
				    "of their blocks, they give a file system that is not whole" },
	[USER_AREA_AMBIGUOUS] = { "ambiguous",
				  "the order of the sectors cannot be proven: with and "
				  "without the erased blocks they give a file system" },
	[USER_AREA_GOOD] = { "good", "the user area can be read" },
};

const char *user_area_state_to_string(enum user_area_state state)
{
	return states[state].name;
}

const char *user_area_describe(enum user_area_state state)
{
	return states[state].text;
}

const char *user_area_order_describe(enum user_area_order order)
{
	static const char *const texts[_USER_AREA_ORDER_MAX] = {
		[USER_AREA_IN_PLACE] = "sectors in the order of the blocks, erased ones counted",
		[USER_AREA_USED] = "sectors in the order of the blocks, erased ones left out",
	};

	return texts[order];
}
