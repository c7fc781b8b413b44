/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/view/check.h"

#include <errno.h>
#include <inttypes.h>

#include "client/output/facts.h"
#include "client/output/flash-bar.h"
#include "client/output/print.h"
#include "protocol/base/strings.h"

#define RANGES_SHOWN 16U

/* ---- What it is ---- */

static int list_ids(const struct layout *layout, char **ret)
{
	_cleanup_free_ char *text = strdup("");

	for (size_t i = 0; text && i < layout->facts.n_parts; i++) {
		const struct flash_part *part = &layout->facts.parts[i];
		char id[2 * sizeof(part->id) + 1];
		char *longer;

		hex_encode(part->id, part->id_length, id);
		longer = str_format("%s%s%s", text, i > 0 ? " " : "", id);
		free(text);
		text = longer;
	}
	if (!text)
		return -ENOMEM;
	*ret = TAKE_PTR(text);
	return 0;
}

static int print_facts(const struct client *client, const char *path, const struct layout *layout)
{
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_free_ char *ids = NULL;
	char size[16], real[16];
	int r = list_ids(layout, &ids);

	if (r >= 0)
		r = facts_new(&table);
	if (r < 0)
		return r;
	facts_add(table, "image", TINT_HEADER, "%s", path);
	facts_add(table, "size", TINT_NONE, "%s (0x%" PRIx64 ")", format_bytes(layout->size, size),
		  layout->size);
	if (layout->effective_size != layout->size)
		facts_add(table, "flash", TINT_WARN, "%s (0x%" PRIx64 "), then it repeats",
			  format_bytes(layout->effective_size, real), layout->effective_size);
	facts_add(table, "platform", TINT_NONE, "%s", layout->platform);
	facts_add(table, "project", TINT_NONE, "%s", layout->facts.project);
	facts_add(table, "version", TINT_NONE, "%s", layout->facts.version);
	facts_add(table, "flash ids", TINT_NONE, "%s", ids);
	return table_print(table, &client->out, stdout);
}

/* ---- Checks ---- */

/* What is shown before what: failures by their severity, what is unknown, notes, what passed. */
static unsigned int rank(const struct health_check *check)
{
	switch (check->outcome) {
	case HEALTH_FAIL:
		return (unsigned int)check->severity;
	case HEALTH_UNKNOWN:
		return _HEALTH_SEVERITY_MAX;
	case HEALTH_REMARK:
		return _HEALTH_SEVERITY_MAX + 1;
	default:
		return _HEALTH_SEVERITY_MAX + 2;
	}
}

#define RANK_PASSED (_HEALTH_SEVERITY_MAX + 2U)

static const struct {
	const char *word;
	enum tint tint;
} ranks[] = {
	[HEALTH_FATAL] = { "FATAL", TINT_BAD },
	[HEALTH_ERROR] = { "FAILED", TINT_BAD },
	[HEALTH_NOTE] = { "odd", TINT_WARN },
	[_HEALTH_SEVERITY_MAX] = { "unknown", TINT_WARN },
	[_HEALTH_SEVERITY_MAX + 1] = { "note", TINT_FAINT },
	[RANK_PASSED] = { "passed", TINT_GOOD },
};

static void print_check(const struct client *client, const struct health_check *check)
{
	const struct term *term = &client->out;
	enum tint tint = ranks[rank(check)].tint;

	printf("%s%-8s%s%-16s %s\n", term_begin(term, tint), ranks[rank(check)].word,
	       term_end(term, tint), check->name, check->text);
	if (check->hint)
		printf("%25shint: %s\n", "", check->hint);
}

static void print_checks(const struct client *client, const struct health_report *report)
{
	unsigned int last = client->quiet ? RANK_PASSED - 1 : RANK_PASSED;

	for (unsigned int i = 0; i <= last; i++)
		for (size_t j = 0; j < report->n_checks; j++)
			if (rank(&report->checks[j]) == i)
				print_check(client, &report->checks[j]);
}

static void print_difference(const struct image_difference *difference)
{
	size_t n = MIN_OF(difference->n_ranges, RANGES_SHOWN);
	uint64_t more = difference->n_ranges - n + difference->n_ranges_left_out;

	for (size_t i = 0; i < n; i++)
		printf("differs  0x%08" PRIx64 " to 0x%08" PRIx64 "\n",
		       difference->ranges[i].offset,
		       difference->ranges[i].offset + difference->ranges[i].length - 1);
	if (more > 0)
		printf("differs  at %" PRIu64 " places more\n", more);
}

/* ---- Proof ---- */

static void add_share(struct table *table, const char *name, uint64_t bytes, uint64_t whole)
{
	uint64_t permille = whole > 0 ? bytes * 1000 / whole : 0;
	char text[16];

	facts_add(table, name, TINT_NONE, "%3" PRIu64 ".%" PRIu64 " %%  %s", permille / 10,
		  permille % 10, format_bytes(bytes, text));
}

static int print_proof(const struct client *client, const struct health_report *report)
{
	const struct health_coverage *coverage = &report->coverage;
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_free_ char *summary = health_summary(report);
	enum tint tint = health_is_good(report) ? TINT_GOOD : TINT_BAD;
	int r = summary ? facts_new(&table) : -ENOMEM;
	char text[16];

	if (r < 0)
		return r;
	facts_add(table, "firmware", TINT_NONE, "%s", format_bytes(coverage->firmware, text));
	add_share(table, "proven by a digest", coverage->digest, coverage->firmware);
	add_share(table, "by its structure", coverage->structure, coverage->firmware);
	add_share(table, "not by one read", coverage->unproven, coverage->firmware);
	if (coverage->same > 0)
		facts_add(table, "same in both", TINT_NONE, "%s below the user area",
			  format_bytes(coverage->same, text));
	r = table_print(table, &client->out, stdout);
	if (r < 0)
		return r;
	printf("\n%sScore %u of 100.%s %s\n", term_begin(&client->out, tint), report->score,
	       term_end(&client->out, tint), summary);
	return 0;
}

int check_view_print(const struct client *client, const char *path, const struct layout *layout,
		     const struct health_report *report)
{
	int r = print_facts(client, path, layout);

	if (r < 0)
		return r;
	putchar('\n');
	flash_bar_print(layout, &client->out, stdout);
	if (!client->quiet)
		r = flash_bar_print_regions(layout, &client->out, stdout);
	if (r < 0)
		return r;
	putchar('\n');
	print_checks(client, report);
	print_difference(&report->difference);
	putchar('\n');
	return print_proof(client, report);
}
