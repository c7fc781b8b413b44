/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/firmware/alice.h"
#include "protocol/firmware/health-internal.h"

/* Of VIVA: its table of addresses, the packed parts, and the walk over ALICE. */

#define VIVA_TABLE_SIZE   20U
#define ZIMAGE_HEAD       0x18U
#define ZIMAGE_LZMA_HEAD  13U
#define ZIMAGE_METHOD     3U /* LZMA with a preset dictionary */
#define ZIMAGE_PROPERTIES 0x5cU

/* Bytes between the ROM and the user area that belong to nothing; *ret_at is where they begin. */
static uint64_t unknown_behind(const struct layout *layout, const struct layout_part *rom,
			       uint64_t *ret_at)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < layout->n_regions; i++) {
		const struct layout_region *region = &layout->regions[i];

		if (region->kind != REGION_UNKNOWN || region->offset < rom->offset ||
		    region->offset >= layout_firmware_end(layout))
			continue;
		if (bytes == 0)
			*ret_at = region->offset;
		bytes += region->length;
	}
	return bytes;
}

/* Nothing in a ROM tells whether there should be a VIVA; what lies behind it may. */
static void check_missing(struct health *health)
{
	const struct layout *layout = health->layout;
	const struct layout_part *rom = layout_find(layout, LAYOUT_ROM);
	struct health_check check = {
		.name = "viva",
		.severity = HEALTH_ERROR,
		.outcome = HEALTH_UNKNOWN,
	};
	uint64_t bytes, at = 0;

	if (!rom || layout->user_area.length == 0) {
		health_add(health, &check,
			   "There is no VIVA, and nothing tells whether there "
			   "should be one.");
		return;
	}
	bytes = unknown_behind(layout, rom, &at);
	if (bytes == 0) {
		check.outcome = HEALTH_REMARK;
		health_add(health, &check,
			   "There is no VIVA: this firmware has none, or it was "
			   "erased.");
		return;
	}
	check.outcome = HEALTH_FAIL;
	check.offset = at;
	check.length = layout_firmware_end(layout) - at;
	health_add(health, &check,
		   "There is no VIVA, but %" PRIu64 " bytes behind the ROM belong to no file: its "
		   "header may be damaged.",
		   bytes);
}

/* The addresses that are there ascend and lead into the file; the first is the file's own. */
static bool table_holds(const struct layout_viva *viva, const struct layout_part *part)
{
	uint64_t last = part->gfh.content_offset + VIVA_TABLE_SIZE - 1;

	if (!viva->has_table || viva->addresses[0] != part->gfh.load_address)
		return false;
	for (unsigned int i = 1; i < ARRAY_SIZE(viva->addresses); i++) {
		uint64_t place = (uint32_t)(viva->addresses[i] - viva->addresses[0]);

		if (viva->addresses[i] == 0)
			continue;
		if (place <= last || place >= part->length)
			return false;
		last = place;
	}
	return true;
}

static void check_table(struct health *health, const struct layout_part *part)
{
	const struct layout_viva *viva = &health->layout->viva;
	struct health_check check = health_of_part(part, "viva-table", HEALTH_ERROR);

	check.offset += part->gfh.content_offset;
	check.length = viva->has_table ? VIVA_TABLE_SIZE : 0;
	check.outcome = health_pass_if(table_holds(viva, part));
	health_add(health, &check, "VIVA's addresses %s.",
		   check.outcome == HEALTH_PASS ? "ascend and lead into it"
						: "do not lead into it one behind the other");
}

/* The packed part fits, and both its headers name the same size. */
static bool zimage_holds(const uint8_t *zimage, uint64_t size)
{
	uint64_t packed, unpacked;

	if (size < ZIMAGE_HEAD + ZIMAGE_LZMA_HEAD)
		return false;
	packed = get_le32(zimage + 0x0c);
	unpacked = get_le32(zimage + 0x14);
	return get_le32(zimage) == 1 && get_le32(zimage + 0x04) == ZIMAGE_METHOD &&
	       get_le32(zimage + 0x08) == ZIMAGE_HEAD && packed >= ZIMAGE_LZMA_HEAD &&
	       ZIMAGE_HEAD + packed <= size && zimage[ZIMAGE_HEAD] == ZIMAGE_PROPERTIES &&
	       get_le32(zimage + ZIMAGE_HEAD + 5) == unpacked &&
	       get_le32(zimage + ZIMAGE_HEAD + 9) == 0;
}

static void check_zimage(struct health *health, const struct layout_part *part, const char *name,
			 const struct layout_span *span)
{
	struct health_check check = {
		.name = name,
		.part = part->name,
		.offset = span->offset,
		.length = span->length,
		.severity = HEALTH_ERROR,
	};

	if (span->length == 0)
		return;
	if (span->offset + span->length == part->offset + part->available &&
	    part->available < part->length) {
		check.outcome = HEALTH_UNKNOWN;
		health_add(health, &check,
			   "The packed part at 0x%" PRIx64 " is not in the image as a whole.",
			   span->offset);
		return;
	}
	check.outcome =
		health_pass_if(zimage_holds(health->layout->image + span->offset, span->length));
	health_add(health, &check, "The headers of the packed part at 0x%" PRIx64 " %s.",
		   span->offset,
		   check.outcome == HEALTH_PASS ? "fit its place" : "do not fit its place");
}

static void check_walk(struct health *health, const struct layout_part *part,
		       const struct alice *alice)
{
	const struct layout_span *span = &health->layout->viva.alice;
	struct health_check check = {
		.name = "alice-walk",
		.part = part->name,
		.offset = span->offset,
		.length = alice->dictionary,
		.severity = HEALTH_ERROR,
	};
	struct alice_walk walk;

	alice_walk(alice, health->layout->image + span->offset, &walk);
	check.outcome = health_pass_if(walk.n_bad == 0);
	if (walk.n_bad == 0) {
		health->alice_proven = (struct layout_span){ span->offset, alice->dictionary };
		health_add(health, &check,
			   "All %" PRIu64 " groups of ALICE are as long as its map "
			   "says.",
			   alice->n_groups);
		return;
	}
	check.offset = span->offset + walk.first_bad;
	check.length = walk.last_bad - walk.first_bad + 1;
	health_add(health, &check,
		   "%" PRIu64 " of %" PRIu64 " groups of ALICE are damaged, the first at 0x%" PRIx64
		   ".",
		   walk.n_bad, alice->n_groups, check.offset);
	health_hint(health, "read the watch again");
}

static void check_alice(struct health *health, const struct layout_part *part)
{
	const struct layout_viva *viva = &health->layout->viva;
	struct health_check check = {
		.name = "alice-header",
		.part = part->name,
		.offset = viva->alice.offset,
		.length = MIN_OF(viva->alice.length, ALICE_HEADER_SIZE),
		.severity = HEALTH_ERROR,
		.outcome = HEALTH_UNKNOWN,
	};
	enum alice_state state;
	struct alice alice;

	if (viva->addresses[4] == 0)
		return;
	if (viva->alice.length == 0 || part->available < part->length) {
		health_add(health, &check, "ALICE is not in the image as a whole.");
		check.name = "alice-walk";
		health_add(health, &check, "ALICE cannot be walked over.");
		return;
	}
	state = alice_parse(health->layout->image + viva->alice.offset, viva->alice.length,
			    viva->addresses[4], &alice);
	check.outcome = health_pass_if(state == ALICE_GOOD);
	health_add(health, &check, "ALICE %s.", alice_state_to_string(state));
	if (state == ALICE_GOOD) {
		check_walk(health, part, &alice);
		return;
	}
	check.name = "alice-walk";
	check.outcome = HEALTH_UNKNOWN;
	health_add(health, &check, "ALICE cannot be walked over.");
}

void health_check_viva(struct health *health)
{
	const struct layout_viva *viva = &health->layout->viva;
	const struct layout_part *part;

	if (viva->part == LAYOUT_NO_PART) {
		check_missing(health);
		return;
	}
	part = &health->layout->parts[viva->part];
	check_table(health, part);
	check_zimage(health, part, "zimage", &viva->zimage);
	check_zimage(health, part, "boot-zimage", &viva->boot_zimage);
	check_alice(health, part);
}
