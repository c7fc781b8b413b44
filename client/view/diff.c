/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/view/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/client.h"
#include "client/output/table.h"
#include "protocol/base/strings.h"

#define FILES_SHOWN 12U

/* ---- What they are ---- */

static void add_fact(struct table *table, const char *name, const char *a, const char *b)
{
	table_add(table, TINT_HEADER, name);
	table_add(table, TINT_NONE, a);
	table_add(table, streq_ptr(a, b) ? TINT_NONE : TINT_WARN, b);
}

static int print_facts(const struct client *client, const struct diff_side sides[2])
{
	static const struct column columns[] = {
		{ .title = "" },
		{ .title = "A", .cut = CUT_END },
		{ .title = "B", .cut = CUT_END },
	};
	const struct layout *a = sides[0].layout, *b = sides[1].layout;
	char x[FLASH_FACTS_FIRMWARE_SIZE], y[FLASH_FACTS_FIRMWARE_SIZE];
	char size_x[16], size_y[16];
	_cleanup_(table_freep) struct table *table = NULL;
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	if (r < 0)
		return r;
	add_fact(table, "image", sides[0].name, sides[1].name);
	add_fact(table, "chip", sides[0].chip, sides[1].chip);
	add_fact(table, "platform", a->platform, b->platform);
	add_fact(table, "size", format_bytes(a->size, size_x), format_bytes(b->size, size_y));
	add_fact(table, "firmware", flash_facts_firmware(&a->facts, x),
		 flash_facts_firmware(&b->facts, y));
	return table_print(table, &client->out, stdout);
}

/* ---- Regions ---- */

/* "120 bytes from +0x10 to +0x8f, 3 erased in A", + for what counts from a region; a new string. */
static char *describe_bytes(const struct image_diff_bytes *bytes, const char *from)
{
	_cleanup_free_ char *a = NULL, *b = NULL;

	if (bytes->erased_a > 0)
		a = str_format(", %" PRIu64 " erased in A", bytes->erased_a);
	if (bytes->erased_b > 0)
		b = str_format(", %" PRIu64 " erased in B", bytes->erased_b);
	return str_format("%" PRIu64 " of %" PRIu64 " bytes, from %s0x%" PRIx64 " to %s0x%" PRIx64
			  "%s%s",
			  bytes->differing, bytes->compared, from, bytes->first, from,
			  bytes->end - 1, a ? a : "", b ? b : "");
}

static char *describe_region(const struct image_diff_region *region)
{
	_cleanup_free_ char *moved = NULL, *bytes = NULL, *size = NULL;
	char x[16], y[16];

	if (region->result == IMAGE_ONLY_A || region->result == IMAGE_ONLY_B)
		return strdup("");
	if (region->moved)
		moved = str_format("in B at 0x%" PRIx64, region->b.offset);
	if (region->a.length != region->b.length)
		size = str_format("in B %s instead of %s", format_bytes(region->b.length, y),
				  format_bytes(region->a.length, x));
	if (region->bytes.differing > 0)
		bytes = describe_bytes(&region->bytes, "+");
	return str_format("%s%s%s%s%s", moved ? moved : "", moved && (size || bytes) ? "; " : "",
			  size ? size : "", size && bytes ? "; " : "", bytes ? bytes : "");
}

static void add_result(struct table *table, enum image_diff_result result, bool moved)
{
	static const char *const words[_IMAGE_DIFF_RESULT_MAX] = {
		[IMAGE_SAME] = "same",
		[IMAGE_DIFFERS] = "differs",
		[IMAGE_ONLY_A] = "only in A",
		[IMAGE_ONLY_B] = "only in B",
	};

	table_addf(table, result == IMAGE_SAME && !moved ? TINT_GOOD : TINT_WARN, "%s%s",
		   moved ? "moved, " : "", words[result]);
}

static int add_region(struct table *table, const struct image_diff_region *region)
{
	_cleanup_free_ char *text = describe_region(region);
	const struct layout_span *span = region->a.length > 0 ? &region->a : &region->b;
	char size[16];

	if (!text)
		return -ENOMEM;
	table_add(table, TINT_NONE, region->name);
	table_addf(table, TINT_NONE, "0x%08" PRIx64, span->offset);
	table_add(table, TINT_NONE, format_bytes(span->length, size));
	add_result(table, region->result, region->moved);
	table_add(table, TINT_NONE, text);
	return 0;
}

/* What lies between the things that are known. */
static int add_gaps(struct table *table, const struct image_diff *diff)
{
	_cleanup_free_ char *text = NULL;
	char size[16];
	bool alone = diff->only_a > 0 || diff->only_b > 0;

	if (diff->gaps.compared == 0 && !alone)
		return 0;
	if (diff->gaps.differing > 0)
		text = describe_bytes(&diff->gaps, "");
	else if (alone)
		text = str_format("%" PRIu64 " bytes only in A, %" PRIu64 " only in B",
				  diff->only_a, diff->only_b);
	else
		text = strdup("");
	if (!text)
		return -ENOMEM;
	table_add(table, TINT_NONE, "the rest");
	table_add(table, TINT_NONE, NULL);
	table_add(table, TINT_NONE, format_bytes(diff->gaps.compared, size));
	add_result(table, diff->gaps.differing > 0 || alone ? IMAGE_DIFFERS : IMAGE_SAME, false);
	table_add(table, TINT_NONE, text);
	return 0;
}

static int print_regions(const struct client *client, const struct image_diff *diff)
{
	static const struct column columns[] = {
		{ .title = "REGION" },
		{ .title = "AT", .drop = 2 },
		{ .title = "SIZE", .right = true, .drop = 1 },
		{ .title = "RESULT" },
		{ .title = "WHAT", .cut = CUT_END },
	};
	_cleanup_(table_freep) struct table *table = NULL;
	int r = table_new(columns, ARRAY_SIZE(columns), &table);

	for (size_t i = 0; r >= 0 && i < diff->n_regions; i++)
		r = add_region(table, &diff->regions[i]);
	if (r >= 0)
		r = add_gaps(table, diff);
	return r < 0 ? r : table_print(table, &client->out, stdout);
}

static void print_files(const struct image_diff *diff)
{
	static const char *const signs[_IMAGE_DIFF_RESULT_MAX] = {
		[IMAGE_SAME] = " ",
		[IMAGE_DIFFERS] = "~",
		[IMAGE_ONLY_A] = "-",
		[IMAGE_ONLY_B] = "+",
	};
	uint64_t n = diff->n_files + diff->n_files_left_out;

	if (!diff->files_known)
		return;
	printf("\nfiles of the user area: %" PRIu64 " the same, %" PRIu64 " not%s\n",
	       diff->n_files_same, n, n > 0 ? " (~ differs, - only in A, + only in B)" : "");
	for (size_t i = 0; i < MIN_OF(diff->n_files, FILES_SHOWN); i++)
		printf("  %s %s\n", signs[diff->files[i].result], diff->files[i].path);
	if (n > FILES_SHOWN)
		printf("  and %" PRIu64 " more; --json names up to %u\n", n - FILES_SHOWN,
		       IMAGE_DIFF_FILES_MAX);
}

static void print_verdict(const struct client *client, const struct image_diff *diff)
{
	enum tint tint = diff->same ? TINT_GOOD : TINT_WARN;
	size_t n = 0;

	for (size_t i = 0; i < diff->n_regions; i++)
		n += diff->regions[i].result != IMAGE_SAME || diff->regions[i].moved;
	printf("\n%s", term_begin(&client->out, tint));
	if (diff->same)
		printf("The images are the same, byte for byte.");
	else
		printf("The images differ: %zu of %zu regions.", n, diff->n_regions);
	printf("%s\n", term_end(&client->out, tint));
}

int diff_view_print(const struct client *client, const struct diff_side sides[2],
		    const struct image_diff *diff)
{
	int r = print_facts(client, sides);

	if (r < 0)
		return r;
	putchar('\n');
	r = print_regions(client, diff);
	if (r < 0)
		return r;
	print_files(diff);
	print_verdict(client, diff);
	return 0;
}
