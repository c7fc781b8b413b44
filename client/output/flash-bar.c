/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output/flash-bar.h"

#include <inttypes.h>

#include "client/output/table.h"
#include "protocol/base/strings.h"
#include "protocol/firmware/layout.h"

#define BLOCK       "\xe2\x96\x88" /* a full block */
#define LIGHT_SHADE "\xe2\x96\x91"
#define REGIONS_MAX 48U /* more are for programs */

/* What stands for a region: a letter, and a colour where there is one. */
struct mark {
	char letter;
	enum tint tint;
};

static struct mark mark_of_part(const struct layout_part *part)
{
	static const struct mark marks[] = {
		[LAYOUT_INT_BOOTLOADER] = { 'I', TINT_WARN },
		[LAYOUT_EXT_BOOTLOADER] = { 'E', TINT_WARN },
		[LAYOUT_ROM] = { 'R', TINT_GOOD },
		[LAYOUT_VIVA] = { 'V', TINT_ACTIVE },
		[LAYOUT_THIRD_ROM] = { 'T', TINT_HEADER },
		[LAYOUT_CUSTOMER] = { 'P', TINT_HEADER },
		[LAYOUT_OTHER] = { 'F', TINT_HEADER },
	};

	return marks[part->kind];
}

static struct mark mark_of(const struct layout *layout, const struct layout_region *region)
{
	static const struct mark marks[_REGION_KIND_MAX] = {
		[REGION_BOOT_HEADER] = { 'H', TINT_VIOLET },
		[REGION_BOOT_LAYOUT] = { 'L', TINT_VIOLET },
		[REGION_EFUSE] = { 'e', TINT_VIOLET },
		[REGION_ZIMAGE] = { 'Z', TINT_ACTIVE },
		[REGION_DCM] = { 'D', TINT_ACTIVE },
		[REGION_ALICE] = { 'A', TINT_BLUE },
		[REGION_USER_AREA] = { 'U', TINT_NONE },
		[REGION_CONTROL] = { 'C', TINT_VIOLET },
		[REGION_ERASED] = { '.', TINT_FAINT },
		[REGION_UNKNOWN] = { '?', TINT_BAD },
		[REGION_REPEATED] = { '=', TINT_FAINT },
	};

	if (region->kind == REGION_FILE)
		return mark_of_part(&layout->parts[region->part]);
	return marks[region->kind];
}

/* The region with most of the bytes [begin, end); *at is a region that reaches to begin or behind. */
static const struct layout_region *dominant(const struct layout *layout, uint64_t begin,
					    uint64_t end, size_t *at)
{
	const struct layout_region *best = NULL;
	uint64_t most = 0;

	while (layout->regions[*at].offset + layout->regions[*at].length <= begin)
		++*at;
	for (size_t i = *at; i < layout->n_regions && layout->regions[i].offset < end; i++) {
		const struct layout_region *region = &layout->regions[i];
		uint64_t bytes = MIN_OF(region->offset + region->length, end) -
				 MAX_OF(region->offset, begin);

		if (bytes > most) {
			most = bytes;
			best = region;
		}
	}
	return best;
}

static void print_mark(struct mark mark, const struct term *term, FILE *out)
{
	if (term->colour && term->unicode)
		fprintf(out, "%s%s%s", term_begin(term, mark.tint),
			mark.tint == TINT_FAINT ? LIGHT_SHADE : BLOCK, term_end(term, mark.tint));
	else
		fprintf(out, "%s%c%s", term_begin(term, mark.tint), mark.letter,
			term_end(term, mark.tint));
}

void flash_bar_print(const struct layout *layout, const struct term *term, FILE *out)
{
	uint64_t columns = MIN_OF(term->columns, layout->size);
	size_t at = 0;

	for (uint64_t i = 0; i < columns; i++) {
		uint64_t begin = layout->size * i / columns;
		uint64_t end = layout->size * (i + 1) / columns;

		print_mark(mark_of(layout, dominant(layout, begin, end, &at)), term, out);
	}
	fputc('\n', out);
}

int flash_bar_print_regions(const struct layout *layout, const struct term *term, FILE *out)
{
	static const struct column columns[] = {
		{ .title = NULL }, { .right = true }, { .right = true }, { .right = true }, { 0 },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	size_t n = MIN_OF(layout->n_regions, REGIONS_MAX);
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		const struct layout_region *region = &layout->regions[i];
		struct mark mark = mark_of(layout, region);
		char size[16];

		table_addf(table, mark.tint, "%c", mark.letter);
		table_addf(table, TINT_NONE, "0x%08" PRIx64, region->offset);
		table_addf(table, TINT_NONE, "0x%" PRIx64, region->length);
		table_add(table, TINT_NONE, format_bytes(region->length, size));
		table_add(table, mark.tint, region->name);
	}
	r = table_print(table, term, out);
	if (r >= 0 && n < layout->n_regions)
		fprintf(out, "and %zu regions more; --json has them all\n", layout->n_regions - n);
	return r;
}
