/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/watch/fault.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/base/strings.h"
#include "protocol/base/time.h"

static const struct {
	const char *name; /* with the character that introduces a value, where there is one */
	bool timed;
} kinds[FAULT_KIND_MAX] = {
	[FAULT_UNPLUG] = { "unplug@", false },
	[FAULT_STALL] = { "stall@", true },
	[FAULT_FLIP] = { "flip@", false },
	[FAULT_INSERT] = { "insert@", false },
	[FAULT_SHORT] = { "short@", false },
	[FAULT_NACK] = { "nack@", false },
	[FAULT_MAX_BLOCK] = { "max-block=", false },
	[FAULT_ALIAS] = { "alias=", false },
	[FAULT_DA_SUM] = { "da-sum@", false },
	[FAULT_DA_NACK] = { "da-nack@", false },
	[FAULT_GARBAGE] = { "garbage", false },
	[FAULT_MUTE] = { "mute", false },
	[FAULT_SECURE] = { "secure", false },
	[FAULT_ECHO] = { "echo", false },
	[FAULT_PRELOADER] = { "preloader", false },
	[FAULT_NO_COMBINE] = { "no-combine", false },
	[FAULT_STREAM] = { "stream", false },
	[FAULT_FF] = { "ff", false },
	[FAULT_DA_REFUSE] = { "da-refuse", false },
	[FAULT_DA_STAGE] = { "da-stage", false },
	[FAULT_DA_RANGE] = { "da-range", false },
	[FAULT_DA_SECURITY] = { "da-security", false },
	[FAULT_DA_UNKNOWN_FLASH] = { "da-unknown-flash", false },
};

static bool takes_value(enum fault_kind kind)
{
	return kind <= FAULT_DA_NACK;
}

static bool is_in_stream(enum fault_kind kind)
{
	return kind <= FAULT_SHORT;
}

/* "64K:500" into an offset and the milliseconds behind it. */
static int parse_timed(const char *s, struct fault *fault)
{
	const char *colon = strchr(s, ':');
	_cleanup_free_ char *offset = NULL;
	int64_t msec;
	int r;

	if (!colon)
		return -EINVAL;
	offset = strndup(s, (size_t)(colon - s));
	if (!offset)
		return -ENOMEM;
	r = parse_int(colon + 1, 0, INT32_MAX, &msec);
	if (r < 0)
		return r;
	fault->usec = (uint64_t)msec * USEC_PER_MSEC;
	return parse_size(offset, &fault->value);
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
		if (kinds[kind].timed)
			r = parse_timed(rest, &fault);
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
