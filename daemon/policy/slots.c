/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/slots.h"

#include <errno.h>
#include <string.h>

#include "daemon/policy/rules.h"
#include "protocol/base/strings.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

const char *slot_origin_to_string(enum slot_origin origin)
{
	static const char *const words[] = {
		[SLOT_CONFIGURATION] = "configuration",
		[SLOT_NAMED] = "named",
		[SLOT_PRESENT] = "present",
	};

	return (size_t)origin < ARRAY_SIZE(words) ? words[origin] : NULL;
}

static void slot_clear(struct slot *slot)
{
	free(slot->name);
	free(slot->place);
	free(slot->rule);
	free(slot->clash);
	labels_free(slot->labels, slot->n_labels);
}

void slots_clear(struct slots *slots)
{
	for (size_t i = 0; i < slots->n; i++)
		slot_clear(&slots->list[i]);
	free(slots->list);
	*slots = (struct slots){ 0 };
}

const struct slot *slots_by_name(const struct slots *slots, const char *name)
{
	for (size_t i = 0; i < slots->n; i++)
		if (streq(slots->list[i].name, name))
			return &slots->list[i];
	return NULL;
}

const struct slot *slots_of(const struct slots *slots, const char *place)
{
	for (size_t i = 0; i < slots->n; i++)
		if (streq(slots->list[i].place, place))
			return &slots->list[i];
	return slots_by_name(slots, place);
}

bool slot_is_meant(const struct slot *slot, const struct slot_setting *setting)
{
	return streq(setting->place, slot->place) ||
	       (!setting->name && streq(setting->place, slot->name));
}

const char *slot_path(const struct slot *slot)
{
	return slot_place_is_path(slot->place) || !streq(slot->place, slot->name) ? slot->place
										  : NULL;
}

/* ---- joining ---- */

static int add_slot(struct slots *slots, const char *name, const char *place,
		    enum slot_origin origin, struct slot **ret)
{
	struct slot *grown, slot = { .origin = origin };

	grown = reallocarray(slots->list, slots->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	slots->list = grown;
	if (str_replace(&slot.name, name) < 0 || str_replace(&slot.place, place) < 0) {
		slot_clear(&slot);
		return -ENOMEM;
	}
	grown[slots->n] = slot;
	*ret = &grown[slots->n++];
	return 0;
}

/* Adds a sentence of what does not count. */
static int add_clash(struct slot *slot, char *sentence)
{
	_cleanup_free_ char *own = sentence;
	char *both;

	if (!own)
		return -ENOMEM;
	if (!slot->clash) {
		slot->clash = TAKE_PTR(own);
		return 0;
	}
	both = str_format("%s; %s", slot->clash, own);
	if (!both)
		return -ENOMEM;
	free(slot->clash);
	slot->clash = both;
	return 0;
}

/* Takes over the labels of a setting whose key is still free, as many as fit on an automatic job. */
static int take_labels(struct slot *slot, const struct slot_setting *setting)
{
	for (size_t i = 0; i < setting->n_labels; i++) {
		const struct label *label = &setting->labels[i];
		int r;

		if (labels_get(slot->labels, slot->n_labels, label->key))
			continue;
		if (slot->n_labels == LIMIT_SLOT_LABELS)
			r = add_clash(slot,
				      str_format("it has %u labels already, %s is one too many",
						 LIMIT_SLOT_LABELS, label->key));
		else
			r = labels_add(&slot->labels, &slot->n_labels, label->key, label->value);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What was stored of a place that the configuration speaks of too. */
static int take_stored(struct slot *slot, const struct slot_setting *stored)
{
	const struct slot_setting *configured = slot->configured;
	int r = 0;

	if (stored->name && !streq(stored->name, slot->name))
		r = add_clash(slot, str_format("the configuration calls it so, not %s as stored",
					       stored->name));
	if (r >= 0 && stored->exclusion == SLOT_EXCLUDED) {
		if (configured->exclusion == SLOT_INCLUDED)
			r = add_clash(slot, strdup("the configuration includes it, it is stored as "
						   "excluded"));
		else
			slot->excluded = true;
	}
	if (r >= 0 && stored->rule) {
		if (configured->rule && !streq(configured->rule, stored->rule))
			r = add_clash(slot, str_format("the configuration binds it to rule %s, not "
						       "to %s as stored",
						       configured->rule, stored->rule));
		else
			r = str_replace(&slot->rule, stored->rule);
	}
	return r < 0 ? r : take_labels(slot, stored);
}

static int merge_configured(struct slots *slots, const struct slot_setting *configured,
			    const struct slot_settings *stored)
{
	struct slot *slot;
	int r;

	r = add_slot(slots, configured->name, configured->place, SLOT_CONFIGURATION, &slot);
	if (r < 0)
		return r;
	slot->configured = configured;
	slot->excluded = configured->exclusion == SLOT_EXCLUDED;
	r = str_replace(&slot->rule, configured->rule);
	if (r >= 0)
		r = take_labels(slot, configured);
	for (size_t i = 0; i < stored->n && r >= 0; i++)
		if (slot_is_meant(slot, &stored->list[i]))
			r = take_stored(slot, &stored->list[i]);
	return r;
}

static int merge_stored(struct slots *slots, const struct slot_setting *stored)
{
	const char *name = stored->name ?: stored->place;
	const struct slot *other = slots_by_name(slots, name);
	struct slot *slot;
	int r;

	r = add_slot(slots, other ? stored->place : name, stored->place, SLOT_NAMED, &slot);
	if (r >= 0 && other)
		r = add_clash(slot, str_format("it is stored as %s, which the configuration calls "
					       "another place",
					       name));
	if (r >= 0)
		r = str_replace(&slot->rule, stored->rule);
	if (r < 0)
		return r;
	slot->excluded = stored->exclusion == SLOT_EXCLUDED;
	return take_labels(slot, stored);
}

static bool is_merged(const struct slots *slots, const struct slot_setting *setting)
{
	for (size_t i = 0; i < slots->n; i++)
		if (slots->list[i].configured && slot_is_meant(&slots->list[i], setting))
			return true;
	return false;
}

static int compare_natural(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int merge_present(struct slots *slots, const char *const *present, size_t n_present)
{
	const size_t first = slots->n;
	struct slot *slot;
	int r = 0;

	for (size_t i = 0; i < n_present && r >= 0; i++)
		if (!slots_of(slots, present[i]))
			r = add_slot(slots, present[i], present[i], SLOT_PRESENT, &slot);
	if (r >= 0 && slots->n > first)
		qsort(slots->list + first, slots->n - first, sizeof(*slots->list), compare_natural);
	return r;
}

int slots_merge(const struct slot_settings *configured, const struct slot_settings *stored,
		const char *const *present, size_t n_present, struct slots *ret)
{
	_cleanup_(slots_clear) struct slots slots = { 0 };
	int r = 0;

	for (size_t i = 0; i < configured->n && r >= 0; i++)
		r = merge_configured(&slots, &configured->list[i], stored);
	for (size_t i = 0; i < stored->n && r >= 0; i++)
		if (!is_merged(&slots, &stored->list[i]))
			r = merge_stored(&slots, &stored->list[i]);
	if (r >= 0)
		r = merge_present(&slots, present, n_present);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(slots);
	return 0;
}

int slots_check_rules(struct slots *slots, const struct rules *rules)
{
	int r = 0;

	for (size_t i = 0; i < slots->n && r >= 0; i++) {
		struct slot *slot = &slots->list[i];

		if (slot->rule && !rules_find(rules, slot->rule))
			r = add_clash(slot,
				      str_format("it is bound to rule %s, which there is not: "
						 "no watch is backed up there by itself",
						 slot->rule));
	}
	return r;
}

/* ---- changing ---- */

static int check_name(const struct slots *slots, const struct slot *slot, const char *place,
		      const char *name, struct problem *problem)
{
	const struct slot *other = slots_by_name(slots, name);

	if (!is_plain_name(name, LIMIT_NAME_BYTES))
		return problem_set(problem, "name",
				   "must be a name of up to %u letters, digits and ._+-",
				   LIMIT_NAME_BYTES);
	if (slot_place_is_path(name) && !streq(name, place))
		return problem_set(problem, "name", "looks like the ID_PATH of a port");
	if (slot && slot->configured && !streq(slot->name, name))
		return problem_set(problem, "name",
				   "is given by the configuration: change it there");
	if (other && other != slot)
		return problem_set(problem, "name", "is the name of %s already", other->place);
	return 0;
}

/* Stored, but the configuration calls its place otherwise: nobody sees this name, and it is taken. */
static int check_hidden_name(const struct slot_settings *stored, const char *place,
			     const char *name, struct problem *problem)
{
	const struct slot_setting *other = slot_settings_by_name(stored, name);

	return other && !streq(other->place, place)
		       ? problem_set(problem, "name",
				     "is stored as the name of %s, which the configuration calls "
				     "otherwise: forget that first",
				     other->place)
		       : 0;
}

static int check_change(const struct slots *slots, const struct slot_settings *stored,
			const char *place, const struct slot_change *change,
			struct problem *problem)
{
	const struct slot *slot = slots_of(slots, place);
	const struct slot_setting *configured = slot ? slot->configured : NULL;
	int r;

	if (change->name) {
		r = check_name(slots, slot, place, change->name, problem);
		if (r >= 0)
			r = check_hidden_name(stored, place, change->name, problem);
		if (r < 0)
			return r;
	}
	if (change->before && configured)
		return problem_set(problem, "before",
				   "the configuration says where %s comes: change it there",
				   slot->name);
	if (change->excluded && configured && configured->exclusion != SLOT_EXCLUSION_UNSAID &&
	    *change->excluded != (configured->exclusion == SLOT_EXCLUDED))
		return problem_set(problem, "excluded",
				   "the configuration says it of slot %s: change it there",
				   slot->name);
	if (change->rule && configured && configured->rule &&
	    !streq(configured->rule, change->rule))
		return problem_set(problem, "rule",
				   "the configuration binds slot %s to rule %s: change it there",
				   slot->name, configured->rule);
	for (size_t i = 0; configured && i < change->n_labels; i++)
		for (size_t j = 0; j < configured->n_labels; j++)
			if (streq(change->labels[i].key, configured->labels[j].key))
				return problem_set(problem, "labels",
						   "the configuration sets %s of slot %s: "
						   "change it there",
						   change->labels[i].key, slot->name);
	return 0;
}

static int change_order(const struct slots *slots, struct slot_settings *stored,
			const struct slot_setting *moved, const char *before,
			struct problem *problem)
{
	const struct slot *other = slots_by_name(slots, before);
	struct slot_setting *next = other ? slot_settings_by_place(stored, other->place) : NULL;

	if (!next || other->configured)
		return problem_set(problem, "before",
				   other && other->configured
					   ? "the slots of the configuration come first: "
					     "name one that is stored"
					   : "must be a slot that has been named");
	slot_settings_move(stored, (size_t)(moved - stored->list), (size_t)(next - stored->list));
	return 0;
}

static int change_labels(struct slot_setting *setting, const struct slot_change *change,
			 struct problem *problem)
{
	for (size_t i = 0; i < change->n_labels; i++) {
		int r = labels_set(&setting->labels, &setting->n_labels, change->labels[i].key,
				   change->labels[i].value);

		if (r < 0)
			return r;
	}
	if (setting->n_labels > LIMIT_SLOT_LABELS)
		return problem_set(problem, "labels", "are more than %u", LIMIT_SLOT_LABELS);
	return 0;
}

/* Everything but its name and its order. */
static int change_setting(struct slot_setting *setting, const struct slot_change *change,
			  struct problem *problem)
{
	int r = 0;

	if (change->excluded)
		setting->exclusion = *change->excluded ? SLOT_EXCLUDED : SLOT_EXCLUSION_UNSAID;
	if (change->rule)
		r = str_replace(&setting->rule, *change->rule ? change->rule : NULL);
	return r < 0 ? r : change_labels(setting, change, problem);
}

/* The setting that is stored of place, made where there is none; a first name puts it at the end. */
static int stored_setting(struct slot_settings *stored, const struct slot *slot,
			  const struct slot_change *change, const char *place,
			  struct slot_setting **ret)
{
	struct slot_setting *setting = NULL;

	for (size_t i = 0; i < stored->n && !setting; i++)
		if (slot && slot_is_meant(slot, &stored->list[i]))
			setting = &stored->list[i];
	if (!setting)
		return slot_settings_add(stored, place, NULL, ret);
	if (change->name && !setting->name) {
		slot_settings_move(stored, (size_t)(setting - stored->list), stored->n);
		setting = &stored->list[stored->n - 1];
	}
	*ret = setting;
	return 0;
}

/* A place of which nothing is said any more is forgotten. */
static void drop_if_empty(struct slot_settings *stored, const struct slot_setting *setting)
{
	if (!setting->name && setting->exclusion == SLOT_EXCLUSION_UNSAID && !setting->rule &&
	    setting->n_labels == 0)
		slot_settings_remove(stored, (size_t)(setting - stored->list));
}

int slots_change(const struct slots *slots, const char *place, const struct slot_change *change,
		 struct slot_settings *stored, struct problem *problem)
{
	_cleanup_(slot_settings_clear) struct slot_settings changed = { 0 };
	const struct slot *slot = slots_of(slots, place);
	struct slot_setting *setting;
	int r;

	r = check_change(slots, stored, place, change, problem);
	if (r >= 0)
		r = slot_settings_copy(stored, &changed);
	if (r >= 0)
		r = stored_setting(&changed, slot, change, place, &setting);
	if (r >= 0)
		r = change_setting(setting, change, problem);
	if (r >= 0 && change->name && !(slot && slot->configured))
		r = str_replace(&setting->name, streq(change->name, place) ? NULL : change->name);
	if (r >= 0 && change->before)
		r = change_order(slots, &changed, setting, change->before, problem);
	else if (r >= 0)
		drop_if_empty(&changed, setting);
	if (r < 0)
		return r;
	if (changed.n > LIMIT_SLOTS)
		return problem_set(problem, "slot", "%u places are stored already: forget some",
				   LIMIT_SLOTS);
	slot_settings_clear(stored);
	*stored = changed;
	changed = (struct slot_settings){ 0 };
	return 0;
}
