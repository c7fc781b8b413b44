/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/worker/report-html.h"
#include "daemon/worker/staging.h"
#include "protocol/base/digest.h"
#include "protocol/base/fd.h"
#include "protocol/base/strings.h"
#include "protocol/base/time.h"

static void print_watch(FILE *out, const struct manifest *manifest)
{
	char bytes[16];

	fprintf(out, "Watch\n");
	fprintf(out,
		"  chip       %s (hw_code %04" PRIX32 ", hw_version %04" PRIX32
		", sw_version %04" PRIX32 ")\n",
		manifest->watch.chip, manifest->watch.hw_code, manifest->watch.hw_version,
		manifest->watch.sw_version);
	fprintf(out, "  ME ID      %s\n", manifest->watch.meid ? manifest->watch.meid : "none");
	fprintf(out, "  firmware   %s\n",
		manifest->watch.firmware ? manifest->watch.firmware : "not told");
	if (manifest->watch.flash_size > 0)
		fprintf(out, "  flash      %s (0x%" PRIx64 " bytes)\n",
			format_bytes(manifest->watch.flash_size, bytes),
			manifest->watch.flash_size);
	else
		fprintf(out, "  flash      size not known\n");
	for (size_t i = 0; i < manifest->watch.n_evidence; i++)
		fprintf(out, "             %s: %s\n", manifest->watch.evidence[i].source,
			manifest->watch.evidence[i].text);
}

static void print_ranges(FILE *out, const struct manifest *manifest,
			 const struct firmware *firmware)
{
	fprintf(out, "\nContent\n");
	for (size_t i = 0; i < manifest->read.n_ranges; i++) {
		const struct manifest_range *range = &manifest->read.ranges[i];

		fprintf(out,
			"  %s: 0x%" PRIx64 " to 0x%" PRIx64 " (%" PRIu64 " bytes)\n"
			"    SHA-256  %s\n",
			range->file, range->start, range->start + range->length, range->length,
			range->sha256);
	}
	if (firmware->tried)
		fprintf(out, "  firmware files: %s%s\n",
			firmware->rebuilt ? "in " FIRMWARE_DIRECTORY "/, " : "none, ",
			firmware->detail ? firmware->detail : "no more is known");
	else
		fprintf(out, "  firmware files: none, %s\n",
			firmware->examined ? "as was asked for"
					   : "they need the whole flash in one image");
}

static void print_reading(FILE *out, const struct manifest *manifest,
			  const struct report_notes *notes)
{
	char bytes[16];

	fprintf(out, "\nReading\n  from       %s, slot %s\n", notes->device, manifest->slot);
	fprintf(out, "  method     %s\n",
		streq(manifest->read.method, "brom")
			? "boot ROM, no download agent; nothing was written to the flash"
			: manifest->read.method);
	fprintf(out, "  time       %.1f s%s\n", manifest->read.seconds,
		manifest->read.resumed ? ", in more than one attempt" : "");
	fprintf(out, "  retries    %" PRIu64 "\n", manifest->read.retries);
	if (streq(manifest->read.verify_mode, "none"))
		fprintf(out, "  verified   no: nothing was read twice\n");
	else
		fprintf(out, "  verified   %s: %s read twice, %s\n", manifest->read.verify_mode,
			format_bytes(manifest->read.verify_bytes, bytes),
			manifest->read.verify_ok ? "both reads agree" : "NOT in agreement");
	if (notes->mismatches > 0)
		fprintf(out,
			"             %" PRIu64 " places differed and were read until two reads in "
			"a row agreed\n",
			notes->mismatches);
	fprintf(out, "  afterwards %s\n", notes->after);
}

static void print_health(FILE *out, const struct firmware *firmware)
{
	if (firmware->examined)
		fprintf(out, "\nHealth\n%s",
			firmware->health ? firmware->health : "  not known: out of memory\n");
}

static int make_report(const struct manifest *manifest, const struct report_notes *notes,
		       char **ret)
{
	char created[TIME_TEXT_SIZE];
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	fprintf(out, "Backup %s\nmade %s by mtkrbd %s, job %" PRId64 "\n\n", manifest->id,
		time_format(manifest->created, created), manifest->tool_version, manifest->job);
	print_watch(out, manifest);
	print_ranges(out, manifest, notes->firmware);
	print_reading(out, manifest, notes);
	print_health(out, notes->firmware);
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

static int make_page(const struct manifest *manifest, const struct report_notes *notes, char **ret)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	report_html_print(out, manifest, notes);
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

static int write_text(int dir, const char *name, const char *text, struct failure *failure)
{
	int r = fd_replace_file(dir, name, text, strlen(text), STAGING_FILE_MODE);

	return r < 0 ? staging_explain(r, name, failure) : 0;
}

static int digest_named(int dir, const char *name, char ret_hex[DIGEST_HEX_SIZE])
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	return digest_file(fd, 0, (uint64_t)status.st_size, ret_hex);
}

/* The digests of images and firmware are known; those of the papers are taken from the files. */
static int make_sums(int dir, const struct manifest *manifest, const struct firmware *firmware,
		     char **ret)
{
	static const char *const papers[] = { MANIFEST_FILE, REPORT_FILE, REPORT_PAGE_FILE };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r = 0;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < manifest->read.n_ranges; i++)
		fprintf(out, "%s  %s\n", manifest->read.ranges[i].sha256,
			manifest->read.ranges[i].file);
	if (firmware->sums)
		fputs(firmware->sums, out);
	for (size_t i = 0; i < ARRAY_SIZE(papers) && r >= 0; i++) {
		char hex[DIGEST_HEX_SIZE];

		r = digest_named(dir, papers[i], hex);
		if (r >= 0)
			fprintf(out, "%s  %s\n", hex, papers[i]);
	}
	if (fclose(out) != 0 && r >= 0)
		r = -ENOMEM;
	if (r < 0)
		free(text);
	else
		*ret = text;
	return r;
}

int report_write(int dir, const struct manifest *manifest, const struct report_notes *notes,
		 struct failure *failure)
{
	_cleanup_free_ char *json = NULL, *report = NULL, *page = NULL, *sums = NULL;
	int r = manifest_to_text(manifest, &json);

	if (r >= 0)
		r = make_report(manifest, notes, &report);
	if (r >= 0)
		r = make_page(manifest, notes, &page);
	if (r < 0)
		return staging_explain(r, MANIFEST_FILE, failure);
	r = write_text(dir, MANIFEST_FILE, json, failure);
	if (r >= 0)
		r = write_text(dir, REPORT_FILE, report, failure);
	if (r >= 0)
		r = write_text(dir, REPORT_PAGE_FILE, page, failure);
	if (r < 0)
		return r;
	r = make_sums(dir, manifest, notes->firmware, &sums);
	if (r < 0)
		return staging_explain(r, SUMS_FILE, failure);
	return write_text(dir, SUMS_FILE, sums, failure);
}
