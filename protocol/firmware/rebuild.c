/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/rebuild.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"

/* An image of noise may have thousands of gaps: from so many leftovers on, neighbours are one. */
#define LEFTOVERS_APART 96U

#define GAP "gap"

void rebuild_free(struct rebuild *rebuild)
{
	if (!rebuild)
		return;
	free(rebuild->pieces);
	free(rebuild->cfg_text);
	free(rebuild);
}

/* ---- Firmware files ---- */

static bool is_boot_loader(const struct layout_part *part)
{
	return part->kind == LAYOUT_INT_BOOTLOADER || part->kind == LAYOUT_EXT_BOOTLOADER;
}

/* True when another one is to be flashed to where part belongs: one in place, or an earlier one. */
static bool has_rival(const struct layout *layout, const struct layout_part *part)
{
	for (const struct layout_part *p = layout->parts; p < layout->parts + layout->n_parts;
	     p++) {
		if (p == part || p->type != part->type)
			continue;
		if (part->kind == LAYOUT_INT_BOOTLOADER
			    ? p < part
			    : p->expected == part->expected &&
				      (p < part || p->offset == p->expected))
			return true;
	}
	return false;
}

/*
 * A flasher puts every file of the .cfg where its load address says. That is wrong for a stray old
 * copy; but when the whole image is shifted, the files themselves are good. The internal boot
 * loader's address tells nothing, so the first counts.
 */
static bool is_flashable(const struct layout *layout, const struct layout_part *part)
{
	if (part->available < part->length)
		return false;
	if (part->kind != LAYOUT_INT_BOOTLOADER && part->offset == part->expected)
		return true;
	return part->offset < layout_firmware_end(layout) && !has_rival(layout, part);
}

static void name_parts(const struct layout *layout, enum rebuild_names names,
		       struct rebuild *rebuild)
{
	unsigned int n = 0;

	for (size_t i = 0; i < layout->n_parts; i++) {
		const struct layout_part *part = &layout->parts[i];
		char *name = rebuild->names[i];

		if (names == REBUILD_NAMES_STANDARD || is_boot_loader(part))
			(void)snprintf(name, IMAGE_PIECE_FILE_SIZE, "%s", part->name);
		else
			(void)snprintf(name, IMAGE_PIECE_FILE_SIZE, "FILE_%02u_mtk", ++n);
	}
}

/* ---- Pieces ---- */

/* 16-bit sum of all bytes, as a download agent reports it after flashing (FlashTool log). */
static uint16_t sum_bytes(const uint8_t *data, uint64_t length)
{
	uint32_t sum = 0;

	for (uint64_t i = 0; i < length; i++)
		sum += data[i];
	return (uint16_t)sum;
}

static bool is_erased(const uint8_t *data, uint64_t length)
{
	return data[0] == 0xff && bytes_are_uniform(data, length);
}

static void add_parts(const struct layout *layout, struct rebuild *rebuild)
{
	for (size_t i = 0; i < layout->n_parts; i++) {
		const struct layout_part *part = &layout->parts[i];
		struct image_piece *piece = &rebuild->pieces[rebuild->n_pieces];

		if (part->available == 0)
			continue;
		piece->offset = part->offset;
		piece->length = part->available;
		piece->listed = is_flashable(layout, part);
		(void)snprintf(piece->name, sizeof(piece->name), "%s", part->name);
		(void)snprintf(piece->kind, sizeof(piece->kind), "%s",
			       layout_region_kind_to_string(REGION_FILE));
		(void)snprintf(piece->file, sizeof(piece->file), "%s", rebuild->names[i]);
		rebuild->n_pieces++;
	}
	rebuild->n_parts = rebuild->n_pieces;
}

static bool is_gap(enum layout_region_kind kind)
{
	return kind == REGION_ERASED || kind == REGION_UNKNOWN;
}

static bool is_file_used(const struct rebuild *rebuild, const char *file)
{
	for (size_t i = 0; i < rebuild->n_pieces; i++)
		if (streq(rebuild->pieces[i].file, file))
			return true;
	return false;
}

/* "leftover/user-area"; a second one, and what has no meaning, gets its offset. */
static void name_leftover(const struct rebuild *rebuild, enum layout_region_kind kind,
			  struct image_piece *piece)
{
	const char *word = kind == REGION_UNKNOWN ? GAP : layout_region_kind_to_string(kind);
	char file[IMAGE_PIECE_FILE_SIZE];

	(void)snprintf(file, sizeof(file), FILE_SET_LEFTOVER "/%.20s", word);
	if (kind == REGION_UNKNOWN || is_file_used(rebuild, file))
		(void)snprintf(file, sizeof(file), FILE_SET_LEFTOVER "/%.20s-%08" PRIx64, word,
			       piece->offset);
	(void)snprintf(piece->file, sizeof(piece->file), "%s", file);
}

/* Nothing but its bytes decides whether a piece can be described instead of kept. */
static void describe_leftover(const struct layout *layout, struct image_piece *piece)
{
	const uint8_t *data = layout->image + piece->offset;

	if (is_erased(data, piece->length)) {
		piece->content = IMAGE_PIECE_ERASED;
		return;
	}
	piece->content = IMAGE_PIECE_FILE;
	if (piece->offset < layout->effective_size)
		return;
	piece->repeats = piece->offset - layout->effective_size;
	if (memcmp(data, layout->image + piece->repeats, piece->length) == 0)
		piece->content = IMAGE_PIECE_REPEATED;
	else
		piece->repeats = 0;
}

static struct image_piece *next_leftover(struct rebuild *rebuild,
					 const struct layout_region *region)
{
	struct image_piece *piece = &rebuild->pieces[rebuild->n_pieces];

	if (is_gap(region->kind) && rebuild->n_pieces > rebuild->n_parts + LEFTOVERS_APART) {
		struct image_piece *last = piece - 1;

		if (streq(last->name, GAP) && last->offset + last->length == region->offset) {
			*last = (struct image_piece){
				.offset = last->offset,
				.length = last->length + region->length,
			};
			return last;
		}
	}
	*piece = (struct image_piece){ .offset = region->offset, .length = region->length };
	rebuild->n_pieces++;
	return piece;
}

static void add_leftover(const struct layout *layout, struct rebuild *rebuild,
			 const struct layout_region *region)
{
	struct image_piece *piece = next_leftover(rebuild, region);
	enum layout_region_kind kind = region->kind;

	describe_leftover(layout, piece);
	if (is_gap(kind))
		kind = piece->content == IMAGE_PIECE_ERASED ? REGION_ERASED : REGION_UNKNOWN;
	/* What repeats differently does so because of the user area in it. */
	piece->device_specific = piece->content == IMAGE_PIECE_FILE &&
				 (kind == REGION_EFUSE || kind == REGION_USER_AREA ||
				  kind == REGION_CONTROL || kind == REGION_REPEATED);
	(void)snprintf(piece->name, sizeof(piece->name), "%s", is_gap(kind) ? GAP : region->name);
	(void)snprintf(piece->kind, sizeof(piece->kind), "%s", layout_region_kind_to_string(kind));
	if (piece->content == IMAGE_PIECE_FILE)
		name_leftover(rebuild, kind, piece);
}

static int compare_pieces(const void *a, const void *b)
{
	const struct image_piece *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return strcmp(x->file, y->file);
}

static int add_pieces(const struct layout *layout, struct rebuild *rebuild)
{
	rebuild->pieces = calloc(layout->n_parts + layout->n_regions + 1, sizeof(*rebuild->pieces));
	if (!rebuild->pieces)
		return -ENOMEM;
	add_parts(layout, rebuild);
	for (size_t i = 0; i < layout->n_regions; i++)
		if (layout->regions[i].part == LAYOUT_NO_PART)
			add_leftover(layout, rebuild, &layout->regions[i]);
	qsort(rebuild->pieces, rebuild->n_pieces, sizeof(*rebuild->pieces), compare_pieces);
	for (size_t i = 0; i < rebuild->n_pieces; i++) {
		struct image_piece *piece = &rebuild->pieces[i];
		const uint8_t *data = layout->image + piece->offset;
		int r = digest_memory(data, piece->length, piece->sha256);

		if (r < 0)
			return r;
		piece->sum = sum_bytes(data, piece->length);
	}
	return digest_memory(layout->image, layout->size, rebuild->image_sha256);
}

/* ---- The .cfg ---- */

static void list_boot(const struct layout *layout, enum layout_part_kind kind,
		      struct rebuild *rebuild)
{
	for (size_t i = 0; i < layout->n_parts; i++)
		if (layout->parts[i].kind == kind && is_flashable(layout, &layout->parts[i]))
			rebuild->boot[rebuild->cfg.n_boot++] = rebuild->names[i];
}

static void list_main(const struct layout *layout, struct rebuild *rebuild)
{
	for (size_t i = 0; i < layout->n_parts; i++)
		if (!is_boot_loader(&layout->parts[i]) && is_flashable(layout, &layout->parts[i]))
			rebuild->main[rebuild->cfg.n_main++] = rebuild->names[i];
}

/* A list that is not the firmware's, byte for byte, makes the flasher refuse: rather none. */
static const char *flashes_problem(const struct flash_facts *facts)
{
	if (facts->n_parts == 0)
		return "no file of the image has one";
	if (facts->n_parts_told != facts->n_parts)
		return "the firmware's own is cut off";
	return cfg_flashes_problem(facts->parts, facts->n_parts);
}

static int make_cfg(const struct layout *layout, const char *cfg_file, struct rebuild *rebuild)
{
	int r;

	rebuild->cfg.platform = layout->platform;
	rebuild->cfg.boot = rebuild->boot;
	rebuild->cfg.main = rebuild->main;
	list_boot(layout, LAYOUT_INT_BOOTLOADER, rebuild);
	list_boot(layout, LAYOUT_EXT_BOOTLOADER, rebuild);
	list_main(layout, rebuild);
	rebuild->no_flashes = flashes_problem(&layout->facts);
	if (!rebuild->no_flashes) {
		rebuild->cfg.flashes = layout->facts.parts;
		rebuild->cfg.n_flashes = layout->facts.n_parts;
	}
	if (rebuild->cfg.n_boot + rebuild->cfg.n_main == 0)
		return 0;
	rebuild->cfg_file = cfg_file;
	r = cfg_to_text(&rebuild->cfg, &rebuild->cfg_text);
	return r < 0 ? r
		     : digest_memory(rebuild->cfg_text, strlen(rebuild->cfg_text),
				     rebuild->cfg_sha256);
}

int rebuild_new(const struct layout *layout, enum rebuild_names names, struct rebuild **ret)
{
	_cleanup_(rebuild_freep) struct rebuild *rebuild = calloc(1, sizeof(*rebuild));
	int r;

	if (!rebuild)
		return -ENOMEM;
	name_parts(layout, names, rebuild);
	r = add_pieces(layout, rebuild);
	if (r >= 0)
		r = make_cfg(layout,
			     names == REBUILD_NAMES_EXTRACTOR ? "config_mtk.cfg" : "config.cfg",
			     rebuild);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(rebuild);
	return 0;
}

static int check_cfg(void *userdata, const char *text, size_t size, char **ret_why)
{
	return cfg_compare(userdata, text, size, ret_why);
}

int rebuild_write(const struct rebuild *rebuild, const struct layout *layout, int parent,
		  const char *name, const char *description, bool replace, char **ret_why)
{
	struct cfg cfg = rebuild->cfg;
	const struct file_set_text texts[] = {
		{ REBUILD_DESCRIPTION, description, NULL, NULL },
		{ rebuild->cfg_file, rebuild->cfg_text, check_cfg, &cfg },
	};
	const struct file_set set = {
		.pieces = rebuild->pieces,
		.n_pieces = rebuild->n_pieces,
		.texts = texts,
		.n_texts = rebuild->cfg_file ? 2 : 1,
	};

	return file_set_write(parent, name, &set, layout->image, layout->size, replace, ret_why);
}
