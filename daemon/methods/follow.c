/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/methods/follow.h"

#include <errno.h>
#include <string.h>

#include "daemon/manager/manager.h"
#include "daemon/server/session.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

#define CHANGED_MAX  (LIMIT_QUEUED_JOBS + 1000U) /* names kept for a follower that does not read */
#define TOLD_AT_ONCE 16U /* jobs told in one turn of the loop: the others are to have theirs */

struct follower {
	struct follow *follow;
	struct follower *next;
	struct call *call;
	int64_t *ids; /* jobs that have not ended yet; NULL: everything is followed */
	size_t n_ids;
	int64_t *changed; /* jobs whose newest state is still to be told */
	size_t n_changed, room_changed;
	char **slots; /* ports likewise */
	size_t n_slots;
	bool over; /* its last answer was given, or none can be */
};

struct follow {
	struct manager *manager;
	struct follower *followers;
};

int follow_new(struct manager *manager, struct follow **ret)
{
	struct follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return -ENOMEM;
	follow->manager = manager;
	*ret = follow;
	return 0;
}

static void follower_free(struct follower *follower)
{
	for (struct follower **link = &follower->follow->followers; *link; link = &(*link)->next)
		if (*link == follower) {
			*link = follower->next;
			break;
		}
	call_unref(follower->call);
	for (size_t i = 0; i < follower->n_slots; i++)
		free(follower->slots[i]);
	free(follower->slots);
	free(follower->changed);
	free(follower->ids);
	free(follower);
}

void follow_free(struct follow *follow)
{
	if (!follow)
		return;
	while (follow->followers)
		follower_free(follow->followers);
	free(follow);
}

/* ---- answers ---- */

static int job_parameters(const struct job *job, struct json_object **ret)
{
	struct json_object *object;
	int r = job_to_json(job, &object);

	return r < 0 ? r : message_build(ret, MEMBERS(M_OBJECT("job", object)));
}

static int port_parameters(const struct port *port, struct json_object **ret)
{
	struct json_object *object;
	int r = port_to_json(port, &object);

	return r < 0 ? r : message_build(ret, MEMBERS(M_OBJECT("port", object)));
}

/* The job's end may be the follower's: then it is the last answer. */
static void send_job(struct follower *follower, const struct job *job)
{
	struct json_object *parameters;
	bool last = false;

	if (follower->ids && job_state_is_final(job->state)) {
		for (size_t i = 0; i < follower->n_ids; i++)
			if (follower->ids[i] == job->id)
				follower->ids[i] = follower->ids[--follower->n_ids];
		last = follower->n_ids == 0;
	}
	if (job_parameters(job, &parameters) < 0) {
		follower->over = true;
		return;
	}
	if (last)
		(void)call_reply(follower->call, parameters);
	else if (call_reply_continues(follower->call, parameters) < 0)
		last = true;
	follower->over |= last;
}

static void send_port(struct follower *follower, const struct port *port)
{
	struct json_object *parameters;

	if (port_parameters(port, &parameters) < 0 ||
	    call_reply_continues(follower->call, parameters) < 0)
		follower->over = true;
}

/* ---- what is still to be told ---- */

static void too_slow(struct follower *follower)
{
	struct json_object *parameters;

	if (error_limit_reached("unread changes", CHANGED_MAX, &parameters) >= 0)
		(void)call_error(follower->call, ERROR_LIMIT_REACHED, parameters);
	follower->over = true;
}

static bool make_room(struct follower *follower)
{
	size_t room = MAX_OF(follower->room_changed * 2, (size_t)16);
	int64_t *grown;

	if (follower->n_changed < follower->room_changed)
		return true;
	grown = reallocarray(follower->changed, room, sizeof(*grown));
	if (!grown)
		return false;
	follower->changed = grown;
	follower->room_changed = room;
	return true;
}

/* One that is not remembered yet. */
static void remember_new_job(struct follower *follower, int64_t id)
{
	if (follower->n_changed == CHANGED_MAX || !make_room(follower)) {
		too_slow(follower);
		return;
	}
	follower->changed[follower->n_changed++] = id;
}

static void remember_job(struct follower *follower, int64_t id)
{
	for (size_t i = follower->n_changed; i > 0; i--)
		if (follower->changed[i - 1] == id)
			return;
	remember_new_job(follower, id);
}

static void remember_port(struct follower *follower, const char *slot)
{
	char **grown;

	for (size_t i = 0; i < follower->n_slots; i++)
		if (streq(follower->slots[i], slot))
			return;
	grown = reallocarray(follower->slots, follower->n_slots + 1, sizeof(*grown));
	if (!grown)
		return;
	follower->slots = grown;
	grown[follower->n_slots] = strdup(slot);
	if (grown[follower->n_slots])
		follower->n_slots++;
}

static void tell_changed_ports(struct follower *follower)
{
	const struct bench *bench = manager_bench(follower->follow->manager);

	while (follower->n_slots > 0 && !follower->over &&
	       call_output_pending(follower->call) == 0) {
		char *slot = follower->slots[--follower->n_slots];
		const struct bench_port *port = bench_by_slot(bench, slot);

		if (port)
			send_port(follower, &port->port);
		free(slot);
	}
}

/*
 * Tells the newest state of what has changed, oldest change first, until the connection is full or
 * it is the others' turn.
 */
static void tell_changed(struct follower *follower)
{
	size_t told = 0;

	tell_changed_ports(follower);
	while (told < MIN_OF(follower->n_changed, (size_t)TOLD_AT_ONCE) && !follower->over &&
	       call_output_pending(follower->call) == 0) {
		struct job job = { 0 };

		if (manager_get_job(follower->follow->manager, follower->changed[told++], &job) >=
		    0)
			send_job(follower, &job);
		job_clear(&job);
	}
	follower->n_changed -= told;
	/* Without any there may be no array at all. */
	if (told > 0)
		memmove(follower->changed, follower->changed + told,
			follower->n_changed * sizeof(*follower->changed));
	if (follower->n_changed > 0 && call_output_pending(follower->call) == 0)
		call_drain_soon(follower->call);
}

static void settle(struct follower *follower)
{
	if (follower->over)
		follower_free(follower);
}

static void on_drained(_unused_ struct call *call, void *userdata)
{
	tell_changed(userdata);
	settle(userdata);
}

static void on_gone(_unused_ struct call *call, void *userdata)
{
	follower_free(userdata);
}

/* ---- beginning ---- */

static int check_ids(struct follow *follow, const int64_t *ids, size_t n, int64_t *ret_unknown)
{
	for (size_t i = 0; i < n; i++) {
		struct job job = { 0 };
		int r = manager_get_job(follow->manager, ids[i], &job);

		job_clear(&job);
		if (r < 0) {
			*ret_unknown = ids[i];
			return r;
		}
	}
	return 0;
}

static bool follows(const struct follower *follower, int64_t id)
{
	for (size_t i = 0; i < follower->n_ids; i++)
		if (follower->ids[i] == id)
			return true;
	return !follower->ids;
}

static int remember_ids(struct follower *follower, const int64_t *ids, size_t n)
{
	if (n == 0)
		return 0;
	follower->ids = calloc(n, sizeof(*follower->ids));
	if (!follower->ids)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!follows(follower, ids[i])) {
			follower->ids[follower->n_ids++] = ids[i];
			remember_new_job(follower, ids[i]);
		}
	return 0;
}

static void remember_everything(struct follower *follower)
{
	struct manager *manager = follower->follow->manager;
	const struct bench *bench = manager_bench(manager);
	const struct job *const *jobs;
	size_t n;

	for (size_t i = 0; i < bench->n; i++)
		if (!bench->ports[i]->gone)
			remember_port(follower, bench->ports[i]->port.slot);
	jobs = manager_unfinished(manager, &n);
	for (size_t i = 0; i < n; i++)
		remember_new_job(follower, jobs[i]->id);
}

int follow_add(struct follow *follow, struct call *call, const int64_t *ids, size_t n,
	       int64_t *ret_unknown)
{
	struct follower *follower;
	int r;

	r = check_ids(follow, ids, n, ret_unknown);
	if (r < 0)
		return r;
	follower = calloc(1, sizeof(*follower));
	if (!follower)
		return -ENOMEM;
	*follower = (struct follower){ .follow = follow, .next = follow->followers };
	follow->followers = follower;
	follower->call = call_ref(call);
	if (n == 0)
		remember_everything(follower);
	r = remember_ids(follower, ids, n);
	if (r < 0) {
		follower_free(follower);
		return r;
	}
	call_set_gone_callback(call, on_gone, follower);
	call_set_drain_callback(call, on_drained, follower);
	tell_changed(follower);
	settle(follower);
	return 0;
}

/* ---- news ---- */

static bool can_take_more(const struct follower *follower)
{
	return follower->n_changed == 0 && call_output_pending(follower->call) == 0;
}

void follow_job(struct follow *follow, const struct job *job)
{
	struct follower *next;

	for (struct follower *follower = follow->followers; follower; follower = next) {
		next = follower->next;
		if (!follows(follower, job->id))
			continue;
		if (can_take_more(follower))
			send_job(follower, job);
		else
			remember_job(follower, job->id);
		settle(follower);
	}
}

void follow_port(struct follow *follow, const struct port *port, bool gone)
{
	struct follower *next;

	for (struct follower *follower = follow->followers; follower; follower = next) {
		next = follower->next;
		if (follower->ids)
			continue;
		if (gone || can_take_more(follower))
			send_port(follower, port);
		else
			remember_port(follower, port->slot);
		settle(follower);
	}
}
