/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager/manager.h"
#include "daemon/methods/methods.h"
#include "protocol/base/time.h"
#include "protocol/control/message.h"

static int count_jobs(struct manager *manager, struct json_object **ret)
{
	_cleanup_message_ struct json_object *object = NULL;
	uint64_t count[_JOB_STATE_MAX];
	int r;

	r = store_count_jobs(manager_store(manager), count);
	if (r >= 0)
		r = message_build(&object, NULL, 0);
	for (int state = 0; state < _JOB_STATE_MAX && r >= 0; state++)
		r = message_add(object, M_INT(job_state_to_string(state), count[state]));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int count_ended(const struct store_totals *totals, struct json_object **ret)
{
	static const enum job_state states[] = { JOB_DONE, JOB_FAILED, JOB_CANCELLED };
	_cleanup_message_ struct json_object *object = NULL;
	int r = message_build(&object, NULL, 0);

	for (size_t i = 0; i < ARRAY_SIZE(states) && r >= 0; i++)
		r = message_add(object,
				M_INT(job_state_to_string(states[i]), totals->ended[states[i]]));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static const char *optional_time(uint64_t real_usec, char buf[TIME_TEXT_SIZE])
{
	return real_usec ? time_format(real_usec, buf) : NULL;
}

/* Takes jobs, also on failure. */
static int build_status(const struct control *control, const struct store_totals *totals,
			size_t ports, size_t excluded, uint64_t free_bytes,
			struct json_object *jobs, struct json_object **ret)
{
	_cleanup_message_ struct json_object *mine = jobs;
	char last[TIME_TEXT_SIZE], unverified[TIME_TEXT_SIZE];
	struct json_object *ended;
	int r = count_ended(totals, &ended);

	if (r < 0)
		return r;
	return message_build(
		ret, MEMBERS(M_STRING("version", MTKRB_VERSION),
			     M_REAL("uptime", (double)(time_now() - control->started) / 1e6),
			     M_INT("ports", ports), M_INT("excluded", excluded),
			     M_OBJECT("jobs", TAKE_PTR(mine)), M_INT("free", free_bytes),
			     M_INT("backups", totals->backups),
			     M_INT("backup_bytes", totals->backup_bytes),
			     M_INT("damaged", totals->damaged),
			     M_STRING_OPT("last_backup", optional_time(totals->last_backup, last)),
			     M_STRING_OPT("longest_unverified",
					  optional_time(totals->longest_unverified, unverified)),
			     M_OBJECT("ended", ended), M_INT("read_bytes", totals->read_bytes),
			     M_REAL("done_seconds", (double)totals->done_usec / 1e6)));
}

int method_get_status(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	const struct bench *bench = manager_bench(control->manager);
	struct json_object *jobs = NULL, *reply;
	struct store_totals totals;
	struct problem problem;
	uint64_t free_bytes = 0;
	size_t ports = 0, excluded = 0;
	int r;

	if (message_read(parameters, NULL, 0, NULL, &problem) < 0)
		return call_invalid(call, &problem);
	for (size_t i = 0; i < bench->n; i++)
		if (!bench->ports[i]->gone) {
			ports++;
			excluded += bench->ports[i]->excluded;
		}
	r = manager_free_space(control->manager, &free_bytes);
	if (r >= 0)
		r = store_get_totals(manager_store(control->manager), &totals);
	if (r >= 0)
		r = count_jobs(control->manager, &jobs);
	if (r >= 0)
		r = build_status(control, &totals, ports, excluded, free_bytes, jobs, &reply);
	return r < 0 ? r : call_reply(call, reply);
}
