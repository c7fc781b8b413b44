/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/flash-facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/flash-ids.h"
#include "protocol/firmware/boot-layout.h"
#include "protocol/firmware/gfh.h"

#define SCAN_STEP     0x1000U  /* the main file begins on such a boundary in every known package */
#define SCAN_END      0x40000U /* and not behind this; the highest seen is 0x20000 */
#define NEXT_FILE_GAP 0x400U   /* VIVA begins that far behind the main file */

struct search {
	flash_facts_reader read;
	void *userdata;
	struct flash_facts *facts;
	uint8_t chain[GFH_CHAIN_MAX];
};

uint64_t flash_part_size(const uint8_t id[3])
{
	return flash_id_size(id);
}

/* An end behind the flash window is no figure to go by. */
static uint64_t end_in_window(uint64_t begin, uint64_t length)
{
	uint64_t end = begin + length;

	return end <= (uint64_t)GFH_OFFSET_MASK + 1 ? end : 0;
}

/* CMEM_ID_INFO: u32 count at 0x0c, then entries of type, id length, id[8]. */
static void read_parts(struct flash_facts *facts, const struct gfh_record *record)
{
	uint32_t count;

	if (record->size < 0x10)
		return;
	count = get_le32(record->data + 0x0c);
	facts->n_parts_told = count;
	for (uint32_t i = 0; i < count && facts->n_parts < FLASH_FACTS_PARTS_MAX; i++) {
		uint64_t at = 0x10 + (uint64_t)i * 10;
		struct flash_part *part = &facts->parts[facts->n_parts];

		if (!bytes_inside(record->size, at, 10))
			return;
		part->type = record->data[at];
		part->id_length = MIN_OF(record->data[at + 1], 8);
		memcpy(part->id, record->data + at + 2, 8);
		part->size = part->id_length >= 3 ? flash_part_size(part->id) : 0;
		facts->n_parts++;
	}
}

/* CMEM_NOR_INFO: entries of 0x88 bytes from 0x10, the usable end at 0x48 of each. */
static void read_nor_geometry(struct flash_facts *facts, const struct gfh_record *record)
{
	if (record->size >= 0x10 + 0x4c)
		facts->usable_end = end_in_window(0, get_le32(record->data + 0x10 + 0x48));
}

/* FLASH_INFO: six devices of 16 bytes from 0x14, the first that is filled in counts. */
static void read_user_area(struct flash_facts *facts, const struct gfh_record *record)
{
	for (unsigned int at = 0x14; at + 16 <= MIN_OF(record->size, 0x74); at += 16) {
		uint64_t begin = get_le32(record->data + at + 8) & GFH_OFFSET_MASK;
		uint64_t length = get_le32(record->data + at + 12);

		if (length == 0 || end_in_window(begin, length) == 0)
			continue;
		facts->user_begin = begin;
		facts->user_end = begin + length;
		for (unsigned int i = 0; i < 4; i++)
			facts->flash_id[i] = get_le16(record->data + at + 2 * i);
		return;
	}
}

/* The printable beginning of a text field; ret has size + 1 bytes. */
static void read_text(const uint8_t *data, size_t size, char *ret)
{
	size_t n = 0;

	while (n < size && data[n] >= 0x20 && data[n] < 0x7f) {
		ret[n] = (char)data[n];
		n++;
	}
	memset(ret + n, 0, size + 1 - n);
}

/*
 * MAUI_INFO: project at 8, version at 0x88, address and length of the control block at 0xdc and
 * 0xe0.
 */
static void read_maui(struct flash_facts *facts, const struct gfh_record *record)
{
	uint64_t begin, end;
	uint32_t length;

	if (record->size >= 0x88)
		read_text(record->data + 8, 128, facts->project);
	if (record->size >= 0xc8)
		read_text(record->data + 0x88, 64, facts->version);
	if (record->size < 0xe4)
		return;
	begin = get_le32(record->data + 0xdc) & GFH_OFFSET_MASK;
	length = get_le32(record->data + 0xe0);
	end = end_in_window(begin, length);
	if (length == 0 || end == 0)
		return;
	facts->control_begin = begin;
	facts->control_end = end;
}

void flash_facts_add_chain(struct flash_facts *facts, const uint8_t *chain, size_t size)
{
	struct gfh_record record;
	size_t offset = 0;

	while (gfh_next(chain, size, &offset, &record) > 0) {
		switch (record.type) {
		case GFH_CMEM_ID_INFO:
			/* Both the boot loader and the main file may carry the same list. */
			facts->n_parts = 0;
			read_parts(facts, &record);
			break;
		case GFH_CMEM_NOR_INFO:
			read_nor_geometry(facts, &record);
			break;
		case GFH_FLASH_INFO:
			read_user_area(facts, &record);
			break;
		case GFH_MAUI_INFO:
			read_maui(facts, &record);
			break;
		default:
			break;
		}
	}
}

static bool knows_file_at(const struct flash_facts *facts, uint64_t offset)
{
	for (size_t i = 0; i < facts->n_files; i++)
		if (facts->files[i].begin == offset)
			return true;
	return false;
}

/* 1 when a file begins at offset (its chain is read, unless it is known), 0 when not. */
static int look_for_file(struct search *search, uint64_t offset, uint64_t *ret_end)
{
	struct flash_facts *facts = search->facts;
	uint8_t head[GFH_FILE_INFO_SIZE];
	struct gfh_file file;
	int r;

	if (facts->n_files == FLASH_FACTS_FILES_MAX || offset > GFH_OFFSET_MASK)
		return 0;
	r = search->read(search->userdata, offset, head, sizeof(head));
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	/* A file that claims to leave the window is as good as none. */
	if (gfh_parse_file(head, sizeof(head), &file) < 0 ||
	    offset + file.length > (uint64_t)GFH_OFFSET_MASK + 1)
		return 0;
	if (!knows_file_at(facts, offset)) {
		r = search->read(search->userdata, offset, search->chain, file.content_offset);
		if (r < 0)
			return r == -ENODATA ? 0 : r;
		flash_facts_add_chain(facts, search->chain, file.content_offset);
		facts->files[facts->n_files++] = (struct flash_fact_file){
			.type = file.type,
			.begin = offset,
			.end = offset + file.length,
		};
	}
	*ret_end = offset + file.length;
	return 1;
}

static uint64_t round_up(uint64_t value, uint64_t step)
{
	return (value + step - 1) / step * step;
}

/* The files that lie behind one another: VIVA behind the ROM, third parties' behind that. */
static int follow_files(struct search *search, uint64_t end)
{
	for (size_t i = 0; i < FLASH_FACTS_FILES_MAX; i++) {
		const uint64_t next[] = { end + NEXT_FILE_GAP, end, round_up(end, SCAN_STEP) };
		int r = 0;

		for (size_t j = 0; j < ARRAY_SIZE(next) && r == 0; j++)
			r = look_for_file(search, next[j], &end);
		if (r <= 0)
			return r;
	}
	return 0;
}

/* The main file begins somewhere behind the boot loaders, on a 4 KiB boundary. */
static int find_main_file(struct search *search, uint64_t from)
{
	for (uint64_t at = round_up(from, SCAN_STEP); at < SCAN_END; at += SCAN_STEP) {
		size_t known = search->facts->n_files;
		uint64_t end;
		int r = look_for_file(search, at, &end);

		if (r < 0)
			return r;
		if (r > 0 && search->facts->n_files > known &&
		    search->facts->files[known].type != GFH_FILE_ARM_BL &&
		    search->facts->files[known].type != GFH_FILE_ARM_EXT_BL)
			return follow_files(search, end);
	}
	return 0;
}

/* The boot loaders that BRLYT lists; *ret_end is where the last of them ends. */
static int read_boot_layout(struct search *search, const struct boot_layout *layout,
			    uint64_t *ret_end)
{
	uint64_t last = 0, end;

	for (size_t i = 0; i < layout->n_entries; i++) {
		int r = look_for_file(search, layout->entries[i].begin, &end);

		if (r < 0)
			return r;
		if (r > 0)
			last = MAX_OF(last, end);
	}
	*ret_end = last;
	return 0;
}

/* The boot header at 0, BRLYT where it says. */
static int read_boot_header(struct search *search, uint64_t *ret_end)
{
	uint8_t head[BOOT_HEADER_SIZE], table[BOOT_LAYOUT_SIZE];
	struct boot_header header;
	struct boot_layout layout;
	int r = search->read(search->userdata, 0, head, sizeof(head));

	if (r < 0 || boot_header_parse(head, sizeof(head), &header) < 0)
		return r == -ENODATA ? 0 : MIN_OF(r, 0);
	r = search->read(search->userdata, header.layout, table, sizeof(table));
	if (r < 0 || boot_layout_parse(table, sizeof(table), &layout) < 0)
		return r == -ENODATA ? 0 : MIN_OF(r, 0);
	search->facts->boot_header = true;
	return read_boot_layout(search, &layout, ret_end);
}

int flash_facts_find(flash_facts_reader read, void *userdata, struct flash_facts *ret)
{
	_cleanup_free_ struct search *search = calloc(1, sizeof(*search));
	_cleanup_free_ struct flash_facts *facts = calloc(1, sizeof(*facts));
	uint64_t boot_end = 0;
	int r;

	if (!search || !facts)
		return -ENOMEM;
	search->read = read;
	search->userdata = userdata;
	search->facts = facts;
	r = read_boot_header(search, &boot_end);
	if (r >= 0)
		r = find_main_file(search, boot_end);
	if (r >= 0)
		*ret = *facts;
	return MIN_OF(r, 0);
}

const char *flash_facts_firmware(const struct flash_facts *facts,
				 char buf[FLASH_FACTS_FIRMWARE_SIZE])
{
	const char *gap = *facts->project && *facts->version ? " " : "";

	(void)snprintf(buf, FLASH_FACTS_FIRMWARE_SIZE, "%s%s%s", facts->project, gap,
		       facts->version);
	return *buf ? buf : NULL;
}

uint64_t flash_facts_files_end(const struct flash_facts *facts)
{
	uint64_t end = 0;

	for (size_t i = 0; i < facts->n_files; i++)
		end = MAX_OF(end, facts->files[i].end);
	return end;
}

uint64_t flash_facts_lower_bound(const struct flash_facts *facts)
{
	uint64_t ends[] = { flash_facts_files_end(facts), facts->user_end, facts->control_end,
			    facts->usable_end };
	uint64_t bound = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		bound = MAX_OF(bound, ends[i]);
	return bound;
}
