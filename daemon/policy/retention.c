/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/retention.h"

#include <stdlib.h>

#include "protocol/base/strings.h"

void retention_rules_clear(struct retention_rules *rules)
{
	labels_free(rules->keep_labels, rules->n_keep_labels);
	*rules = (struct retention_rules){ 0 };
}

const char *retention_verdict_to_string(enum retention_verdict verdict)
{
	static const char *const words[] = {
		[RETENTION_UNKNOWN_WATCH] = "its watch is not known",
		[RETENTION_LABEL] = "a label of keep-label is on it",
		[RETENTION_YOUNG] = "younger than keep-for",
		[RETENTION_NO_SUCCESSOR] = "no newer one is whole, as large and as healthy",
		[RETENTION_AMONG_LAST] = "one of the keep-last of its watch",
		[RETENTION_SPARE] = "not needed, while there is room",
		[RETENTION_BEYOND_LAST] = "keep-last newer ones of its watch are there",
	};

	return words[verdict];
}

bool retention_may_go(enum retention_verdict verdict)
{
	return verdict == RETENTION_SPARE || verdict == RETENTION_BEYOND_LAST;
}

static bool carries(const struct backup *backup, const struct label *wanted)
{
	for (size_t i = 0; i < backup->n_labels; i++)
		if (streq(backup->labels[i].key, wanted->key) &&
		    (!wanted->value || streq(backup->labels[i].value, wanted->value)))
			return true;
	return false;
}

static bool is_labelled(const struct backup *backup, const struct retention_rules *rules)
{
	for (size_t i = 0; i < rules->n_keep_labels; i++)
		if (carries(backup, &rules->keep_labels[i]))
			return true;
	return false;
}

/* A backup of the future was made before the clock was set right: it counts as young. */
static bool is_young(const struct backup *backup, const struct retention_rules *rules, uint64_t now)
{
	return rules->keep_for_usec > 0 &&
	       (backup->created > now || now - backup->created < rules->keep_for_usec);
}

/*
 * The half of a flash does not stand for the whole of it, what is damaged for nothing, and a watch that
 * is broken now not for the watch that it was.
 */
static bool stands_for(const struct backup *newer, const struct backup *older)
{
	return !newer->damaged && newer->size >= older->size && newer->health >= older->health;
}

/* How many newer ones stand for backups[at], counted up to enough; the newest of them. */
static uint64_t count_successors(const struct backup *backups, size_t at, uint64_t enough,
				 const struct backup **ret_newest)
{
	uint64_t count = 0;

	for (size_t i = 0; i < at && count < enough; i++) {
		if (!stands_for(&backups[i], &backups[at]))
			continue;
		if (count++ == 0)
			*ret_newest = &backups[i];
	}
	return count;
}

static struct retention_decision decide(const struct backup *backups, size_t at,
					const struct retention_rules *rules, uint64_t now)
{
	const struct backup *backup = &backups[at];
	struct retention_decision decision = { .verdict = RETENTION_AMONG_LAST };
	uint64_t enough = rules->keep_last > 0 ? rules->keep_last : 1;
	uint64_t successors;

	if (!backup->meid)
		return (struct retention_decision){ .verdict = RETENTION_UNKNOWN_WATCH };
	successors = count_successors(backups, at, enough, &decision.successor);
	if (is_labelled(backup, rules))
		decision.verdict = RETENTION_LABEL;
	else if (is_young(backup, rules, now))
		decision.verdict = RETENTION_YOUNG;
	else if (successors == 0)
		decision.verdict = RETENTION_NO_SUCCESSOR;
	else if (successors == enough)
		decision.verdict = rules->keep_last > 0 ? RETENTION_BEYOND_LAST : RETENTION_SPARE;
	return decision;
}

void retention_decide(const struct backup *backups, size_t n, const struct retention_rules *rules,
		      uint64_t now, struct retention_decision *decisions)
{
	for (size_t i = 0; i < n; i++)
		decisions[i] = decide(backups, i, rules, now);
}
