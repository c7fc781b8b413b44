/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/report-map.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/worker/html-text.h"
#include "protocol/base/strings.h"

/* Pixels. Percentages of widths are those of a drawing on a phone, and on a wide page. */
#define BAR_HEIGHT   48
#define STRIP_TOP    58
#define STRIP_HEIGHT 44
#define ERASED_TOP   105
#define LETTER_WIDTH 7.2
#define NARROW_WIDTH 340.0
#define WIDE_WIDTH   620.0 /* of paper too */
#define WIDTH_MIN    0.18  /* percent; less could not be seen */
#define SEAM         0.1   /* percent by which neighbours overlap, so that no gap shines through */
#define REGIONS_TINY 200U  /* narrower ones that are drawn; an image of noise has thousands */
#define TICKS        4U

/* A part of the image as wide as the drawing. */
struct window {
	FILE *out;
	const struct layout *layout;
	uint64_t end;
};

static double percent(const struct window *window, uint64_t offset)
{
	return 100.0 * (double)offset / (double)window->end;
}

static const struct {
	const char *style, *meaning;
} kinds[_REGION_KIND_MAX] = {
	[REGION_BOOT_HEADER] = { "boot", "where the boot ROM begins to look" },
	[REGION_BOOT_LAYOUT] = { "boot", "table of the boot loaders" },
	[REGION_EFUSE] = { "boot", "copy of the chip's fuses; belongs to this watch alone" },
	[REGION_FILE] = { "other", "firmware file" },
	[REGION_ZIMAGE] = { "viva", "packed code" },
	[REGION_DCM] = { "viva", "code loaded on demand" },
	[REGION_ALICE] = { "alice", "packed code" },
	[REGION_USER_AREA] = { "user", "files and settings; belongs to this watch alone" },
	[REGION_CONTROL] = { "control", "control blocks" },
	[REGION_ERASED] = { "erased", "" },
	[REGION_UNKNOWN] = { "unknown", "not recognised" },
	[REGION_REPEATED] = { "erased", "the same bytes once more: the flash ends before" },
};

static const struct {
	const char *style, *meaning;
} parts[] = {
	[LAYOUT_INT_BOOTLOADER] = { "loader", "first boot loader" },
	[LAYOUT_EXT_BOOTLOADER] = { "loader", "second boot loader" },
	[LAYOUT_ROM] = { "rom", "the operating system" },
	[LAYOUT_VIVA] = { "viva", "the rest of the system" },
	[LAYOUT_THIRD_ROM] = { "other", "more of the system" },
	[LAYOUT_CUSTOMER] = { "other", "the maker's own" },
	[LAYOUT_OTHER] = { "other", "firmware file" },
};

const char *report_map_class(const struct layout *layout, const struct layout_region *region)
{
	if (region->kind == REGION_FILE && region->part != LAYOUT_NO_PART)
		return parts[layout->parts[region->part].kind].style;
	return kinds[region->kind].style;
}

const char *report_map_meaning(const struct layout *layout, const struct layout_region *region)
{
	if (region->kind == REGION_FILE && region->part != LAYOUT_NO_PART)
		return parts[layout->parts[region->part].kind].meaning;
	return kinds[region->kind].meaning;
}

/* ---- Regions ---- */

static double width_of(const struct window *window, const struct layout_region *region)
{
	return percent(window, MIN_OF(region->length, window->end - region->offset));
}

/* A name stands where it fits; where it fits only on a wide page, the style hides it elsewhere. */
static void draw_name(const struct window *window, const struct layout_region *region, double width)
{
	double x = percent(window, region->offset);
	char size[16];
	double need;

	format_bytes(region->length, size);
	need = LETTER_WIDTH * (double)MAX_OF(strlen(region->name), strlen(size)) + 12;
	if (width * WIDE_WIDTH / 100 < need)
		return;
	fprintf(window->out, "<g class=\"%s\"><text class=\"name\" x=\"%.3f%%\" dx=\"6\" y=\"20\">",
		width * NARROW_WIDTH / 100 < need ? "wide" : "any", x);
	html_text(window->out, region->name);
	fprintf(window->out,
		"</text><text class=\"size\" x=\"%.3f%%\" dx=\"6\" y=\"37\">%s</text></g>\n", x,
		size);
}

static void draw_region(const struct window *window, const struct layout_region *region)
{
	double width = width_of(window, region);
	char size[16];

	fprintf(window->out,
		"<rect class=\"%s\" x=\"%.3f%%\" y=\"0\" width=\"%.3f%%\" height=\"%d\"><title>",
		report_map_class(window->layout, region), percent(window, region->offset),
		MAX_OF(width, WIDTH_MIN), BAR_HEIGHT);
	html_textf(window->out, "%s: 0x%" PRIx64 ", %s", region->name, region->offset,
		   format_bytes(region->length, size));
	fprintf(window->out, "</title></rect>\n");
	draw_name(window, region, width);
}

/* The narrow ones last, so that a wide neighbour does not cover them. */
static void draw_regions(const struct window *window)
{
	const struct layout *layout = window->layout;
	size_t n_tiny = 0;

	for (unsigned int narrow = 0; narrow < 2; narrow++)
		for (size_t i = 0; i < layout->n_regions; i++) {
			const struct layout_region *region = &layout->regions[i];

			if (region->offset >= window->end)
				break;
			if ((width_of(window, region) < WIDTH_MIN) != (narrow == 1))
				continue;
			if (narrow == 1 &&
			    (region->kind == REGION_ERASED || ++n_tiny > REGIONS_TINY))
				continue;
			draw_region(window, region);
		}
}

/* ---- Entropy and erased pages ---- */

static void draw_entropy(const struct window *window, const struct image_profile *profile)
{
	fprintf(window->out, "<g class=\"entropy\">\n");
	for (size_t i = 0; i < profile->n_cells; i++) {
		const struct profile_cell *cell = &profile->cells[i];
		double height = STRIP_HEIGHT * (double)cell->entropy / 8;

		if (height < 0.5)
			continue;
		fprintf(window->out,
			"<rect x=\"%.3f%%\" y=\"%.1f\" width=\"%.3f%%\" height=\"%.1f\"/>\n",
			percent(window, i * profile->cell_size), STRIP_TOP + STRIP_HEIGHT - height,
			percent(window, cell->size) + (i + 1 < profile->n_cells ? SEAM : 0),
			height);
	}
	fprintf(window->out,
		"</g>\n<line class=\"base\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>\n",
		STRIP_TOP + STRIP_HEIGHT, STRIP_TOP + STRIP_HEIGHT);
}

/* Cells that are erased to the same tenth become one mark, the fainter the less of them is. */
static void draw_erased(const struct window *window, const struct image_profile *profile)
{
	size_t i = 0;

	fprintf(window->out, "<g class=\"blank\">\n");
	while (i < profile->n_cells) {
		uint64_t tenths = 10ULL * profile->cells[i].erased / profile->cells[i].size;
		size_t begin = i;
		uint64_t length = 0;

		for (; i < profile->n_cells &&
		       10ULL * profile->cells[i].erased / profile->cells[i].size == tenths;
		     i++)
			length += profile->cells[i].size;
		if (tenths > 0)
			fprintf(window->out,
				"<rect x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"5\" "
				"opacity=\"%.1f\"/>\n",
				percent(window, begin * profile->cell_size), ERASED_TOP,
				percent(window, length), 0.1 * (double)tenths);
	}
	fprintf(window->out, "</g>\n");
}

/* ---- Scale ---- */

static void draw_scale(const struct window *window, int y)
{
	static const char *const anchors[TICKS + 1] = { "start", "middle", "middle", "middle",
							"end" };
	char text[16];

	for (unsigned int i = 0; i <= TICKS; i++) {
		uint64_t offset = window->end / TICKS * i;

		fprintf(window->out,
			"<text class=\"tick\" x=\"%u%%\" y=\"%d\" text-anchor=\"%s\">%s</text>\n",
			100 / TICKS * i, y, anchors[i],
			i == 0 ? "0" : format_bytes(i == TICKS ? window->end : offset, text));
	}
}

static void draw_begin(FILE *out, int height, const char *title)
{
	fprintf(out, "<svg width=\"100%%\" height=\"%d\" role=\"img\"><title>%s</title>\n", height,
		title);
}

void report_map_draw(FILE *out, const struct layout *layout, const struct image_profile *profile)
{
	const struct window window = { out, layout, layout->size };

	draw_begin(out, ERASED_TOP + 24, "Flash map");
	draw_regions(&window);
	draw_entropy(&window, profile);
	draw_erased(&window, profile);
	draw_scale(&window, ERASED_TOP + 21);
	fprintf(out, "</svg>\n");
}

/* ---- The crowded begin ---- */

uint64_t report_map_crowd(const struct layout *layout)
{
	size_t i = 0;

	while (i < layout->n_regions && layout->regions[i].length < layout->size / 20)
		i++;
	if (i < 3 || i == layout->n_regions || layout->regions[i].offset > layout->size / 10)
		return 0;
	return layout->regions[i].offset;
}

void report_map_draw_begin(FILE *out, const struct layout *layout, uint64_t end)
{
	const struct window window = { out, layout, end };

	draw_begin(out, BAR_HEIGHT + 20, "The begin of the flash, enlarged");
	draw_regions(&window);
	draw_scale(&window, BAR_HEIGHT + 16);
	fprintf(out, "</svg>\n");
}
