/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/firmware/health-internal.h"

/*
 * Of what a reading that went wrong leaves behind in files: pages of one repeated word, pages that
 * come twice. Of real packages one has a single such page, so one alone is only worth a note.
 */

#define PAGE 0x1000U

struct pages {
	uint64_t n, first;
	const char *part;
};

struct glitches {
	struct pages zero;     /* all bytes 00 */
	struct pages repeated; /* one word, FF among them */
	struct pages doubled;  /* the same as the page before */
};

static void count(struct pages *pages, uint64_t offset, const char *part)
{
	if (pages->n++ == 0) {
		pages->first = offset;
		pages->part = part;
	}
}

static void look_at_page(const struct layout *layout, uint64_t page, uint64_t begin,
			 const char *part, struct glitches *glitches)
{
	const uint8_t *data = layout->image + page;

	if (memcmp(data, data + 4, PAGE - 4) == 0)
		count(get_le32(data) == 0 ? &glitches->zero : &glitches->repeated, page, part);
	else if (page >= begin + PAGE && memcmp(data - PAGE, data, PAGE) == 0)
		count(&glitches->doubled, page, part);
}

/* The pages that lie in [begin, end) as a whole. */
static void look_at_run(const struct layout *layout, uint64_t begin, uint64_t end, const char *part,
			struct glitches *glitches)
{
	for (uint64_t page = (begin + PAGE - 1) / PAGE * PAGE; page + PAGE <= end; page += PAGE)
		look_at_page(layout, page, begin, part, glitches);
}

/* Every byte of a file once; files whose digest is right need no such look. */
static void look_at_files(const struct health *health, struct glitches *glitches)
{
	const struct layout *layout = health->layout;

	for (size_t i = 0; i < layout->n_regions;) {
		const struct layout_region *first = &layout->regions[i];
		uint64_t end = first->offset;

		for (; i < layout->n_regions && layout->regions[i].part == first->part; i++)
			end += layout->regions[i].length;
		if (first->part != LAYOUT_NO_PART && !health->digest_good[first->part])
			look_at_run(layout, first->offset, end, layout->parts[first->part].name,
				    glitches);
	}
}

static void report(struct health *health, const char *name, const char *what,
		   const struct pages *pages, uint64_t allowed)
{
	struct health_check check = {
		.name = name,
		.part = pages->part,
		.offset = pages->first,
		.length = pages->n > 0 ? PAGE : 0,
		.severity = pages->n > allowed ? HEALTH_ERROR : HEALTH_NOTE,
		.outcome = health_pass_if(pages->n == 0),
	};

	if (pages->n == 0) {
		health_add(health, &check, "No page of a file %s.", what);
		return;
	}
	health_add(health, &check,
		   "Of the 4 KiB pages of files %" PRIu64 " %s, the first at 0x%" PRIx64 " in %s.",
		   pages->n, what, pages->first, pages->part);
	health_hint(health, "read the watch again and compare the two files");
}

void health_check_pages(struct health *health)
{
	struct glitches glitches = { 0 };

	look_at_files(health, &glitches);
	report(health, "zero-pages", "has only zeros", &glitches.zero, 1);
	report(health, "repeated-word", "has one word all over", &glitches.repeated, 1);
	report(health, "doubled-pages", "is the same as the one before it", &glitches.doubled, 0);
}
