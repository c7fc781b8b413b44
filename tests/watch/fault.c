/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/fault.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

static const struct {
	const char *name; /* with the character that introduces a value, where there is one */
	enum { PLAIN, TIMED, COUNTED } behind; /* what a colon behind the value is for */
} kinds[FAULT_KIND_MAX] = {
	[FAULT_UNPLUG] = { "unplug@", PLAIN },
	[FAULT_STALL] = { "stall@", TIMED },
	[FAULT_FLIP] = { "flip@", PLAIN },
	[FAULT_INSERT] = { "insert@", PLAIN },
	[FAULT_SHORT] = { "short@", COUNTED },
	[FAULT_NACK] = { "nack@", PLAIN },
	[FAULT_MAX_BLOCK] = { "max-block=", PLAIN },
	[FAULT_ALIAS] = { "alias=", PLAIN },
	[FAULT_DA_SUM] = { "da-sum@", PLAIN },
	[FAULT_DA_NACK] = { "da-nack@", PLAIN },
	[FAULT_GARBAGE] = { "garbage", PLAIN },
	[FAULT_MUTE] = { "mute", PLAIN },
	[FAULT_SECURE] = { "secure", PLAIN },
	[FAULT_ECHO] = { "echo", PLAIN },
	[FAULT_PRELOADER] = { "preloader", PLAIN },
	[FAULT_NO_COMBINE] = { "no-combine", PLAIN },
	[FAULT_STREAM] = { "stream", PLAIN },
	[FAULT_FF] = { "ff", PLAIN },
	[FAULT_DA_REFUSE] = { "da-refuse", PLAIN },
	[FAULT_DA_STAGE] = { "da-stage", PLAIN },
	[FAULT_DA_RANGE] = { "da-range", PLAIN },
	[FAULT_DA_SECURITY] = { "da-security", PLAIN },
	[FAULT_DA_UNKNOWN_FLASH] = { "da-unknown-flash", PLAIN },
};

static bool takes_value(enum fault_kind kind)
{
	return kind <= FAULT_DA_NACK;
}

static bool is_in_stream(enum fault_kind kind)
{
	return kind <= FAULT_SHORT;
}

/* "64K:500" into an offset and the number behind it; without a colon that is left as it is. */
static int parse_pair(const char *s, int64_t min, int64_t *number, uint64_t *ret_offset)
{
	const char *colon = strchrnul(s, ':');
	_cleanup_free_ char *offset = strndup(s, (size_t)(colon - s));
	int r = 0;

	if (!offset)
		return -ENOMEM;
	if (*colon)
		r = parse_int(colon + 1, min, INT32_MAX, number);
	return r < 0 ? r : parse_size(offset, ret_offset);
}

static int parse_timed(const char *s, struct fault *fault)
{
	int64_t msec = -1;
	int r = parse_pair(s, 0, &msec, &fault->value);

	if (r >= 0 && msec < 0)
		return -EINVAL;
	fault->usec = (uint64_t)msec * USEC_PER_MSEC;
	return r;
}

static int parse_counted(const char *s, struct fault *fault)
{
	int64_t bytes = 1;
	int r = parse_pair(s, 1, &bytes, &fault->value);

	fault->bytes = (uint64_t)bytes;
	return r;
}

static int check_value(const struct fault *fault)
{
	switch (fault->kind) {
	case FAULT_ALIAS:
		return fault->value < 4096 || fault->value % 4096 ? -ERANGE : 0;
	case FAULT_NACK:
	case FAULT_DA_SUM:
	case FAULT_DA_NACK:
		return fault->value == 0 ? -ERANGE : 0;
	default:
		return 0;
	}
}

static int fault_parse(const char *spec, struct fault *ret)
{
	for (enum fault_kind kind = 0; kind < FAULT_KIND_MAX; kind++) {
		const char *rest = strafter(spec, kinds[kind].name);
		struct fault fault = { .kind = kind };
		int r = 0;

		if (!rest || (*rest && !takes_value(kind)))
			continue;
		if (kinds[kind].behind == TIMED)
			r = parse_timed(rest, &fault);
		else if (kinds[kind].behind == COUNTED)
			r = parse_counted(rest, &fault);
		else if (takes_value(kind))
			r = parse_size(rest, &fault.value);
		if (r >= 0)
			r = check_value(&fault);
		if (r < 0)
			return r;
		*ret = fault;
		return 0;
	}
	return -EINVAL;
}

int faults_add(struct faults *faults, const char *spec)
{
	struct fault fault;
	int r;

	if (faults->n_items == ARRAY_SIZE(faults->items))
		return -ENOSPC;
	r = fault_parse(spec, &fault);
	if (r < 0)
		return r;
	faults->items[faults->n_items++] = fault;
	return 0;
}

const char *fault_name(const struct fault *fault)
{
	return kinds[fault->kind].name;
}

struct fault *faults_find(struct faults *faults, enum fault_kind kind)
{
	for (size_t i = 0; i < faults->n_items; i++) {
		if (faults->items[i].kind == kind && !faults->items[i].spent)
			return &faults->items[i];
	}
	return NULL;
}

struct fault *faults_in_stream(struct faults *faults, uint64_t offset, uint64_t length)
{
	struct fault *first = NULL;

	for (size_t i = 0; i < faults->n_items; i++) {
		struct fault *f = &faults->items[i];

		if (!is_in_stream(f->kind) || f->spent || f->value < offset ||
		    f->value - offset >= length)
			continue;
		if (!first || f->value < first->value)
			first = f;
	}
	return first;
}
