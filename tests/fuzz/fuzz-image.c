/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A flash image: what lies where, its health, the files that can be made of it (sparse.h). */

#include "protocol/base/bytes.h"
#include "protocol/firmware/health.h"
#include "protocol/firmware/image-diff.h"
#include "protocol/firmware/layout.h"
#include "protocol/firmware/rebuild.h"
#include "tests/fuzz/sparse.h"

#define PAGES_MAX 64U

/* Every byte of the image belongs to exactly one region. */
static void check_map(const struct layout *layout)
{
	uint64_t at = 0;

	for (size_t i = 0; i < layout->n_regions; i++) {
		const struct layout_region *region = &layout->regions[i];

		fuzz_require(region->offset == at);
		fuzz_require(region->length > 0 && region->length <= layout->size - at);
		fuzz_require(region->name && layout_region_kind_to_string(region->kind));
		fuzz_require(region->part == LAYOUT_NO_PART || region->part < layout->n_parts);
		at += region->length;
	}
	fuzz_require(at == layout->size);
}

static void check_health(const struct layout *layout)
{
	const struct health_options again = { .second = layout->image,
					      .second_size = layout->size };
	_cleanup_(health_report_freep) struct health_report *report = NULL;
	_cleanup_free_ char *summary = NULL;
	const struct health_coverage *coverage;

	fuzz_require(health_check(layout, &again, &report) == 0);
	coverage = &report->coverage;
	fuzz_require(report->score <= 100);
	fuzz_require(report->difference.bytes == 0);
	fuzz_require(coverage->digest + coverage->structure + coverage->unproven ==
		     coverage->firmware);
	fuzz_require(coverage->firmware <= layout->size);
	summary = health_summary(report);
	fuzz_require(summary);
}

static void check_rebuild(const struct layout *layout, enum rebuild_names names)
{
	_cleanup_(rebuild_freep) struct rebuild *rebuild = NULL;

	fuzz_require(rebuild_new(layout, names, &rebuild) == 0);
	for (size_t i = 0; i < rebuild->n_pieces; i++)
		fuzz_require(bytes_inside(layout->size, rebuild->pieces[i].offset,
					  rebuild->pieces[i].length));
	fuzz_require(!rebuild->cfg_file == !rebuild->cfg_text);
}

/* With itself it is the same; with its own begin nothing that both have differs but what is cut. */
static void check_diff(const struct layout *layout)
{
	_cleanup_(image_diff_freep) struct image_diff *diff = NULL, *cut = NULL;
	_cleanup_(layout_freep) struct layout *begin = NULL;

	fuzz_require(image_diff_new(layout, layout, &diff) == 0);
	fuzz_require(diff->same && diff->gaps.differing == 0 && diff->n_files == 0);
	for (size_t i = 0; i < diff->n_regions; i++)
		fuzz_require(diff->regions[i].result == IMAGE_SAME && !diff->regions[i].moved);
	if (layout->size < 2)
		return;
	fuzz_require(layout_new(layout->image, layout->size / 2, &begin) == 0);
	fuzz_require(image_diff_new(layout, begin, &cut) == 0);
	fuzz_require(!cut->same && cut->gaps.differing == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(layout_freep) struct layout *layout = NULL;
	_cleanup_free_ uint8_t *image = NULL;
	size_t length;

	image = sparse_expand(data, size, PAGES_MAX, &length);
	if (!image)
		return 0;
	fuzz_require(layout_new(image, length, &layout) == 0);
	fuzz_require(layout->effective_size <= length);
	check_map(layout);
	check_health(layout);
	check_diff(layout);
	check_rebuild(layout, REBUILD_NAMES_STANDARD);
	check_rebuild(layout, REBUILD_NAMES_EXTRACTOR);
	return 0;
}
