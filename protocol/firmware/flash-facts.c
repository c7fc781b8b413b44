/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/flash-facts.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/firmware/gfh.h"

/* The flash window; both 0x1… and 0x9… load addresses mean an offset in the flash. */
#define WINDOW_MASK 0x0fffffffU

#define SF_HEADER_SIZE   0x14U
#define BRLYT_SIZE       0xb4U
#define BRLYT_ENTRIES    8U
#define BRLYT_EXISTS     0x42424242U
#define SCAN_STEP        0x1000U /* the main file begins on such a boundary in every known package */
#define SCAN_END         0x40000U /* and not behind this; the highest seen is 0x20000 */
#define NEXT_FILE_GAP    0x400U   /* VIVA begins that far behind the main file */
#define MANUFACTURER_SST 0xbfU

struct search {
	flash_facts_reader read;
	void *userdata;
	struct flash_facts *facts;
	uint8_t chain[GFH_CHAIN_MAX];
};

uint64_t flash_part_size(const uint8_t id[3])
{
	unsigned int exponent = id[2] & 0x1fU;

	/* SST's last byte is a part number, not an exponent (flashrom's table). */
	if (id[0] == MANUFACTURER_SST) {
		switch (id[2] & 0x0fU) {
		case 1:
			return 2U << 20;
		case 2:
			return 4U << 20;
		case 3:
			return 8U << 20;
		default:
			return id[2] == 0x28 ? 1U << 20 : 0;
		}
	}
	return exponent >= 16 && exponent <= 28 ? 1ULL << exponent : 0;
}

/* An end behind the flash window is no figure to go by. */
static uint64_t end_in_window(uint64_t begin, uint64_t length)
{
	uint64_t end = begin + length;

	return end <= (uint64_t)WINDOW_MASK + 1 ? end : 0;
}

/* CMEM_ID_INFO: u32 count at 0x0c, then entries of type, id length, id[8]. */
static void read_parts(struct flash_facts *facts, const struct gfh_record *record)
{
	uint32_t count;

	if (record->size < 0x10)
		return;
	count = get_le32(record->data + 0x0c);
	for (uint32_t i = 0; i < count && facts->n_parts < FLASH_FACTS_PARTS_MAX; i++) {
		uint64_t at = 0x10 + (uint64_t)i * 10;
		struct flash_part *part = &facts->parts[facts->n_parts];

		if (!bytes_inside(record->size, at, 10))
			return;
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
		uint64_t begin = get_le32(record->data + at + 8) & WINDOW_MASK;
		uint64_t length = get_le32(record->data + at + 12);

		if (length == 0 || end_in_window(begin, length) == 0)
			continue;
		facts->user_begin = begin;
		facts->user_end = begin + length;
		return;
	}
}

/* MAUI_INFO: the project's name at 8, address and length of the control block at 0xdc and 0xe0. */
static void read_maui(struct flash_facts *facts, const struct gfh_record *record)
{
	uint32_t length;

	if (record->size >= 0x88)
		for (unsigned int i = 0; i < 128 && isprint(record->data[8 + i]); i++)
			facts->project[i] = (char)record->data[8 + i];
	if (record->size < 0xe4)
		return;
	length = get_le32(record->data + 0xe0);
	if (length > 0)
		facts->control_end =
			end_in_window(get_le32(record->data + 0xdc) & WINDOW_MASK, length);
}

/* Takes what a chain tells up to where it breaks. */
static void read_chain(struct flash_facts *facts, const uint8_t *chain, size_t size)
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

	if (facts->n_files == FLASH_FACTS_FILES_MAX || offset > WINDOW_MASK)
		return 0;
	r = search->read(search->userdata, offset, head, sizeof(head));
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	/* A file that claims to leave the window is as good as none. */
	if (gfh_parse_file(head, sizeof(head), &file) < 0 ||
	    offset + file.length > (uint64_t)WINDOW_MASK + 1)
		return 0;
	if (!knows_file_at(facts, offset)) {
		r = search->read(search->userdata, offset, search->chain, file.content_offset);
		if (r < 0)
			return r == -ENODATA ? 0 : r;
		read_chain(facts, search->chain, file.content_offset);
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
static int read_boot_layout(struct search *search, const uint8_t *layout, uint64_t *ret_end)
{
	uint64_t last = 0, end;

	for (unsigned int i = 0; i < BRLYT_ENTRIES; i++) {
		const uint8_t *entry = layout + 0x14 + (size_t)i * 20;
		int r;

		if (get_le32(entry) != BRLYT_EXISTS)
			continue;
		r = look_for_file(search, get_le32(entry + 8) & WINDOW_MASK, &end);
		if (r < 0)
			return r;
		if (r > 0)
			last = MAX_OF(last, end);
	}
	*ret_end = last;
	return 0;
}

/* SF header at 0, BRLYT where it says. */
static int read_boot_header(struct search *search, uint64_t *ret_end)
{
	uint8_t head[SF_HEADER_SIZE], layout[BRLYT_SIZE];
	int r = search->read(search->userdata, 0, head, sizeof(head));

	if (r < 0 || memcmp(head, "SF_BOOT", 8) != 0)
		return r == -ENODATA ? 0 : MIN_OF(r, 0);
	r = search->read(search->userdata, get_le32(head + 0x10) & WINDOW_MASK, layout,
			 sizeof(layout));
	if (r < 0 || memcmp(layout, "BRLYT", 6) != 0)
		return r == -ENODATA ? 0 : MIN_OF(r, 0);
	search->facts->boot_header = true;
	return read_boot_layout(search, layout, ret_end);
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
