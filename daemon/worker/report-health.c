/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/report-health.h"

#include <inttypes.h>

#include "daemon/worker/html-text.h"
#include "protocol/base/strings.h"
#include "protocol/firmware/layout.h"

#define CHECKS_SHOWN 400U /* of the checks of one rank; more are those of noise */

/* ---- Verdict ---- */

struct verdict {
	const char *style, *title;
};

static struct verdict judge(const struct firmware *firmware)
{
	const struct health_report *report = firmware->report;

	if (!firmware->examined)
		return (struct verdict){ "", "Health was not judged" };
	if (firmware->layout->n_parts == 0)
		return (struct verdict){ "bad", "No firmware was found in this image" };
	if (!health_can_rebuild(report))
		return (struct verdict){ "bad",
					 "Damaged: no firmware files can be made of this image" };
	if (!health_is_good(report))
		return (struct verdict){ "bad", "Something in the firmware is damaged" };
	if (report->n_failed[HEALTH_NOTE] > 0)
		return (struct verdict){ "doubt", "No damage was found, but something is odd" };
	return (struct verdict){ "good", "No damage was found" };
}

static void print_second_read(FILE *out, const struct manifest *manifest)
{
	if (streq(manifest->read.verify_mode, "none"))
		fprintf(out, " Nothing was read twice, so errors of the line cannot be excluded.");
	else if (!manifest->read.verify_ok)
		fprintf(out, " Two reads of it do not agree.");
	else if (streq(manifest->read.verify_mode, "full"))
		fprintf(out, " Every byte was read twice, and both reads agree.");
	else
		fprintf(out, " Samples were read twice, and both reads agree.");
}

static void print_score(FILE *out, const struct firmware *firmware)
{
	const size_t *n = firmware->report->n_outcomes;

	fprintf(out,
		"The score counts checks: %zu passed, %zu failed, %zu could not be decided from "
		"one "
		"read.",
		n[HEALTH_PASS], n[HEALTH_FAIL], n[HEALTH_UNKNOWN]);
}

void report_health_verdict(FILE *out, const struct manifest *manifest,
			   const struct firmware *firmware)
{
	struct verdict verdict = judge(firmware);

	fprintf(out, "<section class=\"verdict %s\">\n", verdict.style);
	if (firmware->examined)
		fprintf(out, "<div class=\"score\">%u<small> %%</small></div>\n", firmware->score);
	fprintf(out, "<p><strong>%s.</strong>", verdict.title);
	if (firmware->examined)
		print_score(out, firmware);
	else
		fprintf(out, "That needs the whole flash in one image.");
	print_second_read(out, manifest);
	fprintf(out, "</p>\n</section>\n");
}

/* ---- Proof ---- */

static double share(uint64_t bytes, uint64_t whole)
{
	return whole > 0 ? 100.0 * (double)bytes / (double)whole : 0;
}

static void print_share(FILE *out, const char *style, uint64_t bytes, uint64_t whole,
			const char *meaning)
{
	char text[16];

	fprintf(out,
		"<li><span class=\"swatch %s\"></span><strong>%.1f %%</strong> "
		"<span class=\"soft\">(%s)</span> %s</li>\n",
		style, share(bytes, whole), format_bytes(bytes, text), meaning);
}

static void print_bar(FILE *out, const char *style, uint64_t bytes, uint64_t whole)
{
	if (bytes > 0)
		fprintf(out, "<span class=\"%s\" style=\"width:%.2f%%\"></span>", style,
			share(bytes, whole));
}

static void print_proof(FILE *out, const struct health_coverage *coverage)
{
	uint64_t whole = coverage->firmware;
	char text[16];

	fprintf(out, "<h2>What is proven</h2>\n");
	if (whole == 0) {
		fprintf(out, "<p class=\"soft\">Nothing: no firmware was found.</p>\n");
		return;
	}
	fprintf(out,
		"<p class=\"soft\">Of %s of firmware in this image:</p>\n<div class=\"stack\">",
		format_bytes(whole, text));
	print_bar(out, "digested", coverage->digest, whole);
	print_bar(out, "structured", coverage->structure, whole);
	print_bar(out, "unproven", coverage->unproven, whole);
	fprintf(out, "</div>\n<ul class=\"proof\">\n");
	print_share(out, "digested", coverage->digest, whole,
		    "has a digest of its own, and it is right: not one bit is wrong there.");
	print_share(out, "structured", coverage->structure, whole,
		    "holds together as only whole data does: larger damage would show, a single "
		    "wrong bit mostly not.");
	print_share(
		out, "unproven", coverage->unproven, whole,
		"has nothing in the image that could prove it. A second backup that is the same "
		"below the user area does: <code>mtkrbctl check FILE FILE2</code>.");
	fprintf(out, "</ul>\n");
}

/* ---- Checks ---- */

enum rank {
	RANK_FATAL,
	RANK_ERROR,
	RANK_ODD,
	RANK_UNKNOWN,
	RANK_REMARK,
	RANK_PASSED,
	_RANK_MAX,
};

static const struct {
	const char *style, *word;
} ranks[] = {
	[RANK_FATAL] = { "failed", "fatal" }, [RANK_ERROR] = { "failed", "failed" },
	[RANK_ODD] = { "doubted", "odd" },    [RANK_UNKNOWN] = { "doubted", "unknown" },
	[RANK_REMARK] = { "noted", "note" },  [RANK_PASSED] = { "passed", "passed" },
};

static enum rank rank_of(const struct health_check *check)
{
	static const enum rank failures[] = {
		[HEALTH_FATAL] = RANK_FATAL, [HEALTH_ERROR] = RANK_ERROR, [HEALTH_NOTE] = RANK_ODD
	};

	switch (check->outcome) {
	case HEALTH_FAIL:
		return failures[check->severity];
	case HEALTH_UNKNOWN:
		return RANK_UNKNOWN;
	case HEALTH_REMARK:
		return RANK_REMARK;
	default:
		return RANK_PASSED;
	}
}

static void print_check(FILE *out, const struct health_check *check, enum rank rank)
{
	fprintf(out, "<li class=\"%s\"><b>%s</b><div>", ranks[rank].style, ranks[rank].word);
	html_text(out, check->text);
	fprintf(out, " <span class=\"soft\">");
	html_text(out, check->name);
	if (check->part)
		html_textf(out, ", %s", check->part);
	if (check->length > 0)
		html_textf(out, ", at 0x%" PRIx64, check->offset);
	fprintf(out, "</span>");
	if (check->hint) {
		fprintf(out, "<br><span class=\"soft\">Way out: ");
		html_text(out, check->hint);
		fprintf(out, "</span>");
	}
	fprintf(out, "</div></li>\n");
}

static void print_rank(FILE *out, const struct health_report *report, enum rank rank)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_checks; i++)
		if (rank_of(&report->checks[i]) == rank && ++n <= CHECKS_SHOWN)
			print_check(out, &report->checks[i], rank);
	if (n > CHECKS_SHOWN)
		fprintf(out, "<li class=\"%s\"><b>%s</b><div>and %zu more</div></li>\n",
			ranks[rank].style, ranks[rank].word, n - CHECKS_SHOWN);
}

void report_health_print(FILE *out, const struct firmware *firmware)
{
	if (!firmware->examined)
		return;
	print_proof(out, &firmware->coverage);
	fprintf(out, "<h2>Checks</h2>\n<ul class=\"checks\">\n");
	for (enum rank rank = RANK_FATAL; rank < _RANK_MAX; rank++)
		print_rank(out, firmware->report, rank);
	fprintf(out, "</ul>\n");
}
