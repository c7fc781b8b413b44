/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <string.h>

#include "protocol/base/flash-ids.h"
#include "protocol/base/strings.h"
#include "protocol/firmware/health-internal.h"

/* Of what the firmware says about its flash: user area, control block, the list of flash parts. */

#define ID_TEXT_SIZE 17U /* 8 bytes in hexadecimal */

static void check_user_area(struct health *health)
{
	const struct layout *layout = health->layout;
	const struct flash_facts *facts = &layout->facts;
	struct health_check check = {
		.name = "user-area",
		.offset = layout->user_area.offset,
		.length = layout->user_area.length,
		.severity = HEALTH_ERROR,
		.outcome = health_pass_if(facts->user_end <= layout->effective_size),
	};

	if (facts->user_end == 0) {
		check = (struct health_check){
			.name = "user-area",
			.severity = HEALTH_ERROR,
			.outcome = HEALTH_UNKNOWN,
		};
		health_add(health, &check, "No FLASH_INFO tells where the user area is.");
	} else if (check.outcome == HEALTH_PASS) {
		health_add(health, &check, "The user area is inside the image.");
	} else {
		health_add(health, &check,
			   "The user area ends at 0x%" PRIx64 ", behind the image's end.",
			   facts->user_end);
	}
}

static void check_control(struct health *health)
{
	const struct layout *layout = health->layout;
	const struct flash_facts *facts = &layout->facts;
	struct health_check check = {
		.name = "control-block",
		.offset = layout->control.offset,
		.length = layout->control.length,
		.severity = HEALTH_NOTE,
		.outcome = health_pass_if(facts->control_end <= layout->effective_size),
	};

	if (facts->control_end > 0)
		health_add(health, &check, "The control block region is %s the image.",
			   check.outcome == HEALTH_PASS ? "inside" : "not inside");
}

/* Without the list, exactly as it is, a flasher takes no .cfg for the files. */
static void check_list(struct health *health)
{
	const struct flash_facts *facts = &health->layout->facts;
	bool whole = facts->n_parts > 0 && facts->n_parts == facts->n_parts_told;
	struct health_check check = {
		.name = "flash-ids",
		.severity = HEALTH_ERROR,
		.outcome = health_pass_if(whole),
	};

	if (whole)
		health_add(health, &check, "The firmware lists %zu flash parts.", facts->n_parts);
	else if (facts->n_parts > 0)
		health_add(health, &check,
			   "The firmware's list has %zu flash parts, but should have %" PRIu32 ".",
			   facts->n_parts, facts->n_parts_told);
	else
		health_add(health, &check, "The firmware has no list of flash parts.");
}

/* FLASH_INFO names the first part of the list, a byte in each of its words. */
static void check_first(struct health *health)
{
	const struct flash_facts *facts = &health->layout->facts;
	struct health_check check = {
		.name = "flash-id-first",
		.severity = HEALTH_ERROR,
		.outcome = HEALTH_UNKNOWN,
	};
	bool same = true;

	if (facts->n_parts == 0 || facts->flash_id[0] == 0) {
		health_add(health, &check, "The list and FLASH_INFO are not both there.");
		return;
	}
	for (unsigned int i = 0; i < MIN_OF(facts->parts[0].id_length, 4U); i++)
		same = same && facts->flash_id[i] == facts->parts[0].id[i];
	check.outcome = health_pass_if(same);
	health_add(health, &check, "FLASH_INFO names %s flash part of the list.",
		   same ? "the first" : "another than the first");
}

static bool list_has(const struct flash_facts *facts, const uint8_t *id, size_t length)
{
	for (size_t i = 0; i < facts->n_parts; i++) {
		const struct flash_part *part = &facts->parts[i];

		if (part->id_length > 0 &&
		    memcmp(part->id, id, MIN_OF(part->id_length, length)) == 0)
			return true;
	}
	return false;
}

/* A flasher compares the chip with the ROM's own list; a .cfg cannot change that. */
static void check_chip(struct health *health)
{
	const struct layout *layout = health->layout;
	const uint8_t *id = health->options.chip_id;
	size_t length = health->options.chip_id_length;
	uint64_t size = flash_id_size(id);
	bool listed = list_has(&layout->facts, id, length);
	struct health_check check = {
		.name = "chip-id",
		.severity = HEALTH_ERROR,
		.outcome = health_pass_if(listed),
	};
	char text[ID_TEXT_SIZE];

	hex_encode(id, length, text);
	health_add(health, &check, "The watch's flash part %s is %s the firmware's list.", text,
		   listed ? "on" : "not on");
	if (!listed)
		health_hint(health, "this firmware is not of this watch, or was read wrongly");
	if (size == 0)
		return;
	/* A part may be larger than what its firmware uses. */
	check.name = "chip-size";
	check.severity = HEALTH_NOTE;
	check.length = layout->effective_size;
	check.outcome = health_pass_if(layout->effective_size == size);
	health_add(health, &check,
		   "The flash part %s has 0x%" PRIx64 " bytes, the image 0x%" PRIx64 ".", text,
		   size, layout->effective_size);
	if (check.outcome == HEALTH_FAIL)
		health_hint(health, "read 0x%" PRIx64 " bytes", size);
}

static void remark_platform(struct health *health)
{
	const struct layout *layout = health->layout;
	struct health_check check = {
		.name = "platform",
		.severity = HEALTH_NOTE,
		.outcome = HEALTH_REMARK,
	};

	if (layout->platform[0])
		health_add(health, &check, "The firmware is for the %s%s.", layout->platform,
			   streq(layout->platform, "MT2502") ? " (or the MT2503, which calls "
							       "itself so)"
							     : "");
	else
		health_add(health, &check, "The firmware does not tell which chip it is for.");
}

void health_check_flash(struct health *health)
{
	check_user_area(health);
	check_control(health);
	check_list(health);
	check_first(health);
	if (health->options.chip_id)
		check_chip(health);
	remark_platform(health);
}
