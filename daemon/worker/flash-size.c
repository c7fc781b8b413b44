/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/flash-size.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/flash-ids.h"
#include "protocol/base/strings.h"

int evidence_add(struct evidence_list *list, const char *source, uint64_t size, const char *format,
		 ...)
{
	struct evidence *grown = reallocarray(list->items, list->n + 1, sizeof(*grown));
	struct evidence new = { .size = size };
	va_list arguments;
	int r;

	if (!grown)
		return -ENOMEM;
	list->items = grown;
	va_start(arguments, format);
	r = vasprintf(&new.text, format, arguments);
	va_end(arguments);
	if (r < 0)
		return -ENOMEM;
	new.source = strdup(source);
	if (!new.source) {
		free(new.text);
		return -ENOMEM;
	}
	list->items[list->n++] = new;
	return 0;
}

void evidence_clear(struct evidence_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].source);
		free(list->items[i].text);
	}
	free(list->items);
	*list = (struct evidence_list){ 0 };
}

char *evidence_to_line(const struct evidence_list *list)
{
	char *line = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < list->n; i++)
		fprintf(out, "%s%s: %s", i > 0 ? "; " : "", list->items[i].source,
			list->items[i].text);
	if (fclose(out) == 0)
		return line;
	free(line);
	return NULL;
}

static uint64_t round_up_to_power(uint64_t value)
{
	uint64_t power = ADDRESS_ALIAS_FIRST;

	while (power < value)
		power *= 2;
	return power;
}

/* Sizes of the parts that the firmware was built for, each once. */
struct candidates {
	uint64_t sizes[FLASH_FACTS_PARTS_MAX];
	size_t n;
};

static bool candidates_have(const struct candidates *candidates, uint64_t size)
{
	for (size_t i = 0; i < candidates->n; i++)
		if (candidates->sizes[i] == size)
			return true;
	return false;
}

static void list_candidates(const struct flash_facts *facts, struct candidates *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < facts->n_parts; i++) {
		uint64_t size = facts->parts[i].size;

		if (size > 0 && !candidates_have(ret, size))
			ret->sizes[ret->n++] = size;
	}
}

uint64_t flash_size_largest(const struct flash_facts *facts)
{
	uint64_t bound = flash_facts_lower_bound(facts), largest = 0;

	if (bound > 0)
		largest = round_up_to_power(bound);
	for (size_t i = 0; i < facts->n_parts; i++)
		largest = MAX_OF(largest, facts->parts[i].size);
	return largest;
}

/* The flash begins again at alias->size: can that be? */
static enum flash_size_verdict judge_alias(uint64_t bound, const struct candidates *candidates,
					   const struct address_alias *alias, const char **reason)
{
	if (alias->size < bound) {
		*reason = "the firmware reaches behind the place where the flash begins again";
		return FLASH_SIZE_CONTRADICTED;
	}
	if (candidates->n > 0 && !candidates_have(candidates, alias->size)) {
		*reason =
			"the flash begins again at a size that no part of the firmware's list has";
		return FLASH_SIZE_CONTRADICTED;
	}
	*reason = bound > 0 || candidates->n > 0
			  ? "the firmware's tables and the wrap of the addresses agree"
			  : "the wrap of the addresses alone, at many places; there are no tables";
	return FLASH_SIZE_AGREED;
}

/* Without a wrap the tables must leave exactly one size. */
static enum flash_size_verdict judge_tables(uint64_t bound, const struct candidates *candidates,
					    const struct address_alias *alias, uint64_t *ret_size,
					    const char **reason)
{
	const bool ends = alias->past_end == PAST_END_ERROR || alias->past_end == PAST_END_SILENT;
	uint64_t rounded = round_up_to_power(bound), fitting = 0;
	size_t n_fitting = 0;

	if (ends && alias->past_end_at < bound) {
		*reason = "the watch does not answer inside of what the firmware's tables name";
		return FLASH_SIZE_CONTRADICTED;
	}
	for (size_t i = 0; i < candidates->n; i++)
		if (candidates->sizes[i] >= bound &&
		    !(ends && candidates->sizes[i] > alias->past_end_at)) {
			fitting = candidates->sizes[i];
			n_fitting++;
		}
	if (candidates->n > 0 && n_fitting == 0) {
		*reason = "no part of the firmware's list has a size that fits";
		return FLASH_SIZE_CONTRADICTED;
	}
	/* Tables that end on a size of flashes name it; so does a watch that stops at one. */
	if (candidates->n == 0 || n_fitting > 1) {
		fitting = rounded;
		if (bound != rounded && !(ends && alias->past_end_at == rounded)) {
			*reason = "the firmware's tables leave several sizes";
			return FLASH_SIZE_UNKNOWN;
		}
		if (candidates->n > 0 && !candidates_have(candidates, fitting)) {
			*reason = "the firmware's tables and its list of parts differ";
			return FLASH_SIZE_CONTRADICTED;
		}
	}
	*ret_size = fitting;
	*reason = "the firmware's tables alone; the addresses do not wrap where it was probed";
	return FLASH_SIZE_AGREED;
}

enum flash_size_verdict flash_size_decide(const struct flash_facts *facts,
					  const struct address_alias *alias, uint64_t *ret_size,
					  const char **ret_reason)
{
	uint64_t bound = flash_facts_lower_bound(facts);
	struct candidates candidates;
	enum flash_size_verdict verdict;

	list_candidates(facts, &candidates);
	if (alias->size > 0) {
		verdict = judge_alias(bound, &candidates, alias, ret_reason);
		if (verdict == FLASH_SIZE_AGREED)
			*ret_size = alias->size;
		return verdict;
	}
	if (bound == 0) {
		*ret_reason = alias->blank ? "the flash looks empty"
					   : "no firmware tables, and the addresses do not wrap";
		return FLASH_SIZE_UNKNOWN;
	}
	/* Content of its own was seen there, so the flash reaches at least as far. */
	if (alias->data_at > 0)
		bound = MAX_OF(bound, alias->data_at + 1);
	return judge_tables(bound, &candidates, alias, ret_size, ret_reason);
}

/* What speaks against a report, NULL: nothing. */
static const char *find_objection(const struct flash_facts *facts,
				  const struct address_alias *alias,
				  const struct flash_report *report)
{
	struct candidates candidates;

	list_candidates(facts, &candidates);
	if (report->part_size > 0 && report->part_size != report->size)
		return "the download agent's size is not that of the flash id it reports";
	if (alias->size > 0 && alias->size < report->size)
		return "the flash begins again before the end that the download agent reports";
	if (flash_facts_lower_bound(facts) > report->size)
		return "the firmware reaches behind the end that the download agent reports";
	if (candidates.n > 0 && !candidates_have(&candidates, report->size))
		return "no part of the firmware's list has the size that the download agent "
		       "reports";
	return NULL;
}

enum flash_size_verdict flash_size_decide_reported(const struct flash_facts *facts,
						   const struct address_alias *alias,
						   const struct flash_report *report,
						   uint64_t *ret_size, const char **ret_reason)
{
	const char *objection = find_objection(facts, alias, report);

	if (objection) {
		*ret_reason = objection;
		return FLASH_SIZE_CONTRADICTED;
	}
	*ret_size = report->size;
	*ret_reason = flash_facts_lower_bound(facts) > 0
			      ? "the download agent's report and the firmware's tables agree"
			      : "the download agent's report alone; there are no tables";
	return FLASH_SIZE_AGREED;
}

int flash_size_describe_report(const struct flash_report *report, struct evidence_list *list)
{
	char bytes[16];

	return evidence_add(
		list, "da-report", report->size, "the download agent found a flash of %s%s%s",
		format_bytes(report->size, bytes), report->id[0] ? ", id " : "", report->id);
}

static int describe_parts(const struct flash_facts *facts, struct evidence_list *list)
{
	_cleanup_free_ char *text = NULL;
	struct candidates candidates;
	size_t size = 0;
	FILE *out;

	if (facts->n_parts == 0)
		return 0;
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < facts->n_parts; i++) {
		const struct flash_part *part = &facts->parts[i];
		char words[FLASH_ID_TEXT_SIZE];

		fprintf(out, "%s%s", i > 0 ? " or " : "",
			flash_id_describe(part->id, part->id_length, words));
	}
	if (fclose(out) != 0)
		return -ENOMEM;
	list_candidates(facts, &candidates);
	return evidence_add(list, "cmem-id-info", candidates.n == 1 ? candidates.sizes[0] : 0,
			    "built for %s", text);
}

static int describe_facts(const struct flash_facts *facts, struct evidence_list *list)
{
	uint64_t files_end = flash_facts_files_end(facts);
	int r = 0;

	if (files_end > 0)
		r = evidence_add(list, "files", files_end,
				 "%zu firmware files, the last ends at 0x%" PRIx64, facts->n_files,
				 files_end);
	if (r >= 0 && facts->user_end > 0)
		r = evidence_add(list, "flash-info", facts->user_end,
				 "the user area reaches from 0x%" PRIx64 " to 0x%" PRIx64,
				 facts->user_begin, facts->user_end);
	if (r >= 0 && facts->control_end > 0)
		r = evidence_add(list, "maui-info", facts->control_end,
				 "the control block ends at 0x%" PRIx64, facts->control_end);
	if (r >= 0 && facts->usable_end > 0)
		r = evidence_add(list, "cmem-nor-info", facts->usable_end,
				 "the usable flash ends at 0x%" PRIx64, facts->usable_end);
	if (r >= 0)
		r = describe_parts(facts, list);
	if (r >= 0 && list->n == 0)
		r = evidence_add(list, "firmware", 0, "no firmware tables were found");
	return r;
}

/* Erased bytes inside of what the tables name are no news; those behind it are. */
static int describe_past_end(uint64_t bound, const struct address_alias *alias,
			     struct evidence_list *list)
{
	uint64_t at = alias->past_end_at;

	if (alias->past_end == PAST_END_ERASED)
		at = MAX_OF(at, round_up_to_power(bound));
	if (alias->past_end == PAST_END_UNKNOWN ||
	    (alias->past_end == PAST_END_ERASED && at > alias->probed))
		return 0;
	return evidence_add(list, "past-end", 0, "past the end: %s (from 0x%" PRIx64 ")",
			    past_end_to_string(alias->past_end), at);
}

static int describe_alias(uint64_t bound, const struct address_alias *alias,
			  struct evidence_list *list)
{
	int r;

	if (alias->size > 0)
		return evidence_add(list, "address-alias", alias->size,
				    "the flash begins again at 0x%" PRIx64 " (%u places agree%s)",
				    alias->size, alias->places,
				    bound > 0 ? "" : "; no firmware tables to compare with");
	if (alias->blank)
		return evidence_add(list, "address-alias", 0,
				    "the first 512 KiB have too little content to compare");
	if (alias->probed > 0)
		r = evidence_add(list, "address-alias", 0, "no wrap up to 0x%" PRIx64,
				 alias->probed);
	else
		r = evidence_add(list, "address-alias", 0, "not probed");
	if (r >= 0 && alias->data_at > 0)
		r = evidence_add(list, "data", alias->data_at, "content of its own at 0x%" PRIx64,
				 alias->data_at);
	return r < 0 ? r : describe_past_end(bound, alias, list);
}

int flash_size_describe(const struct flash_facts *facts, const struct address_alias *alias,
			struct evidence_list *list)
{
	int r = describe_facts(facts, list);

	return r < 0 ? r : describe_alias(flash_facts_lower_bound(facts), alias, list);
}
