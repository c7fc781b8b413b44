/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/firmware/image-diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/strings.h"
#include "protocol/firmware/image-compare.h"
#include "protocol/firmware/image-diff-internal.h"

void image_diff_free(struct image_diff *diff)
{
	if (!diff)
		return;
	for (size_t i = 0; i < diff->n_files; i++)
		free(diff->files[i].path);
	free(diff->files);
	free(diff->regions);
	free(diff);
}

const char *image_diff_result_to_string(enum image_diff_result result)
{
	static const char *const words[_IMAGE_DIFF_RESULT_MAX] = {
		[IMAGE_SAME] = "same",
		[IMAGE_DIFFERS] = "differs",
		[IMAGE_ONLY_A] = "only-a",
		[IMAGE_ONLY_B] = "only-b",
	};

	return words[result];
}

static bool is_gap(const struct layout_region *region)
{
	return region->kind == REGION_ERASED || region->kind == REGION_UNKNOWN;
}

/* Adds what differs at offset of what is compared as a whole. */
static void compare(const uint8_t *a, const uint8_t *b, uint64_t size, uint64_t offset,
		    struct image_diff_bytes *bytes)
{
	struct image_difference difference;

	image_compare(a, size, b, size, size, &difference);
	bytes->compared += size;
	if (difference.bytes == 0)
		return;
	if (bytes->differing == 0)
		bytes->first = offset + difference.ranges[0].offset;
	bytes->differing += difference.bytes;
	bytes->end = offset + difference.end;
	bytes->erased_a += difference.erased_a;
	bytes->erased_b += difference.erased_b;
}

/* ---- What both know ---- */

/* The same thing, and as many of its kind and name before it: a file may be cut by another. */
static size_t count_before(const struct layout *layout, size_t index)
{
	const struct layout_region *region = &layout->regions[index];
	size_t n = 0;

	for (size_t i = 0; i < index; i++)
		n += layout->regions[i].kind == region->kind &&
		     streq(layout->regions[i].name, region->name);
	return n;
}

static const struct layout_region *find_like(const struct layout *layout,
					     const struct layout_region *like, size_t nth)
{
	for (size_t i = 0; i < layout->n_regions; i++) {
		const struct layout_region *region = &layout->regions[i];

		if (region->kind == like->kind && streq(region->name, like->name) && nth-- == 0)
			return region;
	}
	return NULL;
}

static struct layout_span span_of(const struct layout_region *region)
{
	return (struct layout_span){ region->offset, region->length };
}

static void add_both(struct image_diff *diff, const struct layout *a, const struct layout *b,
		     const struct layout_region *in_a, const struct layout_region *in_b)
{
	struct image_diff_region *region = &diff->regions[diff->n_regions++];

	*region = (struct image_diff_region){
		.kind = in_a->kind,
		.name = in_a->name,
		.a = span_of(in_a),
		.b = span_of(in_b),
		.moved = in_a->offset != in_b->offset,
	};
	compare(a->image + in_a->offset, b->image + in_b->offset,
		MIN_OF(in_a->length, in_b->length), 0, &region->bytes);
	region->result = region->bytes.differing > 0 || in_a->length != in_b->length ? IMAGE_DIFFERS
										     : IMAGE_SAME;
}

static void add_one(struct image_diff *diff, const struct layout_region *in, bool is_a)
{
	struct image_diff_region *region = &diff->regions[diff->n_regions++];

	*region = (struct image_diff_region){
		.kind = in->kind,
		.name = in->name,
		.result = is_a ? IMAGE_ONLY_A : IMAGE_ONLY_B,
	};
	*(is_a ? &region->a : &region->b) = span_of(in);
}

static uint64_t place_of(const struct image_diff_region *region)
{
	return region->a.length > 0 ? region->a.offset : region->b.offset;
}

static int compare_places(const void *x, const void *y)
{
	uint64_t a = place_of(x), b = place_of(y);

	return (a > b) - (a < b);
}

/* Few: what is no gap is claimed, and claims are bounded. */
static int diff_regions(struct image_diff *diff, const struct layout *a, const struct layout *b)
{
	diff->regions = calloc(a->n_regions + b->n_regions + 1, sizeof(*diff->regions));
	if (!diff->regions)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_regions; i++) {
		const struct layout_region *region = &a->regions[i], *other;

		if (is_gap(region))
			continue;
		other = find_like(b, region, count_before(a, i));
		if (other)
			add_both(diff, a, b, region, other);
		else
			add_one(diff, region, true);
	}
	for (size_t i = 0; i < b->n_regions; i++)
		if (!is_gap(&b->regions[i]) && !find_like(a, &b->regions[i], count_before(b, i)))
			add_one(diff, &b->regions[i], false);
	qsort(diff->regions, diff->n_regions, sizeof(*diff->regions), compare_places);
	return 0;
}

/* ---- What lies between ---- */

static uint64_t count_written(const uint8_t *data, uint64_t size)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < size; i++)
		n += data[i] != 0xff;
	return n;
}

/* The region at or behind *index that reaches over offset; NULL behind the image's end. */
static const struct layout_region *region_at(const struct layout *layout, uint64_t offset,
					     size_t *index)
{
	while (*index < layout->n_regions &&
	       layout->regions[*index].offset + layout->regions[*index].length <= offset)
		++*index;
	return *index < layout->n_regions ? &layout->regions[*index] : NULL;
}

static uint64_t end_of(const struct layout_region *region, uint64_t otherwise)
{
	return region ? region->offset + region->length : otherwise;
}

static void diff_gaps(struct image_diff *diff, const struct layout *a, const struct layout *b)
{
	const uint64_t end = MAX_OF(a->size, b->size);
	size_t i = 0, j = 0;

	for (uint64_t at = 0, next; at < end; at = next) {
		const struct layout_region *x = region_at(a, at, &i), *y = region_at(b, at, &j);
		bool gap_x = x && is_gap(x), gap_y = y && is_gap(y);

		next = MIN_OF(end_of(x, end), end_of(y, end));
		if (gap_x && gap_y)
			compare(a->image + at, b->image + at, next - at, at, &diff->gaps);
		else if (gap_x)
			diff->only_a += count_written(a->image + at, next - at);
		else if (gap_y)
			diff->only_b += count_written(b->image + at, next - at);
	}
}

int image_diff_new(const struct layout *a, const struct layout *b, struct image_diff **ret)
{
	_cleanup_(image_diff_freep) struct image_diff *diff = calloc(1, sizeof(*diff));
	int r;

	if (!diff)
		return -ENOMEM;
	diff->same = a->size == b->size && memcmp(a->image, b->image, a->size) == 0;
	r = diff_regions(diff, a, b);
	if (r < 0)
		return r;
	diff_gaps(diff, a, b);
	r = image_diff_files(a, b, diff);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(diff);
	return 0;
}
