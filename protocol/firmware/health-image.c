/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "protocol/base/strings.h"
#include "protocol/firmware/boot-layout.h"
#include "protocol/firmware/health-internal.h"

/* Of the image as a whole: its size, its begin, and whether all of it lies where it belongs. */

#define PAGE 0x1000U

/* Flashes have sizes that are powers of two. */
static uint64_t flash_size_for(uint64_t bytes)
{
	uint64_t size = PAGE;

	while (size < bytes)
		size *= 2;
	return size;
}

static void check_needed_size(struct health *health)
{
	const struct layout *layout = health->layout;
	uint64_t needed = layout_needed_size(layout);
	struct health_check check = {
		.name = "needed-size",
		.length = layout->effective_size,
		.severity = HEALTH_ERROR,
		.outcome = needed == 0 ? HEALTH_UNKNOWN
				       : health_pass_if(needed <= layout->effective_size),
	};

	if (needed == 0) {
		health_add(health, &check, "No firmware tells how large the flash has to be.");
		return;
	}
	if (check.outcome == HEALTH_PASS) {
		health_add(health, &check, "The firmware needs 0x%" PRIx64 " bytes; all are here.",
			   needed);
		return;
	}
	health_add(health, &check,
		   "The firmware reaches up to 0x%" PRIx64 ", but the image ends at 0x%" PRIx64
		   ": it is cut off.",
		   needed, layout->effective_size);
	if (layout->size < needed)
		health_hint(health, "read 0x%" PRIx64 " bytes", flash_size_for(needed));
}

static void check_aliasing(struct health *health)
{
	const struct layout *layout = health->layout;
	bool repeats = layout->effective_size < layout->size;
	struct health_check check = {
		.name = "aliasing",
		.offset = repeats ? layout->effective_size : 0,
		.length = repeats ? layout->size - layout->effective_size : layout->size,
		.severity = HEALTH_NOTE,
		.outcome = health_pass_if(!repeats),
	};
	char size[16];

	if (!repeats) {
		health_add(health, &check, "The image does not repeat itself.");
		return;
	}
	health_add(health, &check,
		   "The image repeats itself%s after 0x%" PRIx64 " bytes: the flash has %s.",
		   layout->repeats_but_user_area ? " (save for the user area)" : "",
		   layout->effective_size, format_bytes(layout->effective_size, size));
	health_hint(health, "read 0x%" PRIx64 " bytes", layout->effective_size);
}

void health_check_size(struct health *health)
{
	const struct layout *layout = health->layout;
	struct health_check size = {
		.name = "size",
		.length = layout->size,
		.severity = HEALTH_NOTE,
		.outcome = health_pass_if(layout->size % PAGE == 0),
	};
	struct health_check blank = {
		.name = "blank",
		.length = layout->size,
		.severity = HEALTH_FATAL,
		.outcome = health_pass_if(!layout->blank),
	};

	health_add(health, &size, "The image has 0x%" PRIx64 " bytes%s.", layout->size,
		   size.outcome == HEALTH_PASS ? "" : ", which is no whole number of 4 KiB pages");
	if (layout->blank) {
		health_add(health, &blank, "Every byte of the image is %02X: nothing was read.",
			   layout->image[0]);
		health_hint(health, "check that the start address is that of the flash, and read "
				    "again");
		return;
	}
	health_add(health, &blank, "The image is not blank.");
	check_aliasing(health);
	check_needed_size(health);
}

/* ---- Boot header ---- */

static void check_boot_header(struct health *health)
{
	const struct layout *layout = health->layout;
	bool good = layout->boot_header && layout->boot_header_version == BOOT_HEADER_VERSION;
	struct health_check check = {
		.name = "boot-header",
		.length = MIN_OF(layout->effective_size, BOOT_HEADER_SIZE),
		.severity = HEALTH_ERROR,
		.outcome = health_pass_if(good),
	};

	if (good) {
		health_add(health, &check, "The boot header is there.");
	} else if (layout->boot_header) {
		health_add(health, &check, "The boot header has version %" PRIu32 " instead of 1.",
			   layout->boot_header_version);
	} else {
		health_add(health, &check, "The image does not begin with a boot header.");
		health_hint(health, "read from the flash's begin");
	}
}

static void check_boot_layout(struct health *health)
{
	const struct layout *layout = health->layout;
	struct health_check check = {
		.name = "boot-layout",
		.offset = layout->boot_layout,
		.length = layout->has_boot_layout ? BOOT_LAYOUT_SIZE : 0,
		.severity = HEALTH_ERROR,
		.outcome = HEALTH_PASS,
	};

	if (!layout->boot_header) {
		check.outcome = HEALTH_UNKNOWN;
		health_add(health, &check,
			   "Without a boot header nothing leads to the table of "
			   "boot loaders.");
		return;
	}
	if (layout->has_boot_layout && layout->boot_layout_version == BOOT_LAYOUT_VERSION &&
	    layout->n_boot_entries > 0) {
		health_add(health, &check, "The table of boot loaders has %zu entries.",
			   layout->n_boot_entries);
		return;
	}
	check.outcome = HEALTH_FAIL;
	health_add(health, &check, "The table of boot loaders (BRLYT) is %s.",
		   layout->has_boot_layout ? "empty or of an unknown version" : "not there");
}

static void check_boot_entry(struct health *health, const struct layout_boot_entry *entry)
{
	const struct layout *layout = health->layout;
	const struct layout_part *part =
		entry->part == LAYOUT_NO_PART ? NULL : &layout->parts[entry->part];
	struct health_check check = {
		.name = "boot-entry",
		.part = part ? part->name : NULL,
		.offset = entry->begin,
		.length = entry->boundary > entry->begin ? entry->boundary - entry->begin : 0,
		.severity = HEALTH_ERROR,
		.outcome = HEALTH_FAIL,
	};

	if (!part) {
		health_add(health, &check,
			   "The boot loader that the table names at 0x%" PRIx64 " is not there.",
			   entry->begin);
	} else if (part->type != entry->type) {
		health_add(health, &check,
			   "The table names type %04x at 0x%" PRIx64 ", but %s is there.",
			   entry->type, entry->begin, part->name);
	} else if (part->offset + part->length > entry->boundary) {
		health_add(health, &check,
			   "%s ends at 0x%" PRIx64 ", behind its room, which ends at 0x%" PRIx64
			   ".",
			   part->name, part->offset + part->length, entry->boundary);
	} else {
		check.outcome = HEALTH_PASS;
		health_add(health, &check, "%s is where the table has it.", part->name);
	}
}

/* ---- Shift ---- */

static bool has_address(const struct layout_part *part)
{
	return part->kind != LAYOUT_INT_BOOTLOADER;
}

/* Bytes that a part lies too low; modulo 2^64 where it lies too high. */
static uint64_t shift_of(const struct layout_part *part)
{
	return part->expected - part->offset;
}

static const struct layout_part *find_shifted(const struct layout *layout)
{
	for (size_t i = 0; i < layout->n_parts; i++)
		if (has_address(&layout->parts[i]) && shift_of(&layout->parts[i]) != 0)
			return &layout->parts[i];
	return NULL;
}

static void add_shift(struct health *health, const struct health_check *check, uint64_t shift)
{
	const char *part = check->part;
	uint64_t amount = shift >> 63 ? -shift : shift;

	if (!health->layout->boot_header && health->layout->shift != 0) {
		health_add(health, check,
			   shift >> 63 ? "All files lie 0x%" PRIx64 " bytes too high: something "
					 "stands before the flash's begin."
				       : "All files lie 0x%" PRIx64
					 " bytes too low: the image begins at that offset of the "
					 "flash.",
			   amount);
		health_hint(health, "read from the flash's begin");
		return;
	}
	health_add(health, check,
		   "%s lies 0x%" PRIx64 " bytes too %s: before it bytes were %s while reading.",
		   part, amount, shift >> 63 ? "high" : "low", shift >> 63 ? "added" : "lost");
	health_hint(health, "read the watch again");
}

/* All files lie where their load addresses say, or all are off by the same. */
static void check_shift(struct health *health)
{
	const struct layout *layout = health->layout;
	struct health_check check = { .name = "shift", .severity = HEALTH_ERROR };
	const struct layout_part *first = find_shifted(layout);
	size_t n = 0;

	for (size_t i = 0; i < layout->n_parts; i++)
		n += has_address(&layout->parts[i]);
	if (n == 0) {
		check.outcome = HEALTH_UNKNOWN;
		health_add(health, &check, "There is no file whose load address could tell.");
	} else if (!first) {
		check.outcome = HEALTH_PASS;
		health_add(health, &check, "Nothing is shifted: %zu files lie at their addresses.",
			   n);
	} else {
		check.outcome = HEALTH_FAIL;
		check.part = first->name;
		check.offset = first->offset;
		check.length = first->available;
		add_shift(health, &check, shift_of(first));
	}
}

static void check_file_infos(struct health *health)
{
	const struct layout *layout = health->layout;
	struct health_check check = {
		.name = "file-info",
		.offset = layout->first_stub,
		.length = layout->n_stubs > 0 ? GFH_FILE_INFO_SIZE : 0,
		.severity = HEALTH_ERROR,
		.outcome = health_pass_if(layout->n_stubs == 0 && layout->n_parts_left_out == 0),
	};

	if (layout->n_stubs > 0)
		health_add(health, &check,
			   "%" PRIu64
			   " file headers have impossible lengths, the first at 0x%" PRIx64 ".",
			   layout->n_stubs, layout->first_stub);
	else if (layout->n_parts_left_out > 0)
		health_add(health, &check,
			   "There are %" PRIu64 " files more than the %u that a watch may have.",
			   layout->n_parts_left_out, LAYOUT_PARTS_MAX);
	else
		health_add(health, &check, "All file headers have possible lengths.");
}

void health_check_boot(struct health *health)
{
	check_boot_header(health);
	check_boot_layout(health);
	for (size_t i = 0; i < health->layout->n_boot_entries; i++)
		check_boot_entry(health, &health->layout->boot_entries[i]);
	check_file_infos(health);
	check_shift(health);
}
