/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/device/address-alias.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/bytes.h"

#define PIECE          1024U
#define TRIES          2U          /* of a read, before its failure is believed */
#define DIFFERS_SURELY (PIECE / 8) /* bytes; no glitch of a line changes so many */

/*
 * Where content is looked for, best first: spread over the 512 KiB, then dense at the start, where
 * the boot loaders are even in a flash that is nearly empty.
 */
static const uint32_t places[] = {
	0x00000, 0x40000, 0x10000, 0x70000, 0x28000, 0x58000, 0x02800, 0x0a000,
	0x00800, 0x01000, 0x02000, 0x03000, 0x04000, 0x06000, 0x08000, 0x0c000,
	0x14000, 0x18000, 0x20000, 0x30000, 0x38000, 0x48000, 0x50000, 0x60000,
};

#define REACH 0x80000U

/* What is found at the places of one address. */
enum finding { FOUND_SAME, FOUND_OTHER, FOUND_BLANK };

struct probe {
	struct reader *reader;
	uint32_t at[ADDRESS_ALIAS_PLACES];
	uint8_t content[ADDRESS_ALIAS_PLACES][PIECE];
	unsigned int n;
	uint8_t piece[PIECE];
};

static bool is_final(int error)
{
	return error == -ENODEV || error == -ECANCELED || error == -EHOSTDOWN;
}

/* -EIO an error, -ETIMEDOUT silence, each seen twice; or a final error. */
static int read_piece(struct reader *reader, uint64_t address, uint8_t *piece)
{
	int r = 0;

	for (unsigned int i = 0; i < TRIES; i++) {
		int resynced;

		r = reader_read(reader, address, piece, PIECE);
		if (r >= 0 || r == -ENODEV || r == -ECANCELED)
			return r;
		resynced = reader_resync(reader);
		if (resynced == -ENODEV || resynced == -ECANCELED)
			return resynced;
		if (resynced < 0)
			return -EHOSTDOWN;
	}
	return r == -ETIMEDOUT ? r : -EIO;
}

/* Remembers content of the first 512 KiB that is worth comparing. */
static int collect_places(struct probe *probe)
{
	for (size_t i = 0; i < ARRAY_SIZE(places) && probe->n < ADDRESS_ALIAS_PLACES; i++) {
		uint8_t *content = probe->content[probe->n];
		int r = read_piece(probe->reader, places[i], content);

		if (r < 0)
			return is_final(r) ? r : -EIO;
		if (bytes_are_uniform(content, PIECE))
			continue;
		probe->at[probe->n++] = places[i];
	}
	return 0;
}

static unsigned int count_differences(const uint8_t *a, const uint8_t *b)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PIECE; i++)
		n += a[i] != b[i];
	return n;
}

/* A few bytes that differ may be a glitch of either read: both are read again, once. */
static int look_at_place(struct probe *probe, uint64_t address, unsigned int place,
			 enum finding *ret)
{
	unsigned int differences;
	int r = read_piece(probe->reader, address + probe->at[place], probe->piece);

	if (r < 0)
		return r;
	differences = count_differences(probe->piece, probe->content[place]);
	if (differences > 0 && differences < DIFFERS_SURELY) {
		r = read_piece(probe->reader, probe->at[place], probe->content[place]);
		if (r >= 0)
			r = read_piece(probe->reader, address + probe->at[place], probe->piece);
		if (r < 0)
			return r;
		differences = count_differences(probe->piece, probe->content[place]);
	}
	if (differences == 0)
		*ret = FOUND_SAME;
	else
		*ret = bytes_are_uniform(probe->piece, PIECE) ? FOUND_BLANK : FOUND_OTHER;
	return 0;
}

/* One place with content of its own is enough to know that the flash does not wrap here. */
static int look_at(struct probe *probe, uint64_t address, enum finding *ret, unsigned int *ret_same)
{
	unsigned int same = 0, blank = 0;

	for (unsigned int i = 0; i < probe->n; i++) {
		enum finding finding;
		int r = look_at_place(probe, address, i, &finding);

		if (r < 0)
			return r;
		same += finding == FOUND_SAME;
		blank += finding == FOUND_BLANK;
		if (finding == FOUND_OTHER || (same > 0 && blank > 0)) {
			*ret = FOUND_OTHER;
			return 0;
		}
	}
	*ret_same = same;
	*ret = same > 0 ? FOUND_SAME : FOUND_BLANK;
	return 0;
}

static void note_past_end(struct address_alias *alias, enum past_end past_end, uint64_t address)
{
	if (past_end == PAST_END_ERASED && alias->past_end == PAST_END_ERASED)
		return;
	alias->past_end = past_end;
	alias->past_end_at = address;
}

static void note_finding(struct address_alias *alias, enum finding finding, unsigned int same,
			 uint64_t address)
{
	alias->probed = address;
	switch (finding) {
	case FOUND_SAME:
		alias->size = address;
		alias->places = same;
		note_past_end(alias, PAST_END_UNKNOWN, 0);
		break;
	case FOUND_OTHER:
		alias->data_at = address;
		note_past_end(alias, PAST_END_UNKNOWN, 0);
		break;
	case FOUND_BLANK:
		note_past_end(alias, PAST_END_ERASED, address);
		break;
	}
}

static int search(struct probe *probe, const struct address_alias_limits *limits,
		  struct address_alias *alias)
{
	/* The places of an address lie in the 512 KiB behind it. */
	const uint64_t last = MIN_OF(limits->last, ADDRESS_ALIAS_LAST);

	for (uint64_t at = ADDRESS_ALIAS_FIRST; at + REACH <= last && !alias->size; at *= 2) {
		unsigned int same = 0;
		enum finding finding;
		int r = 0;

		if (limits->avoid && at >= limits->avoid) {
			note_past_end(alias, PAST_END_SILENT, limits->avoid);
			return 0;
		}
		if (limits->before && at + REACH > limits->safe)
			r = limits->before(limits->userdata, at);
		if (r < 0)
			return r;
		r = look_at(probe, at, &finding, &same);
		if (r == -EIO || r == -ETIMEDOUT) {
			note_past_end(alias, r == -EIO ? PAST_END_ERROR : PAST_END_SILENT, at);
			return 0;
		}
		if (r < 0)
			return r;
		note_finding(alias, finding, same, at);
	}
	return 0;
}

int address_alias_find(struct reader *reader, const struct address_alias_limits *limits,
		       struct address_alias *ret)
{
	_cleanup_free_ struct probe *probe = calloc(1, sizeof(*probe));
	struct address_alias alias = { 0 };
	int r;

	if (!probe)
		return -ENOMEM;
	if (limits->last < ADDRESS_ALIAS_FIRST + REACH) {
		*ret = alias;
		return 0;
	}
	probe->reader = reader;
	r = collect_places(probe);
	if (r < 0)
		return r;
	/* One or two places could be a copy of the boot header; that would prove nothing. */
	alias.blank = probe->n < ADDRESS_ALIAS_ENOUGH;
	if (!alias.blank)
		r = search(probe, limits, &alias);
	if (r >= 0)
		*ret = alias;
	return r;
}

const char *past_end_to_string(enum past_end past_end)
{
	static const char *const words[] = {
		[PAST_END_UNKNOWN] = "unknown",
		[PAST_END_ERASED] = "erased",
		[PAST_END_ERROR] = "error",
		[PAST_END_SILENT] = "no answer",
	};

	return words[past_end];
}
