/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/layout-map.h"

#include <errno.h>
#include <string.h>

#include "protocol/firmware/boot-layout.h"

/* Parts, what lies in VIVA, header, BRLYT, eFuse, user area, control block, repetition. */
#define CLAIMS_MAX (LAYOUT_PARTS_MAX + 10U)
#define EDGES_MAX  (2U * CLAIMS_MAX + 2U)

/* Shorter runs of FF between other bytes are part of what they lie in. */
#define ERASED_MIN 4096U

struct map {
	struct layout *layout;
	size_t capacity; /* of layout->regions */
	/* Where two claim a byte, the later in the list has it. */
	struct layout_region claims[CLAIMS_MAX];
	size_t n_claims;
};

static void claim(struct map *map, enum layout_region_kind kind, const char *name,
		  struct layout_span span, size_t part)
{
	if (span.length > 0)
		map->claims[map->n_claims++] = (struct layout_region){
			.kind = kind,
			.name = name,
			.offset = span.offset,
			.length = span.length,
			.part = part,
		};
}

static void claim_viva(struct map *map)
{
	const struct layout_viva *viva = &map->layout->viva;

	claim(map, REGION_ZIMAGE, "ZIMAGE", viva->zimage, viva->part);
	claim(map, REGION_ZIMAGE, "BOOT_ZIMAGE", viva->boot_zimage, viva->part);
	claim(map, REGION_DCM, "DCM", viva->dcm, viva->part);
	claim(map, REGION_ALICE, "ALICE", viva->alice, viva->part);
}

static void claim_all(struct map *map)
{
	const struct layout *layout = map->layout;

	claim(map, REGION_USER_AREA, "user area", layout->user_area, LAYOUT_NO_PART);
	claim(map, REGION_CONTROL, "control block", layout->control, LAYOUT_NO_PART);
	for (size_t i = 0; i < layout->n_parts; i++)
		claim(map, REGION_FILE, layout->parts[i].name,
		      (struct layout_span){ layout->parts[i].offset, layout->parts[i].available },
		      i);
	claim_viva(map);
	if (layout->boot_header)
		claim(map, REGION_BOOT_HEADER, "boot header",
		      (struct layout_span){ 0, BOOT_HEADER_SIZE }, LAYOUT_NO_PART);
	if (layout->has_boot_layout)
		claim(map, REGION_BOOT_LAYOUT, "boot layout",
		      (struct layout_span){ layout->boot_layout, BOOT_LAYOUT_SIZE },
		      LAYOUT_NO_PART);
	claim(map, REGION_EFUSE, "eFuse record", layout->efuse, LAYOUT_NO_PART);
	claim(map, REGION_REPEATED, "repetition",
	      (struct layout_span){ layout->effective_size, layout->size - layout->effective_size },
	      LAYOUT_NO_PART);
}

static int compare_offsets(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* All places where a region can begin or end, in order. */
static size_t list_edges(const struct map *map, uint64_t edges[EDGES_MAX])
{
	size_t n = 0;

	edges[n++] = 0;
	edges[n++] = map->layout->size;
	for (size_t i = 0; i < map->n_claims; i++) {
		edges[n++] = map->claims[i].offset;
		edges[n++] = map->claims[i].offset + map->claims[i].length;
	}
	qsort(edges, n, sizeof(edges[0]), compare_offsets);
	return n;
}

static const struct layout_region *claimed_at(const struct map *map, uint64_t offset)
{
	for (size_t i = map->n_claims; i > 0; i--) {
		const struct layout_region *region = &map->claims[i - 1];

		if (offset >= region->offset && offset - region->offset < region->length)
			return region;
	}
	return NULL;
}

/* Appends a region, or makes the last one longer when it goes on. */
static int append(struct map *map, const struct layout_region *like, uint64_t begin, uint64_t end)
{
	struct layout *layout = map->layout;
	struct layout_region *last =
		layout->n_regions > 0 ? &layout->regions[layout->n_regions - 1] : NULL;

	if (begin == end)
		return 0;
	if (last && last->kind == like->kind && last->name == like->name) {
		last->length += end - begin;
		return 0;
	}
	if (!layout->regions || layout->n_regions == map->capacity) {
		size_t capacity = MAX_OF(map->capacity * 2, 32U);
		void *regions = reallocarray(layout->regions, capacity, sizeof(*layout->regions));

		if (!regions)
			return -ENOMEM;
		layout->regions = regions;
		map->capacity = capacity;
	}
	last = &layout->regions[layout->n_regions++];
	*last = *like;
	last->offset = begin;
	last->length = end - begin;
	return 0;
}

/* End of the bytes from offset on that are FF; at most end. */
static uint64_t skip_erased(const uint8_t *image, uint64_t offset, uint64_t end)
{
	static const uint8_t erased[64] = {
		[0 ... 63] = 0xff,
	};

	while (end - offset >= sizeof(erased) &&
	       memcmp(image + offset, erased, sizeof(erased)) == 0)
		offset += sizeof(erased);
	while (offset < end && image[offset] == 0xff)
		offset++;
	return offset;
}

/* What nobody claims: long runs of FF are erased, a gap that is all FF too, the rest unknown. */
static int append_gap(struct map *map, uint64_t begin, uint64_t end)
{
	static const struct layout_region erased = { .kind = REGION_ERASED,
						     .name = "erased",
						     .part = LAYOUT_NO_PART };
	static const struct layout_region unknown = { .kind = REGION_UNKNOWN,
						      .name = "unknown",
						      .part = LAYOUT_NO_PART };
	const uint8_t *image = map->layout->image;
	uint64_t at = begin, from = begin;
	int r = 0;

	while (at < end && r >= 0) {
		const uint8_t *ff = memchr(image + at, 0xff, end - at);
		uint64_t run = ff ? (uint64_t)(ff - image) : end;

		at = skip_erased(image, run, end);
		if (at - run < ERASED_MIN && (run != begin || at != end))
			continue;
		r = append(map, &unknown, from, run);
		if (r >= 0)
			r = append(map, &erased, run, at);
		from = at;
	}
	return r < 0 ? r : append(map, &unknown, from, end);
}

int layout_map(struct layout *layout)
{
	struct map map = { .layout = layout };
	uint64_t edges[EDGES_MAX];
	size_t n;
	int r = 0;

	claim_all(&map);
	n = list_edges(&map, edges);
	for (size_t i = 0; i + 1 < n && r >= 0; i++) {
		const struct layout_region *owner = claimed_at(&map, edges[i]);

		if (owner)
			r = append(&map, owner, edges[i], edges[i + 1]);
		else
			r = append_gap(&map, edges[i], edges[i + 1]);
	}
	return r;
}
