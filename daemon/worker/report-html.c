/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/report-html.h"

#include <inttypes.h>
#include <stdarg.h>

#include "daemon/worker/html-text.h"
#include "daemon/worker/report-health.h"
#include "daemon/worker/report-map.h"
#include "daemon/worker/report-style.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

#define REGIONS_LISTED 64U

struct page {
	FILE *out;
	const struct manifest *manifest;
	const struct report_notes *notes;
	const struct firmware *firmware;
	const struct layout *layout; /* NULL: no image begins at 0 */
};

static void heading(const struct page *page, const char *text)
{
	fprintf(page->out, "<h2>%s</h2>\n", text);
}

/* A fact of a <dl>; the label is ours, the value is not. */
_printf_(3, 4) static void fact(const struct page *page, const char *label, const char *format, ...)
{
	va_list arguments;

	fprintf(page->out, "<dt>%s</dt><dd>", label);
	va_start(arguments, format);
	html_vtextf(page->out, format, arguments);
	va_end(arguments);
	fprintf(page->out, "</dd>\n");
}

static void begin_facts(const struct page *page)
{
	fprintf(page->out, "<dl class=\"facts\">\n");
}

static void end_facts(const struct page *page)
{
	fprintf(page->out, "</dl>\n");
}

/* ---- Begin ---- */

static void print_head(const struct page *page)
{
	fprintf(page->out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
			   "'none'; style-src 'unsafe-inline'\">\n"
			   "<meta name=\"viewport\" content=\"width=device-width, "
			   "initial-scale=1\">\n"
			   "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
	html_textf(page->out, "Backup %s", page->manifest->id);
	fprintf(page->out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n",
		report_style);
}

static void print_title(const struct page *page)
{
	const struct manifest *manifest = page->manifest;
	char created[TIME_TEXT_SIZE], bytes[16];

	fprintf(page->out, "<header>\n<p class=\"over\">Backup of a watch</p>\n<h1>");
	html_textf(page->out, "%s%s%s", manifest->watch.chip,
		   manifest->watch.flash_size > 0 ? ", " : "",
		   manifest->watch.flash_size > 0 ? format_bytes(manifest->watch.flash_size, bytes)
						  : "");
	fprintf(page->out, "</h1>\n<p class=\"under\">");
	html_textf(page->out, "Made %s.", time_format(manifest->created, created));
	if (page->layout && *page->layout->facts.version)
		html_textf(page->out, " Firmware %s.", page->layout->facts.version);
	for (size_t i = 0; i < manifest->n_labels; i++)
		html_textf(page->out, "%s%s: %s%s", i > 0 ? ", " : " ", manifest->labels[i].key,
			   manifest->labels[i].value, i + 1 < manifest->n_labels ? "" : ".");
	fprintf(page->out, "</p>\n</header>\n");
}

/* ---- Watch ---- */

static void print_firmware_facts(const struct page *page)
{
	const struct layout *layout = page->layout;

	if (!layout)
		return;
	if (*layout->facts.project)
		fact(page, "Project", "%s", layout->facts.project);
	if (*layout->facts.version)
		fact(page, "Version", "%s", layout->facts.version);
	if (*layout->platform)
		fact(page, "Platform", "%s, as the firmware calls it", layout->platform);
}

static void print_watch(const struct page *page)
{
	const struct manifest *manifest = page->manifest;
	char bytes[16];

	heading(page, "Watch");
	begin_facts(page);
	fact(page, "Chip", "%s", manifest->watch.chip);
	fact(page, "Chip codes",
	     "hw_code %04" PRIX32 ", hw_version %04" PRIX32 ", sw_version %04" PRIX32,
	     manifest->watch.hw_code, manifest->watch.hw_version, manifest->watch.sw_version);
	fact(page, "ME ID", "%s", manifest->watch.meid ? manifest->watch.meid : "not told");
	if (manifest->watch.jedec)
		fact(page, "Flash id", "%s", manifest->watch.jedec);
	if (manifest->watch.flash_size > 0)
		fact(page, "Flash", "%s (0x%" PRIx64 " bytes)",
		     format_bytes(manifest->watch.flash_size, bytes), manifest->watch.flash_size);
	else
		fact(page, "Flash", "size not known");
	print_firmware_facts(page);
	end_facts(page);
}

static void print_evidence(const struct page *page)
{
	const struct manifest *manifest = page->manifest;

	if (manifest->watch.n_evidence == 0)
		return;
	heading(page, "How the size of the flash is known");
	begin_facts(page);
	for (size_t i = 0; i < manifest->watch.n_evidence; i++) {
		fprintf(page->out, "<dt>");
		html_text(page->out, manifest->watch.evidence[i].source);
		fprintf(page->out, "</dt><dd>");
		html_text(page->out, manifest->watch.evidence[i].text);
		fprintf(page->out, "</dd>\n");
	}
	end_facts(page);
}

/* ---- Flash map ---- */

static void print_region(const struct page *page, const struct layout_region *region)
{
	char bytes[16];

	fprintf(page->out, "<tr%s><td><span class=\"swatch %s\"></span>",
		region->kind == REGION_ERASED ? " class=\"soft\"" : "",
		report_map_class(page->layout, region));
	html_text(page->out, region->name);
	fprintf(page->out,
		"</td><td class=\"num mono\">0x%06" PRIx64 "</td><td class=\"num\">%s</td>"
		"<td class=\"soft aside\">",
		region->offset, format_bytes(region->length, bytes));
	html_text(page->out, report_map_meaning(page->layout, region));
	fprintf(page->out, "</td></tr>\n");
}

static void print_regions(const struct page *page)
{
	const struct layout *layout = page->layout;
	size_t n = MIN_OF(layout->n_regions, REGIONS_LISTED);

	fprintf(page->out, "<table>\n<thead><tr><th>Region</th><th class=\"num\">begins at</th>"
			   "<th class=\"num\">size</th><th class=\"aside\">what it is</th></tr>"
			   "</thead>\n<tbody>\n");
	for (size_t i = 0; i < n; i++)
		print_region(page, &layout->regions[i]);
	fprintf(page->out, "</tbody>\n</table>\n");
	if (n < layout->n_regions)
		fprintf(page->out, "<p class=\"soft\">And %zu regions more, not listed here.</p>\n",
			layout->n_regions - n);
}

static void print_drawing(const struct page *page)
{
	uint64_t crowd = report_map_crowd(page->layout);
	struct image_profile profile;
	char bytes[16], erased[16];

	image_profile_make(page->firmware->image, page->firmware->image_size, &profile);
	report_map_draw(page->out, page->layout, &profile);
	fprintf(page->out,
		"<p class=\"soft\">Below the regions: entropy of each %s, high where bytes are "
		"packed "
		"or random; the line under it marks erased pages, %s in all.</p>\n",
		format_bytes(profile.cell_size, bytes), format_bytes(profile.erased, erased));
	if (crowd == 0)
		return;
	fprintf(page->out, "<p class=\"soft\">The first %s, enlarged:</p>\n",
		format_bytes(crowd, bytes));
	report_map_draw_begin(page->out, page->layout, crowd);
}

static void print_map(const struct page *page)
{
	heading(page, "Flash map");
	if (!page->layout) {
		fprintf(page->out, "<p class=\"soft\">No map: none of the ranges begins where the "
				   "flash begins.</p>\n");
		return;
	}
	print_drawing(page);
	print_regions(page);
}

/* ---- Reading ---- */

static void print_verified(const struct page *page)
{
	const struct manifest *manifest = page->manifest;
	char bytes[16];

	if (streq(manifest->read.verify_mode, "none"))
		fact(page, "Read twice", "no: nothing was read a second time");
	else
		fact(page, "Read twice", "%s (%s): %s",
		     format_bytes(manifest->read.verify_bytes, bytes), manifest->read.verify_mode,
		     manifest->read.verify_ok ? "both reads agree" : "the reads do NOT agree");
	if (page->notes->mismatches > 0)
		fact(page, "Settled",
		     "%" PRIu64 " places differed and were read until two reads in a row agreed",
		     page->notes->mismatches);
}

static void print_reading(const struct page *page)
{
	const struct manifest *manifest = page->manifest;

	heading(page, "How it was read");
	begin_facts(page);
	fact(page, "From", "%s, slot %s", page->notes->device, manifest->slot);
	fact(page, "Method", "%s",
	     streq(manifest->read.method, "brom")
		     ? "boot ROM, no download agent; nothing was written to the flash"
	     : streq(manifest->read.method, "da") ? "download agent"
						  : manifest->read.method);
	fact(page, "Time", "%.1f s%s", manifest->read.seconds,
	     manifest->read.resumed ? ", in more than one attempt" : "");
	fact(page, "Retries", "%" PRIu64, manifest->read.retries);
	print_verified(page);
	fact(page, "Afterwards", "%s", page->notes->after);
	end_facts(page);
}

/* ---- Content ---- */

static void print_range(const struct page *page, const struct manifest_range *range)
{
	char bytes[16];

	fprintf(page->out, "<div class=\"file\"><strong>");
	html_text(page->out, range->file);
	fprintf(page->out, "</strong> <span class=\"soft\">");
	html_textf(page->out, "0x%" PRIx64 " to 0x%" PRIx64 ", %s", range->start,
		   range->start + range->length, format_bytes(range->length, bytes));
	fprintf(page->out, "</span><br><span class=\"mono digest\">SHA-256 ");
	html_text(page->out, range->sha256);
	fprintf(page->out, "</span></div>\n");
}

static void print_content(const struct page *page)
{
	const struct firmware *firmware = page->firmware;

	heading(page, "Files of this backup");
	for (size_t i = 0; i < page->manifest->read.n_ranges; i++)
		print_range(page, &page->manifest->read.ranges[i]);
	fprintf(page->out, "<div class=\"file\"><strong>%s</strong> <span class=\"soft\">",
		firmware->rebuilt ? FIRMWARE_DIRECTORY "/" : "No firmware files");
	if (firmware->tried)
		html_text(page->out, firmware->detail ? firmware->detail : "no more is known");
	else
		fprintf(page->out, "%s",
			firmware->examined ? "as was asked for"
					   : "they need the whole flash in one image");
	fprintf(page->out, "</span></div>\n<p class=\"soft\"><code>sha256sum -c SHA256SUMS</code> "
			   "in this folder proves that the files are as they were written.</p>\n");
}

static void print_foot(const struct page *page)
{
	fprintf(page->out, "<footer>");
	html_textf(page->out, "%s, job %" PRId64 ". Written by mtkrbd %s.", page->manifest->id,
		   page->manifest->job, page->manifest->tool_version);
	fprintf(page->out, "</footer>\n</main>\n</body>\n</html>\n");
}

void report_html_print(FILE *out, const struct manifest *manifest, const struct report_notes *notes)
{
	const struct page page = { out, manifest, notes, notes->firmware, notes->firmware->layout };

	print_head(&page);
	print_title(&page);
	report_health_verdict(out, manifest, notes->firmware);
	print_watch(&page);
	print_map(&page);
	report_health_print(out, notes->firmware);
	print_reading(&page);
	print_evidence(&page);
	print_content(&page);
	print_foot(&page);
}
