/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/layout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"
#include "protocol/firmware/boot-layout.h"
#include "protocol/firmware/layout-facts.h"
#include "protocol/firmware/layout-map.h"
#include "protocol/firmware/layout-viva.h"

/* What every FILE_INFO has 8 bytes behind its begin; no known file has it anywhere else. */
#define FILE_IDENT        "FILE_INFO" /* and its NUL */
#define FILE_IDENT_OFFSET 8U
#define SCAN_PIECE        (16U << 10)

#define PERIOD_MIN        (512U << 10) /* no watch has a smaller flash */
#define REPEATED_MIN      4096U        /* so much must be the same to be a repetition */
#define REPEATED_PART_MIN (64U << 10)  /* and so much where the user area differs */

/* No part of this family is larger; what claims to end behind it tells nothing about the size. */
#define FLASH_MAX (64U << 20)

static const struct {
	uint16_t type;
	enum layout_part_kind kind;
	const char *name;
} part_types[] = {
	{ GFH_FILE_ARM_BL, LAYOUT_INT_BOOTLOADER, "INT_BOOTLOADER" },
	{ GFH_FILE_ARM_EXT_BL, LAYOUT_EXT_BOOTLOADER, "EXT_BOOTLOADER" },
	{ GFH_FILE_PRIMARY_MAUI, LAYOUT_ROM, "ROM" },
	{ GFH_FILE_VIVA, LAYOUT_VIVA, "VIVA" },
	{ GFH_FILE_THIRD_ROM, LAYOUT_THIRD_ROM, "THIRD_ROM" },
	{ 0x101, LAYOUT_OTHER, "SECONDARY_ROM" },
	{ 0x102, LAYOUT_OTHER, "DEMAND_PAGING" },
	{ 0x104, LAYOUT_OTHER, "DSP_ROM" },
	{ 0x105, LAYOUT_OTHER, "CACHED_DSP_ROM" },
	{ 0x180, LAYOUT_OTHER, "CUSTOM_PACK" },
	{ 0x181, LAYOUT_OTHER, "LANGUAGE_PACK" },
	{ 0x182, LAYOUT_OTHER, "JUMP_TABLE" },
	{ 0x200, LAYOUT_OTHER, "FOTA_UE" },
	{ 0x201, LAYOUT_OTHER, "EXT_BL_BACKUP" },
	{ 0x300, LAYOUT_OTHER, "SECURE_RO_ME" },
	{ 0x301, LAYOUT_OTHER, "SECURE_RO_SML" },
	{ 0x480, LAYOUT_OTHER, "FILE_SYSTEM" },
	{ 0x500, LAYOUT_OTHER, "BOOT_CERT" },
};

/* ---- Size ---- */

static bool same_at(const struct layout *layout, uint64_t period, uint64_t length)
{
	return memcmp(layout->image, layout->image + period, length) == 0 &&
	       !bytes_are_uniform(layout->image, length);
}

static int read_image(void *userdata, uint64_t offset, void *data, size_t size)
{
	const struct layout *layout = userdata;

	if (!bytes_inside(layout->size, offset, size))
		return -ENODATA;
	memcpy(data, layout->image + offset, size);
	return 0;
}

/*
 * A read past the end of a flash wraps: the image repeats with the flash's size, a power of two.
 * A watch that runs may have written into its user area between the two readings of it.
 */
static int find_effective_size(struct layout *layout)
{
	_cleanup_free_ struct flash_facts *facts = calloc(1, sizeof(*facts));
	int r;

	layout->effective_size = layout->size;
	layout->blank = bytes_are_uniform(layout->image, layout->size);
	if (!facts)
		return -ENOMEM;
	r = layout->blank ? 0 : flash_facts_find(read_image, layout, facts);
	if (r < 0 || layout->blank)
		return r;
	for (uint64_t period = PERIOD_MIN; period < layout->size; period *= 2) {
		uint64_t rest = layout->size - period, low = MIN_OF(rest, facts->user_begin);
		bool whole = rest >= REPEATED_MIN && same_at(layout, period, rest);

		if (!whole && (low < REPEATED_PART_MIN || facts->user_begin > period ||
			       !same_at(layout, period, low)))
			continue;
		layout->effective_size = period;
		layout->repeats_but_user_area = !whole;
		break;
	}
	return 0;
}

/* ---- Parts ---- */

/* The part that has the byte at offset, or LAYOUT_NO_PART. */
static size_t part_around(const struct layout *layout, uint64_t offset)
{
	for (size_t i = 0; i < layout->n_parts; i++)
		if (offset >= layout->parts[i].offset &&
		    offset - layout->parts[i].offset < layout->parts[i].available)
			return i;
	return LAYOUT_NO_PART;
}

static bool part_begins_at(const struct layout *layout, uint64_t offset)
{
	for (size_t i = 0; i < layout->n_parts; i++)
		if (layout->parts[i].offset == offset)
			return true;
	return false;
}

static void set_kind(struct layout_part *part)
{
	if (part->type >= GFH_FILE_CUSTOMER && part->type <= GFH_FILE_CUSTOMER + 0xff) {
		part->kind = LAYOUT_CUSTOMER;
		snprintf(part->name, sizeof(part->name), "CUSTOMER_BIN%u",
			 (unsigned int)part->type - GFH_FILE_CUSTOMER);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(part_types); i++)
		if (part_types[i].type == part->type) {
			part->kind = part_types[i].kind;
			snprintf(part->name, sizeof(part->name), "%s", part_types[i].name);
			return;
		}
	part->kind = LAYOUT_OTHER;
	snprintf(part->name, sizeof(part->name), "FILE_%04X", (unsigned int)part->type);
}

/* What the chain tells of the part itself, and how far it holds together. */
static void read_part_chain(const struct layout *layout, struct layout_part *part)
{
	size_t size = (size_t)MIN_OF(part->gfh.content_offset, part->available), offset = 0;
	struct gfh_record record;

	while (gfh_next(layout->image + part->offset, size, &offset, &record) > 0) {
		if (record.type == GFH_MAUI_SEC)
			part->secured = true;
		if (record.type == GFH_ARM_BL_INFO && record.size >= 0x10) {
			part->paired = true;
			part->paired_version = get_le32(record.data + 0x08);
			part->features = get_le32(record.data + 0x0c);
		}
	}
	part->chain_length = offset;
}

static void add_part(struct layout *layout, uint64_t offset, const struct gfh_file *file,
		     bool listed)
{
	struct layout_part *part;

	if (layout->n_parts == LAYOUT_PARTS_MAX) {
		layout->n_parts_left_out++;
		return;
	}
	part = &layout->parts[layout->n_parts++];
	*part = (struct layout_part){
		.type = file->type,
		.offset = offset,
		.length = file->length,
		.available = MIN_OF(file->length, layout->effective_size - offset),
		.expected = file->type == GFH_FILE_ARM_BL ? offset
							  : file->load_address & GFH_OFFSET_MASK,
		.gfh = *file,
		.listed = listed,
	};
	set_kind(part);
	read_part_chain(layout, part);
}

/* A FILE_INFO at offset: a part, a stub, or a copy that some file carries in its content. */
static void consider(struct layout *layout, uint64_t offset)
{
	struct gfh_file file;
	bool inside;
	int r = gfh_parse_file(layout->image + offset, layout->effective_size - offset, &file);

	if (r == -ENOENT || part_begins_at(layout, offset))
		return;
	inside = part_around(layout, offset) != LAYOUT_NO_PART;
	if (r < 0) {
		if (!inside && layout->n_stubs++ == 0)
			layout->first_stub = offset;
		return;
	}
	if (!inside || (file.load_address & GFH_OFFSET_MASK) == offset)
		add_part(layout, offset, &file, false);
}

/* In pieces, so that a hit costs no more than one whatever memmem looks at before it searches. */
static const uint8_t *find_ident(const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		size_t left = (size_t)(end - at);
		const uint8_t *ident = memmem(at, MIN_OF(left, SCAN_PIECE + sizeof(FILE_IDENT) - 1),
					      FILE_IDENT, sizeof(FILE_IDENT));

		if (ident)
			return ident;
		at += MIN_OF(left, SCAN_PIECE);
	}
	return NULL;
}

static void scan(struct layout *layout)
{
	const uint8_t *end = layout->image + layout->effective_size;
	const uint8_t *ident = find_ident(layout->image, end);

	for (; ident; ident = find_ident(ident + sizeof(FILE_IDENT), end))
		if (ident - layout->image >= FILE_IDENT_OFFSET)
			consider(layout, (uint64_t)(ident - layout->image) - FILE_IDENT_OFFSET);
}

static int compare_parts(const void *a, const void *b)
{
	const struct layout_part *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The second of one name becomes NAME_2. */
static void number_names(struct layout *layout)
{
	for (size_t i = layout->n_parts; i > 1; i--) {
		struct layout_part *part = &layout->parts[i - 1];
		unsigned int same = 1;
		size_t n = strlen(part->name);

		for (size_t j = 0; j + 1 < i; j++)
			same += streq(layout->parts[j].name, part->name);
		if (same > 1)
			snprintf(part->name + n, sizeof(part->name) - n, "_%u", same);
	}
}

/* ---- Boot header ---- */

static void read_boot_table(struct layout *layout, uint64_t offset)
{
	uint64_t left = layout->effective_size - MIN_OF(offset, layout->effective_size);
	struct boot_layout table;

	if (boot_layout_parse(layout->image + layout->effective_size - left, left, &table) < 0)
		return;
	layout->has_boot_layout = true;
	layout->boot_layout = offset;
	layout->boot_layout_version = table.version;
	for (size_t i = 0; i < table.n_entries; i++) {
		const struct boot_entry *entry = &table.entries[i];
		struct gfh_file file;

		layout->boot_entries[layout->n_boot_entries++] = (struct layout_boot_entry){
			.type = entry->type,
			.begin = entry->begin,
			.boundary = entry->boundary,
			.part = LAYOUT_NO_PART,
		};
		if (entry->begin < layout->effective_size &&
		    !part_begins_at(layout, entry->begin) &&
		    gfh_parse_file(layout->image + entry->begin,
				   layout->effective_size - entry->begin, &file) >= 0)
			add_part(layout, entry->begin, &file, true);
	}
}

static void read_boot_header(struct layout *layout)
{
	struct boot_header header;

	if (boot_header_parse(layout->image, layout->effective_size, &header) < 0)
		return;
	layout->boot_header = true;
	layout->boot_header_version = header.version;
	read_boot_table(layout, header.layout);
	if (layout->effective_size > EFUSE_RECORD_OFFSET &&
	    efuse_record_is_there(layout->image + EFUSE_RECORD_OFFSET,
				  layout->effective_size - EFUSE_RECORD_OFFSET))
		layout->efuse = (struct layout_span){ EFUSE_RECORD_OFFSET, EFUSE_RECORD_SIZE };
}

static void link_boot_entries(struct layout *layout)
{
	for (size_t i = 0; i < layout->n_boot_entries; i++)
		for (size_t j = 0; j < layout->n_parts; j++)
			if (layout->parts[j].offset == layout->boot_entries[i].begin)
				layout->boot_entries[i].part = j;
}

/* ---- ---- */

static int find_all(struct layout *layout)
{
	int r = find_effective_size(layout);

	if (r < 0)
		return r;
	read_boot_header(layout);
	scan(layout);
	if (layout->n_parts > 0)
		qsort(layout->parts, layout->n_parts, sizeof(layout->parts[0]), compare_parts);
	layout_read_facts(layout);
	link_boot_entries(layout);
	number_names(layout);
	layout_find_viva(layout);
	return layout_map(layout);
}

int layout_new(const uint8_t *image, uint64_t size, struct layout **ret)
{
	_cleanup_(layout_freep) struct layout *layout = NULL;
	int r;

	if (size == 0)
		return -EINVAL;
	layout = calloc(1, sizeof(*layout));
	if (!layout)
		return -ENOMEM;
	layout->image = image;
	layout->size = size;
	layout->parts = calloc(LAYOUT_PARTS_MAX, sizeof(*layout->parts));
	if (!layout->parts)
		return -ENOMEM;
	r = find_all(layout);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(layout);
	return 0;
}

void layout_free(struct layout *layout)
{
	if (!layout)
		return;
	free(layout->parts);
	free(layout->regions);
	free(layout);
}

const struct layout_part *layout_find(const struct layout *layout, enum layout_part_kind kind)
{
	for (size_t i = 0; i < layout->n_parts; i++)
		if (layout->parts[i].kind == kind)
			return &layout->parts[i];
	return NULL;
}

const uint8_t *layout_find_rom_info(const struct layout *layout, const struct layout_part *part,
				    size_t *ret_size)
{
	const uint8_t *file = layout->image + part->offset;
	const uint8_t *info = memmem(file, MIN_OF(part->available, LAYOUT_ROM_INFO_END),
				     LAYOUT_ROM_INFO, strlen(LAYOUT_ROM_INFO));

	if (info)
		*ret_size = (size_t)(part->available - (uint64_t)(info - file));
	return info;
}

const char *layout_region_kind_to_string(enum layout_region_kind kind)
{
	static const char *const words[_REGION_KIND_MAX] = {
		[REGION_BOOT_HEADER] = "boot-header",
		[REGION_BOOT_LAYOUT] = "boot-layout",
		[REGION_EFUSE] = "efuse",
		[REGION_FILE] = "file",
		[REGION_ZIMAGE] = "zimage",
		[REGION_DCM] = "dcm",
		[REGION_ALICE] = "alice",
		[REGION_USER_AREA] = "user-area",
		[REGION_CONTROL] = "control-block",
		[REGION_ERASED] = "erased",
		[REGION_UNKNOWN] = "unknown",
		[REGION_REPEATED] = "repeated",
	};

	return words[kind];
}

uint64_t layout_firmware_end(const struct layout *layout)
{
	return layout->user_area.length > 0 ? layout->user_area.offset : layout->effective_size;
}

uint64_t layout_needed_size(const struct layout *layout)
{
	uint64_t needed = 0;
	const uint64_t told[] = { layout->facts.user_end, layout->facts.control_end,
				  layout->facts.usable_end };

	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (told[i] <= FLASH_MAX)
			needed = MAX_OF(needed, told[i]);
	for (size_t i = 0; i < layout->n_parts; i++) {
		uint64_t end = layout->parts[i].offset + layout->parts[i].length;

		if (end <= FLASH_MAX)
			needed = MAX_OF(needed, end);
	}
	return needed;
}
