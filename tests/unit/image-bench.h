/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Flash images for tests of layout and health: made, changed, and looked at. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "protocol/base/strings.h"
#include "protocol/firmware/health.h"
#include "tests/watch/flash-image.h"

#define MIB     (1U << 20)
#define KIB     1024U
#define PAGE    4096U
#define EXT_BL  0x2800U /* where the made images have things */
#define ROM     0xA000U
#define HEADERS 0x38U

/* An image and what was found in it. The bytes may be changed before they are looked at. */
struct bench {
	uint8_t *data;
	uint64_t size;
	struct layout *layout;
	struct health_report *report;
};

static inline void bench_clear(struct bench *bench)
{
	health_report_free(bench->report);
	layout_free(bench->layout);
	free(bench->data);
	*bench = (struct bench){ 0 };
}
#define _cleanup_bench_ _cleanup_(bench_clear)

_unused_ static struct bench bench_new(uint64_t size, const char *platform)
{
	struct bench bench = { .size = size };

	assert_int_equal(flash_image_new(size, platform, &bench.data), 0);
	return bench;
}

_unused_ static const struct layout *bench_look(struct bench *bench)
{
	layout_free(bench->layout);
	bench->layout = NULL;
	assert_int_equal(layout_new(bench->data, bench->size, &bench->layout), 0);
	return bench->layout;
}

_unused_ static const struct health_report *bench_judge(struct bench *bench,
							const struct health_options *options)
{
	bench_look(bench);
	health_report_free(bench->report);
	bench->report = NULL;
	assert_int_equal(health_check(bench->layout, options, &bench->report), 0);
	return bench->report;
}

/* The part of a name, as a fresh look finds it; it must be there. */
_unused_ static struct layout_part bench_part(struct bench *bench, const char *name)
{
	const struct layout *layout = bench_look(bench);

	for (size_t i = 0; i < layout->n_parts; i++)
		if (streq(layout->parts[i].name, name))
			return layout->parts[i];
	fail_msg("no part %s", name);
	abort();
}

/* The last bytes go away, and what remains is a block of its own: reading behind it is seen. */
_unused_ static void bench_resize(struct bench *bench, uint64_t size)
{
	uint8_t *data = malloc(size);

	assert_non_null(data);
	memset(data, 0xff, size);
	memcpy(data, bench->data, MIN_OF(size, bench->size));
	free(bench->data);
	bench->data = data;
	bench->size = size;
}

/* As reading past a flash's end does: the image once more and once more, up to size. */
_unused_ static void bench_repeat(struct bench *bench, uint64_t size)
{
	uint64_t period = bench->size;

	bench_resize(bench, size);
	for (uint64_t i = period; i < size; i++)
		bench->data[i] = bench->data[i - period];
}

/* n bytes at offset get lost, the rest moves up, FF comes behind it. */
_unused_ static void bench_lose(struct bench *bench, uint64_t offset, uint64_t n)
{
	memmove(bench->data + offset, bench->data + offset + n, bench->size - offset - n);
	memset(bench->data + bench->size - n, 0xff, n);
}

/* A file of that type: FILE_INFO and content that is no pattern. */
_unused_ static void bench_put_file(uint8_t *at, uint16_t type, uint32_t load, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		at[i] = (uint8_t)(i * 2654435761U >> 24);
	memset(at, 0, HEADERS);
	memcpy(at, "MMM\1\x38\0\0\0FILE_INFO", 18);
	put_le16(at + 0x18, type);
	at[0x1a] = 7;
	put_le32(at + 0x1c, load);
	put_le32(at + 0x20, length);
	put_le32(at + 0x28, HEADERS);
}

/* A record of a type in the chain of a part; it must be there. */
_unused_ static uint8_t *bench_record(struct bench *bench, const struct layout_part *part,
				      uint16_t type)
{
	uint8_t *at = bench->data + part->offset, *end = at + part->gfh.content_offset;

	for (; at < end; at += get_le16(at + 4))
		if (get_le16(at + 6) == type)
			return at;
	fail_msg("no record %x", type);
	abort();
}

/* The regions cover the image, each byte once; erased ones are erased. */
_unused_ static void bench_check_map(const struct layout *layout)
{
	uint64_t at = 0;

	for (size_t i = 0; i < layout->n_regions; i++) {
		const struct layout_region *region = &layout->regions[i];

		assert_int_equal(region->offset, at);
		assert_true(region->length > 0);
		assert_true(region->length <= layout->size - at);
		assert_non_null(layout_region_kind_to_string(region->kind));
		assert_non_null(region->name);
		assert_true(region->part == LAYOUT_NO_PART || region->part < layout->n_parts);
		if (region->kind == REGION_ERASED)
			assert_true(layout->image[at] == 0xff &&
				    bytes_are_uniform(layout->image + at, region->length));
		at += region->length;
	}
	assert_int_equal(at, layout->size);
}
