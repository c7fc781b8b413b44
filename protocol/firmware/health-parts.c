/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/digest.h"
#include "protocol/firmware/health-internal.h"

/* Of each file by itself. */

static bool is_boot_loader(const struct layout_part *part)
{
	return part->kind == LAYOUT_INT_BOOTLOADER || part->kind == LAYOUT_EXT_BOOTLOADER;
}

static bool is_whole(const struct layout_part *part)
{
	return part->available == part->length;
}

/* Its content may be encrypted, and something may stand behind it. */
static bool is_secured(const struct layout_part *part)
{
	return part->secured || part->gfh.signature_type > GFH_SIGNATURE_PHASH;
}

/* What is left of an older firmware behind the files of the present one does not spoil those. */
static bool is_first(const struct layout *layout, const struct layout_part *part)
{
	for (const struct layout_part *p = layout->parts; p < part; p++)
		if (p->type == part->type && p->offset == p->expected)
			return false;
	return true;
}

static void check_length(struct health *health, const struct layout_part *part)
{
	struct health_check check = health_of_part(
		part, "length", is_first(health->layout, part) ? HEALTH_FATAL : HEALTH_ERROR);
	uint64_t end = part->offset + part->length;

	check.outcome = health_pass_if(is_whole(part));
	if (is_whole(part)) {
		health_add(health, &check, "%s is inside the image.", part->name);
		return;
	}
	health_add(health, &check,
		   "%s ends at 0x%" PRIx64 ", but the image at 0x%" PRIx64 ": it is cut off, or "
		   "its length is damaged.",
		   part->name, end, health->layout->effective_size);
	if (end <= layout_needed_size(health->layout) && health->layout->size < end)
		health_hint(health, "read at least 0x%" PRIx64 " bytes", end);
}

static void check_chain(struct health *health, const struct layout_part *part)
{
	struct health_check check = health_of_part(part, "chain", HEALTH_ERROR);

	check.length = MIN_OF(part->gfh.content_offset, part->available);
	check.outcome = health_pass_if(part->chain_length == part->gfh.content_offset);
	if (check.outcome == HEALTH_PASS)
		health_add(health, &check, "The header records of %s hold together.", part->name);
	else
		health_add(health, &check, "The header records of %s break at 0x%" PRIx64 ".",
			   part->name, part->offset + part->chain_length);
}

static void check_address(struct health *health, const struct layout_part *part)
{
	struct health_check check = health_of_part(part, "load-address", HEALTH_ERROR);

	if (part->kind == LAYOUT_INT_BOOTLOADER)
		return;
	check.length = MIN_OF(part->available, GFH_FILE_INFO_SIZE);
	check.outcome = health_pass_if(part->expected == part->offset);
	if (check.outcome == HEALTH_PASS)
		health_add(health, &check, "%s lies at its load address.", part->name);
	else
		health_add(health, &check,
			   "%s belongs to 0x%" PRIx64 " by its load address, but lies at 0x%" PRIx64
			   ".",
			   part->name, part->expected, part->offset);
}

/* The last bytes of a boot loader: the SHA-1 of all before them, then zeros. */
static enum health_outcome digest_outcome(struct health *health, const struct layout_part *part)
{
	static const uint8_t zeros[GFH_PHASH_SIZE - DIGEST_SHA1_SIZE];
	const uint8_t *file = health->layout->image + part->offset;
	uint8_t digest[DIGEST_SHA1_SIZE];
	uint64_t covered;

	if (part->length <= GFH_PHASH_SIZE)
		return HEALTH_FAIL;
	covered = part->length - GFH_PHASH_SIZE;
	if (digest_sha1(file, covered, digest) < 0) {
		health->error = -EIO;
		return HEALTH_UNKNOWN;
	}
	return health_pass_if(memcmp(file + covered, digest, sizeof(digest)) == 0 &&
			      memcmp(file + covered + sizeof(digest), zeros, sizeof(zeros)) == 0);
}

static void check_digest(struct health *health, size_t index)
{
	const struct layout_part *part = &health->layout->parts[index];
	bool phash = part->gfh.signature_type == GFH_SIGNATURE_PHASH;
	struct health_check check = health_of_part(part, "digest", HEALTH_ERROR);

	if (!phash && !is_boot_loader(part))
		return;
	if (!phash || !is_whole(part)) {
		check.outcome = HEALTH_UNKNOWN;
		health_add(health, &check, "%s %s, so its digest cannot be checked.", part->name,
			   phash ? "is cut off" : "is not signed with a plain SHA-1");
		return;
	}
	check.outcome = digest_outcome(health, part);
	health->digest_good[index] = check.outcome == HEALTH_PASS;
	if (check.outcome == HEALTH_PASS) {
		health_add(health, &check, "The SHA-1 of %s is right.", part->name);
	} else {
		health_add(health, &check, "The SHA-1 of %s is wrong: it is damaged.", part->name);
		health_hint(health, "read the watch again");
	}
}

/* The mark stands before a boot loader's signature, and before the last word of the ROM. */
static void check_end_mark(struct health *health, const struct layout_part *part)
{
	uint64_t distance = is_boot_loader(part) ? GFH_PHASH_SIZE + 4 : 8;
	struct health_check check = health_of_part(part, "end-mark", HEALTH_ERROR);
	const uint8_t *mark;

	if (part->kind != LAYOUT_ROM &&
	    (!is_boot_loader(part) || part->gfh.signature_type != GFH_SIGNATURE_PHASH))
		return;
	if (!is_whole(part) || part->length < distance) {
		check.outcome = HEALTH_UNKNOWN;
		health_add(health, &check, "The end of %s is not in the image.", part->name);
		return;
	}
	check.offset = part->offset + part->length - distance;
	check.length = part->kind == LAYOUT_ROM ? 8 : 4;
	mark = health->layout->image + check.offset;
	check.outcome =
		health_pass_if(get_le32(mark) == GFH_END_MARK &&
			       (part->kind != LAYOUT_ROM || get_le32(mark + 4) == UINT32_MAX));
	if (check.outcome == HEALTH_PASS) {
		health_add(health, &check, "%s has its end mark.", part->name);
	} else if (part->kind == LAYOUT_ROM && is_secured(part)) {
		check.outcome = HEALTH_UNKNOWN;
		health_add(health, &check, "%s has no readable end mark; it may be encrypted.",
			   part->name);
	} else {
		health_add(health, &check,
			   "%s has no end mark at 0x%" PRIx64
			   ": its end is damaged, or bytes before it are missing.",
			   part->name, check.offset);
	}
}

static void check_rom_info(struct health *health, const struct layout_part *part)
{
	struct health_check check = health_of_part(part, "rom-info", HEALTH_ERROR);
	size_t left;
	bool there;

	if (part->kind != LAYOUT_ROM)
		return;
	there = layout_find_rom_info(health->layout, part, &left) != NULL;
	check.length = MIN_OF(part->available, LAYOUT_ROM_INFO_END);
	check.outcome = there || !is_secured(part) ? health_pass_if(there) : HEALTH_UNKNOWN;
	if (there)
		health_add(health, &check, "%s has its information block.", part->name);
	else if (is_secured(part))
		health_add(health, &check,
			   "%s has no readable information block; it may be "
			   "encrypted.",
			   part->name);
	else
		health_add(health, &check, "%s has no information block (" LAYOUT_ROM_INFO ").",
			   part->name);
}

static void remark_security(struct health *health, const struct layout_part *part)
{
	struct health_check check = health_of_part(part, "secured", HEALTH_NOTE);

	if (!is_secured(part))
		return;
	check.outcome = HEALTH_REMARK;
	health_add(health, &check,
		   "%s is secured: it may be encrypted, and another watch may refuse it.",
		   part->name);
}

void health_check_parts(struct health *health)
{
	for (size_t i = 0; i < health->layout->n_parts; i++) {
		const struct layout_part *part = &health->layout->parts[i];

		check_length(health, part);
		check_chain(health, part);
		check_address(health, part);
		check_digest(health, i);
		check_end_mark(health, part);
		check_rom_info(health, part);
		remark_security(health, part);
	}
}
