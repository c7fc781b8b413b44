/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/layout-facts.h"

#include <string.h>

#define ROM_INFO_PLATFORM 0x10U /* in the block, a text of */
#define ROM_INFO_TEXT     128U  /* bytes */

/* "MT" and four digits behind an underscore: the first such place. */
static bool read_platform(const char *text, char *ret)
{
	for (const char *p = text; (p = strstr(p, "_MT")) != NULL; p++) {
		if (strspn(p + 3, "0123456789") < 4)
			continue;
		memcpy(ret, p + 1, 6);
		return true;
	}
	return false;
}

/* A vendor's project may be named without the chip. */
static void find_platform(struct layout *layout)
{
	const struct layout_part *rom = layout_find(layout, LAYOUT_ROM);
	char text[ROM_INFO_TEXT + 1] = { 0 };
	const uint8_t *info;
	size_t size;

	if (read_platform(layout->facts.project, layout->platform) || !rom)
		return;
	info = layout_find_rom_info(layout, rom, &size);
	if (!info || size < ROM_INFO_PLATFORM + ROM_INFO_TEXT)
		return;
	memcpy(text, info + ROM_INFO_PLATFORM, ROM_INFO_TEXT);
	read_platform(text, layout->platform);
}

/* One file alone may as well have a damaged address, unless the flash's begin is missing too. */
static uint64_t find_shift(const struct layout *layout)
{
	uint64_t shift = 0;
	size_t n = 0;

	for (size_t i = 0; i < layout->n_parts; i++) {
		const struct layout_part *part = &layout->parts[i];

		if (part->kind == LAYOUT_INT_BOOTLOADER)
			continue;
		if (n++ > 0 && part->expected - part->offset != shift)
			return 0;
		shift = part->expected - part->offset;
	}
	return n > 1 || !layout->boot_header ? shift : 0;
}

/* A place of the flash as one of the image; 0 when it lies before the image. */
static uint64_t place_in_image(uint64_t place, uint64_t shift)
{
	return shift >> 63 || place > shift ? place - shift : 0;
}

static void shift_range(uint64_t *begin, uint64_t *end, uint64_t shift)
{
	if (*end == 0)
		return;
	*begin = place_in_image(*begin, shift);
	*end = place_in_image(*end, shift);
}

static void shift_facts(struct layout *layout)
{
	struct flash_facts *facts = &layout->facts;
	uint64_t begin = 0;

	layout->shift = find_shift(layout);
	shift_range(&facts->user_begin, &facts->user_end, layout->shift);
	shift_range(&facts->control_begin, &facts->control_end, layout->shift);
	shift_range(&begin, &facts->usable_end, layout->shift);
}

static struct layout_span clip(const struct layout *layout, uint64_t begin, uint64_t end)
{
	begin = MIN_OF(begin, layout->effective_size);
	end = MIN_OF(end, layout->effective_size);
	return (struct layout_span){ begin, end > begin ? end - begin : 0 };
}

/*
 * A firmware file that somebody keeps on the watch's disk is the user's and none of the flash: it
 * lies in the user area and belongs elsewhere. Only a ROM outside can tell where that area is.
 */
static void drop_user_files(struct layout *layout)
{
	const struct layout_part *rom = layout_find(layout, LAYOUT_ROM);
	uint64_t begin = layout->facts.user_begin, end = layout->facts.user_end;
	size_t n = 0;

	if (!rom || rom->offset >= begin)
		return;
	for (size_t i = 0; i < layout->n_parts; i++) {
		const struct layout_part *part = &layout->parts[i];
		bool inside = part->offset >= begin && part->offset < end;
		bool meant = part->kind != LAYOUT_INT_BOOTLOADER &&
			     ((part->expected >= begin && part->expected < end) ||
			      part->expected - part->offset == rom->expected - rom->offset);

		if (!inside || meant || part->listed)
			layout->parts[n++] = *part;
	}
	layout->n_parts = n;
}

/* The ROM's word counts most, then the boot loaders'; of several of one kind, the first's. */
void layout_read_facts(struct layout *layout)
{
	static const enum layout_part_kind order[] = {
		LAYOUT_OTHER,          LAYOUT_CUSTOMER,       LAYOUT_THIRD_ROM, LAYOUT_VIVA,
		LAYOUT_EXT_BOOTLOADER, LAYOUT_INT_BOOTLOADER, LAYOUT_ROM,
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (size_t j = layout->n_parts; j > 0; j--) {
			const struct layout_part *part = &layout->parts[j - 1];

			if (part->kind == order[i])
				flash_facts_add_chain(&layout->facts, layout->image + part->offset,
						      (size_t)part->chain_length);
		}
	layout->facts.boot_header = layout->has_boot_layout;
	drop_user_files(layout);
	find_platform(layout);
	shift_facts(layout);
	layout->user_area = clip(layout, layout->facts.user_begin, layout->facts.user_end);
	layout->control = clip(layout, layout->facts.control_begin, layout->facts.control_end);
}
