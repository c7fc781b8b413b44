/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager.h"
#include "daemon/methods.h"
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

int method_get_status(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	const struct bench *bench = manager_bench(control->manager);
	struct json_object *jobs = NULL, *reply;
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
		r = count_jobs(control->manager, &jobs);
	if (r < 0)
		return r;
	r = message_build(&reply,
			  MEMBERS(M_STRING("version", MTKRB_VERSION),
				  M_REAL("uptime", (double)(time_now() - control->started) / 1e6),
				  M_INT("ports", ports), M_INT("excluded", excluded),
				  M_OBJECT("jobs", jobs), M_INT("free", free_bytes)));
	return r < 0 ? r : call_reply(call, reply);
}
