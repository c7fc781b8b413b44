/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What others ask of the places of the bench, and what that means for the ports in them. */

#include "daemon/manager/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "protocol/base/strings.h"
#include "protocol/control/message.h"

#define JOBS_NAMED 4 /* of those that hold up a new name; the rest is counted */

/* ---- what a slot says becomes true of the port in it ---- */

static void exclude(struct manager *manager, struct bench_port *port)
{
	port->excluded = true;
	port->lost = false;
	if (port->worker) {
		/* What becomes of port and job is seen to when it has ended. */
		worker_stop(port->worker);
		return;
	}
	bench_port_forget(port);
	ports_rest(port);
	manager_port_changed(manager, port, false);
}

static void include(struct manager *manager, struct bench_port *port)
{
	port->excluded = false;
	if (port->worker)
		return;
	ports_rest(port);
	manager_port_changed(manager, port, false);
}

/* A job that asks for a slot, or is in it, would never find it again under another name. */
static bool is_tied_to(const struct job *job, const char *slot)
{
	return streq_ptr(job->request.slot, slot) || streq_ptr(job->port.slot, slot);
}

/* The configuration may take a name away that jobs need; a user may not (check_jobs). */
static void warn_jobs(const struct manager *manager, const char *slot)
{
	size_t n;
	const struct job *const *jobs = queue_jobs(manager->queue, &n);

	for (size_t i = 0; i < n; i++)
		if (is_tied_to(jobs[i], slot))
			log_event(LOG_WARNING,
				  &(struct log_context){ .job = jobs[i]->id, .slot = slot },
				  "it needs a slot that is not called so any more: give the name "
				  "back, or cancel it");
}

static void apply_to(struct manager *manager, struct bench_port *port)
{
	const struct slot *slot = slots_of(&manager->slots, port->place);
	const char *name = slot ? slot->name : port->place;
	bool excluded = slot && slot->excluded;

	if (!streq(port->port.slot, name)) {
		log_event(LOG_INFO, &(struct log_context){ .slot = name },
			  "%s was called %s until now", port->port.device, port->port.slot);
		warn_jobs(manager, port->port.slot);
		if (str_replace(&port->port.slot, name) >= 0)
			manager_port_changed(manager, port, false);
	}
	if (excluded && !port->excluded)
		exclude(manager, port);
	else if (!excluded && port->excluded)
		include(manager, port);
}

/* Everybody hears of what was stored and does not count; which is not an error of anybody's. */
static void log_clashes(const struct slots *slots)
{
	for (size_t i = 0; i < slots->n; i++)
		if (slots->list[i].clash)
			log_event(LOG_WARNING, &(struct log_context){ .slot = slots->list[i].name },
				  "%s", slots->list[i].clash);
}

static int merge(const struct manager *manager, const char *const *present, size_t n,
		 struct slots *ret)
{
	int r = slots_merge(&manager->config.slots, &manager->stored_slots, present, n, ret);

	if (r < 0)
		return r;
	r = slots_check_rules(ret, &manager->config.rules);
	if (r < 0)
		slots_clear(ret);
	return r;
}

/* Joins configuration and store anew, and lets the ports that are here have what that says. */
static void apply(struct manager *manager)
{
	struct slots slots;

	if (merge(manager, NULL, 0, &slots) < 0) {
		log_error("out of memory: the slots stay as they were");
		return;
	}
	slots_clear(&manager->slots);
	manager->slots = slots;
	for (size_t i = 0; i < manager->bench.n; i++)
		if (!manager->bench.ports[i]->gone)
			apply_to(manager, manager->bench.ports[i]);
	manager_schedule(manager);
}

void places_configured(struct manager *manager)
{
	apply(manager);
	log_clashes(&manager->slots);
}

int places_load(struct manager *manager)
{
	int r = store_load_slots(manager->store, &manager->stored_slots);

	if (r >= 0)
		places_configured(manager);
	return r;
}

/* ---- looking ---- */

int manager_list_slots(const struct manager *manager, struct slots *ret)
{
	_cleanup_free_ const char **places = calloc(manager->bench.n + 1, sizeof(*places));
	size_t n = 0;

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < manager->bench.n; i++)
		if (!manager->bench.ports[i]->gone)
			places[n++] = manager->bench.ports[i]->place;
	return merge(manager, places, n, ret);
}

const struct port *manager_port_in(const struct manager *manager, const struct slot *slot)
{
	const struct bench_port *port = bench_by_slot(&manager->bench, slot->name);

	return port ? &port->port : NULL;
}

bool manager_slot_is_excluded(const struct manager *manager, const char *name)
{
	const struct slot *slot = slots_by_name(&manager->slots, name);

	return slot && slot->excluded;
}

/* ---- changing ---- */

static int check_rule(const struct manager *manager, const char *rule, struct problem *problem)
{
	return !rule || !*rule || rules_find(&manager->config.rules, rule)
		       ? 0
		       : problem_set(problem, "rule", "there is no [rule %s] in the configuration",
				     rule);
}

/* The place that a user means by a slot's name, the device in it, or an ID_PATH. -ENOENT. */
static int find_place(const struct manager *manager, const struct slots *slots, const char *said,
		      char **ret)
{
	_cleanup_free_ char *place = slot_place_of(said);
	const struct bench_port *port = bench_by_device(&manager->bench, said);
	const struct slot *slot = slots_of(slots, said);

	if (!place)
		return -ENOMEM;
	if (!slot)
		slot = slots_of(slots, port ? port->place : place);
	if (slot)
		return str_replace(ret, slot->place);
	if (!is_plain_name(place, CONFIG_PLACE_BYTES) || !slot_place_is_path(place))
		return -ENOENT;
	*ret = TAKE_PTR(place);
	return 0;
}

static int check_jobs(const struct manager *manager, const char *slot, struct problem *problem)
{
	size_t n, tied = 0;
	const struct job *const *jobs = queue_jobs(manager->queue, &n);
	char ids[JOBS_NAMED * 22] = "";

	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(ids);

		if (!is_tied_to(jobs[i], slot))
			continue;
		if (tied++ < JOBS_NAMED)
			(void)snprintf(ids + used, sizeof(ids) - used, "%s%" PRId64,
				       used ? ", " : "", jobs[i]->id);
	}
	if (tied == 0)
		return 0;
	return problem_set(problem, "slot",
			   "%s keeps its name until the jobs that need it have ended or are "
			   "cancelled: %s%s",
			   slot, ids, tied > JOBS_NAMED ? ", ..." : "");
}

/* "name=left excluded=yes rule=slow", for the audit; NULL when out of memory. */
static char *describe(const struct slot_change *change)
{
	_cleanup_free_ char *labels = strdup("");

	for (size_t i = 0; i < change->n_labels && labels; i++) {
		char *more = str_format("%s label %s=%s", labels, change->labels[i].key,
					change->labels[i].value);

		free(labels);
		labels = more;
	}
	if (!labels)
		return NULL;
	return str_format("%s%s%s%s%s%s%s%s", change->name ? "name=" : "", change->name ?: "",
			  !change->excluded   ? ""
			  : *change->excluded ? " excluded=yes"
					      : " excluded=no",
			  change->rule ? " rule=" : "", change->rule ?: "",
			  change->before ? " before=" : "", change->before ?: "", labels);
}

/* Stores what was decided and lets it be true; takes settings on success. */
static int replace_stored(struct manager *manager, struct slot_settings *settings, uid_t uid,
			  const char *slot, const char *detail)
{
	int r = store_save_slots(manager->store, settings, uid, slot, detail + strspn(detail, " "));

	if (r < 0)
		return r;
	slot_settings_clear(&manager->stored_slots);
	manager->stored_slots = *settings;
	*settings = (struct slot_settings){ 0 };
	apply(manager);
	return 0;
}

static int name_of_place(const struct manager *manager, const char *place, char **ret)
{
	const struct slot *slot = slots_of(&manager->slots, place);

	*ret = strdup(slot ? slot->name : place);
	return *ret ? 0 : -ENOMEM;
}

int manager_set_slot(struct manager *manager, const char *said, const struct slot_change *change,
		     uid_t uid, char **ret, struct problem *problem)
{
	_cleanup_free_ char *detail = describe(change);
	_cleanup_(slot_settings_clear) struct slot_settings settings = { 0 };
	_cleanup_(slots_clear) struct slots slots = { 0 };
	_cleanup_free_ char *place = NULL;
	const struct slot *slot;
	int r;

	if (!detail)
		return -ENOMEM;
	r = manager_list_slots(manager, &slots);
	if (r >= 0)
		r = find_place(manager, &slots, said, &place);
	if (r >= 0)
		r = slot_settings_copy(&manager->stored_slots, &settings);
	if (r >= 0)
		r = check_rule(manager, change->rule, problem);
	if (r >= 0)
		r = slots_change(&slots, place, change, &settings, problem);
	if (r < 0)
		return r;
	slot = slots_of(&slots, place);
	if (slot && change->name && !streq(change->name, slot->name))
		r = check_jobs(manager, slot->name, problem);
	if (r >= 0)
		r = replace_stored(manager, &settings, uid, slot ? slot->name : place, detail);
	return r < 0 ? r : name_of_place(manager, place, ret);
}

int manager_forget_slot(struct manager *manager, const char *said, uid_t uid,
			struct problem *problem)
{
	_cleanup_(slot_settings_clear) struct slot_settings settings = { 0 };
	_cleanup_(slots_clear) struct slots slots = { 0 };
	_cleanup_free_ char *place = NULL;
	const struct slot *slot;
	int r;

	r = manager_list_slots(manager, &slots);
	if (r >= 0)
		r = find_place(manager, &slots, said, &place);
	if (r >= 0)
		r = slot_settings_copy(&manager->stored_slots, &settings);
	if (r < 0)
		return r;
	slot = slots_of(&slots, place);
	if (slot && !slot->configured && !streq(slot->name, slot->place))
		r = check_jobs(manager, slot->name, problem);
	if (r < 0)
		return r;
	for (size_t i = settings.n; i > 0; i--)
		if (slot && slot_is_meant(slot, &settings.list[i - 1]))
			slot_settings_remove(&settings, i - 1);
	if (slot && settings.n < manager->stored_slots.n)
		return replace_stored(manager, &settings, uid, slot->name, "forgotten");
	return slot && slot->configured
		       ? problem_set(problem, "slot", "is of the configuration: take it out there")
		       : -ENOENT;
}
