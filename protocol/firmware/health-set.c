/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "protocol/base/strings.h"
#include "protocol/firmware/health-internal.h"

/* Of the files together: what has to be there, in which order, paired and apart. */

/* Without one of them a watch does not start; the others are there to be cut out all the same. */
static void check_present(struct health *health, enum layout_part_kind kind, const char *name)
{
	const struct layout_part *part = layout_find(health->layout, kind);
	struct health_check check = {
		.name = "present",
		.part = name,
		.offset = part ? part->offset : 0,
		.length = part ? part->available : 0,
		.severity = health->layout->n_parts > 0 ? HEALTH_ERROR : HEALTH_FATAL,
		.outcome = health_pass_if(part),
	};

	health_add(health, &check, "%s is %s.", name, part ? "there" : "missing");
}

/* A flasher refuses a set whose boot loaders do not belong together. */
static void check_pairing(struct health *health)
{
	const struct layout_part *a = layout_find(health->layout, LAYOUT_INT_BOOTLOADER);
	const struct layout_part *b = layout_find(health->layout, LAYOUT_EXT_BOOTLOADER);
	struct health_check check = {
		.name = "pairing",
		.severity = HEALTH_ERROR,
		.outcome = HEALTH_UNKNOWN,
	};

	if (!a || !b || !a->paired || !b->paired) {
		health_add(health, &check,
			   "The boot loaders do not both say which other one they "
			   "belong to.");
		return;
	}
	check.part = a->name;
	check.offset = a->offset;
	check.length = a->available;
	check.outcome = health_pass_if(a->paired_version == b->paired_version &&
				       a->features == b->features);
	if (check.outcome == HEALTH_PASS)
		health_add(health, &check, "The two boot loaders belong together.");
	else
		health_add(health, &check,
			   "The boot loaders do not belong together: %" PRIu32 "/0x%" PRIx32
			   " and %" PRIu32 "/0x%" PRIx32 ".",
			   a->paired_version, a->features, b->paired_version, b->features);
}

static void check_overlap(struct health *health)
{
	const struct layout *layout = health->layout;
	struct health_check check = {
		.name = "overlap",
		.severity = HEALTH_ERROR,
		.outcome = HEALTH_PASS,
	};
	const struct layout_part *last = NULL; /* the one that reaches furthest so far */

	for (size_t i = 0; i < layout->n_parts; i++) {
		const struct layout_part *part = &layout->parts[i];

		if (last && part->offset < last->offset + last->length) {
			check.outcome = HEALTH_FAIL;
			check.part = part->name;
			check.offset = part->offset;
			check.length =
				MIN_OF(part->available, last->offset + last->length - part->offset);
			health_add(health, &check, "%s begins inside %s.", part->name, last->name);
			return;
		}
		last = part;
	}
	health_add(health, &check, "No two files overlap.");
}

static void check_order(struct health *health)
{
	static const enum layout_part_kind order[] = { LAYOUT_INT_BOOTLOADER, LAYOUT_EXT_BOOTLOADER,
						       LAYOUT_ROM, LAYOUT_VIVA };
	struct health_check check = {
		.name = "order",
		.severity = HEALTH_ERROR,
		.outcome = HEALTH_PASS,
	};
	const struct layout_part *last = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const struct layout_part *part = layout_find(health->layout, order[i]);

		if (part && last && part->offset < last->offset) {
			check.outcome = HEALTH_FAIL;
			check.part = part->name;
			check.offset = part->offset;
			check.length = part->available;
			health_add(health, &check, "%s lies before %s.", part->name, last->name);
			return;
		}
		last = part ? part : last;
	}
	health_add(health, &check, "The files lie in the usual order.");
}

static void check_below_user_area(struct health *health)
{
	const struct layout *layout = health->layout;
	struct health_check check = {
		.name = "below-user-area",
		.severity = HEALTH_ERROR,
		.outcome = HEALTH_PASS,
	};

	if (layout->facts.user_end == 0) {
		check.outcome = HEALTH_UNKNOWN;
		health_add(health, &check,
			   "The firmware does not tell where the user area begins.");
		return;
	}
	for (size_t i = 0; i < layout->n_parts; i++) {
		const struct layout_part *part = &layout->parts[i];

		if (part->offset + part->length <= layout->facts.user_begin)
			continue;
		check.outcome = HEALTH_FAIL;
		check.part = part->name;
		check.offset = part->offset;
		check.length = part->available;
		health_add(health, &check,
			   "%s reaches up to 0x%" PRIx64
			   ", into the user area, which begins at 0x%" PRIx64 ".",
			   part->name, part->offset + part->length, layout->facts.user_begin);
		return;
	}
	health_add(health, &check,
		   "All files end before the user area, which begins at 0x%" PRIx64 ".",
		   layout->facts.user_begin);
}

/* Not a fault: third parties may keep something there. */
static void remark_unknown(struct health *health)
{
	const struct layout *layout = health->layout;
	struct health_check check = {
		.name = "unknown-data",
		.severity = HEALTH_NOTE,
		.outcome = HEALTH_REMARK,
	};
	uint64_t bytes = 0;
	char text[16];

	for (size_t i = 0; i < layout->n_regions; i++) {
		const struct layout_region *region = &layout->regions[i];

		if (region->kind != REGION_UNKNOWN || region->offset >= layout_firmware_end(layout))
			continue;
		if (bytes == 0)
			check.offset = region->offset;
		bytes += region->length;
		check.length = region->offset + region->length - check.offset;
	}
	if (bytes > 0)
		health_add(health, &check, "%s below the user area belong to no file.",
			   format_bytes(bytes, text));
}

void health_check_set(struct health *health)
{
	check_present(health, LAYOUT_INT_BOOTLOADER, "INT_BOOTLOADER");
	check_present(health, LAYOUT_EXT_BOOTLOADER, "EXT_BOOTLOADER");
	check_present(health, LAYOUT_ROM, "ROM");
	check_pairing(health);
	check_overlap(health);
	check_order(health);
	check_below_user_area(health);
	remark_unknown(health);
}
