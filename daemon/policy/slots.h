/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The slots of the bench: what the configuration and `mtkrbctl slot` say of each place, made into
 * one list in the order of the bench. First the configuration's in its own order, then what was
 * stored in the order in which it was named or moved, then what is merely present in natural order.
 * Where both speak of one place, the configuration counts, and the clash is put into words. Pure: no
 * store, no devices.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/policy/slot-settings.h"
#include "protocol/base/cleanup.h"

struct problem;
struct rules;

enum slot_origin {
	SLOT_CONFIGURATION,
	SLOT_NAMED,   /* `mtkrbctl slot` said something of it */
	SLOT_PRESENT, /* a port is there, nothing was said of it */
};

struct slot {
	char *name;
	char *place;
	bool excluded;
	char *rule; /* NULL: not bound */
	struct label *labels;
	size_t n_labels;
	enum slot_origin origin;
	const struct slot_setting *configured; /* borrowed; NULL: the configuration is silent */
	char *clash; /* what was stored and does not count, a sentence; NULL: none */
};

struct slots {
	struct slot *list; /* in bench order, no two with one name */
	size_t n;
};

const char *slot_origin_to_string(enum slot_origin origin);

/*
 * Joins both; places are those of n_present ports that are here now, each once. configured is
 * borrowed by the result. -ENOMEM.
 */
_must_check_ int slots_merge(const struct slot_settings *configured,
			     const struct slot_settings *stored, const char *const *present,
			     size_t n_present, struct slots *ret);
void slots_clear(struct slots *slots);

/* Puts into words which slots are bound to a rule that is not there. -ENOMEM. */
_must_check_ int slots_check_rules(struct slots *slots, const struct rules *rules);

/* NULL when there is none. */
const struct slot *slots_by_name(const struct slots *slots, const char *name);

/* The slot of a port at this place (an attached port may say a slot's name for it); NULL: none. */
const struct slot *slots_of(const struct slots *slots, const char *place);

/*
 * True when a stored setting is about this slot: by its place, or it was said of an attached port
 * that is called as the slot is.
 */
bool slot_is_meant(const struct slot *slot, const struct slot_setting *setting);

/* Its ID_PATH as far as it has one, else NULL. */
const char *slot_path(const struct slot *slot);

/* What is to change of one slot; NULL: that stays. */
struct slot_change {
	const char *name;
	const bool *excluded;
	const char *rule;           /* empty: bound to none any more */
	const char *before;         /* name of the stored slot that it is to come right before */
	const struct label *labels; /* an empty value takes the label away */
	size_t n_labels;
};

/*
 * Changes what is stored of one place; stored is changed only on success. The configuration's word
 * cannot be changed, nor a name given twice. -EBADMSG with *problem in the terms of SetSlot, -ENOMEM.
 */
_must_check_ int slots_change(const struct slots *slots, const char *place,
			      const struct slot_change *change, struct slot_settings *stored,
			      struct problem *problem);
