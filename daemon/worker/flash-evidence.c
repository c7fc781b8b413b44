/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker/flash-evidence.h"

#include <errno.h>
#include <string.h>

#define TRIES 3U
#define LOOKS 2U
/* With no word from the firmware: twice the largest flash that any of these watches has. */
#define PROBE_LAST (64ULL << 20)

/* One aligned piece, at most a smallest block; -ENODATA when the watch does not give it. */
static int read_piece(struct reader *reader, uint64_t address, uint8_t *data, size_t size)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		int r = reader_read(reader, address, data, size);

		if (r >= 0 || r == -ENODEV || r == -ECANCELED)
			return r;
		r = reader_resync(reader);
		if (r < 0)
			return r == -ENODEV || r == -ECANCELED ? r : -EHOSTDOWN;
	}
	return -ENODATA;
}

/* The flash_facts_reader on top of a reader, which wants aligned reads. */
static int read_anywhere(void *userdata, uint64_t offset, void *data, size_t size)
{
	const struct flash_evidence_query *query = userdata;
	const struct reader_class *class = query->reader->class;
	_cleanup_free_ uint8_t *piece = malloc(class->block_min);
	uint8_t *to = data;

	if (!piece)
		return -ENOMEM;
	while (size > 0) {
		size_t before = (size_t)(offset % class->alignment);
		size_t n = MIN_OF(size, class->block_min - before);
		size_t whole =
			(before + n + class->alignment - 1) / class->alignment * class->alignment;
		int r = read_piece(query->reader, offset - before, piece, whole);

		if (r < 0)
			return r;
		memcpy(to, piece + before, n);
		offset += n;
		to += n;
		size -= n;
	}
	return 0;
}

static int probe(const struct flash_evidence_query *query, struct flash_evidence *evidence)
{
	uint64_t largest = flash_size_largest(&evidence->facts);
	struct address_alias_limits limits = {
		.last = (largest > 0 ? largest : PROBE_LAST) + ADDRESS_ALIAS_FIRST,
		.avoid = query->avoid,
		.safe = flash_facts_lower_bound(&evidence->facts),
		.before = query->probing,
		.userdata = query->userdata,
	};

	/* An agent refuses what lies behind; a wrap inside of it would show that it is wrong. */
	if (query->report)
		limits.last = limits.safe = query->report->size;
	if (query->end > 0)
		limits.last = limits.safe =
			query->report ? MIN_OF(query->end, query->report->size) : query->end;
	return address_alias_find(query->reader, &limits, &evidence->alias);
}

static int look(const struct flash_evidence_query *query, struct flash_evidence *evidence)
{
	int r = flash_facts_find(read_anywhere, (void *)query, &evidence->facts);

	if (r >= 0)
		r = probe(query, evidence);
	if (r >= 0)
		r = query->probing(query->userdata, 0);
	if (r >= 0 && query->report)
		evidence->verdict = flash_size_decide_reported(&evidence->facts, &evidence->alias,
							       query->report, &evidence->size,
							       &evidence->reason);
	else if (r >= 0)
		evidence->verdict = flash_size_decide(&evidence->facts, &evidence->alias,
						      &evidence->size, &evidence->reason);
	return r;
}

int flash_evidence_gather(const struct flash_evidence_query *query, struct flash_evidence *ret)
{
	_cleanup_free_ struct flash_evidence *evidence = NULL;
	struct flash_evidence_query again = *query;

	for (unsigned int i = 0; i < LOOKS; i++) {
		int r;

		free(evidence);
		evidence = calloc(1, sizeof(*evidence));
		if (!evidence)
			return -ENOMEM;
		r = look(&again, evidence);
		if (r < 0)
			return r;
		if (evidence->verdict == FLASH_SIZE_AGREED ||
		    (query->end > 0 &&
		     (evidence->alias.size == 0 || evidence->alias.size >= query->end)))
			break;
		/* What did not answer once is not asked again. */
		if (evidence->alias.past_end == PAST_END_SILENT)
			again.avoid = evidence->alias.past_end_at;
	}
	*ret = *evidence;
	return 0;
}
