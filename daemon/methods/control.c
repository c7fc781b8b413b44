/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/methods/control.h"

#include <errno.h>
#include <string.h>

#include "daemon/manager/manager.h"
#include "daemon/methods/follow.h"
#include "daemon/methods/methods.h"
#include "protocol/base/time.h"
#include "protocol/control/error.h"

static const struct method methods[] = {
	{ "GetStatus", method_get_status, 0 },
	{ "ListPorts", method_list_ports, 0 },
	{ "Attach", method_attach, 0 },
	{ "Detach", method_detach, 0 },
	{ "ListSlots", method_list_slots, 0 },
	{ "SetSlot", method_set_slot, 0 },
	{ "ForgetSlot", method_forget_slot, 0 },
	{ "ExplainRules", method_explain_rules, 0 },
	{ "Submit", method_submit, 0 },
	{ "ListJobs", method_list_jobs, METHOD_IS_LONG },
	{ "ListBatches", method_list_batches, METHOD_IS_LONG },
	{ "GetJob", method_get_job, 0 },
	{ "Follow", method_follow, METHOD_NEEDS_MORE },
	{ "Cancel", method_cancel, 0 },
	{ "Retry", method_retry, 0 },
	{ "ListAgents", method_list_agents, 0 },
	{ "AddAgent", method_add_agent, 0 },
	{ "RemoveAgent", method_remove_agent, 0 },
	{ "ListBackups", method_list_backups, METHOD_IS_LONG },
	{ "GetBackup", method_get_backup, 0 },
	{ "VerifyBackup", method_verify_backup, 0 },
	{ "RemoveBackup", method_remove_backup, 0 },
	{ "Prune", method_prune, 0 },
	{ "ListAudit", method_list_audit, METHOD_IS_LONG },
};

/* The way out, where the system's words do not show it. */
static const char *describe(int error)
{
	if (error == -EUCLEAN)
		return "mtkrbd.sqlite, or the disk that it is on, is damaged; stop mtkrbd and move "
		       "the file away: the catalogue is made again from the backups";
	return strerror(-error);
}

static const struct interface interfaces[] = {
	{ CONTROL_INTERFACE, control_interface_description, methods, ARRAY_SIZE(methods),
	  describe },
};

static void on_job_changed(const struct job *job, void *userdata)
{
	struct control *control = userdata;

	follow_job(control->follow, job);
}

static void on_port_changed(const struct port *port, bool gone, void *userdata)
{
	struct control *control = userdata;

	follow_port(control->follow, port, gone);
}

int methods_reply_list(struct call *call, struct manager *manager, list_maker make, void *query,
		       size_t limit)
{
	int r = -EMSGSIZE;

	for (; limit > 0 && r == -EMSGSIZE; limit /= 2) {
		struct json_object *reply;

		r = make(manager, query, limit, &reply);
		if (r >= 0)
			r = call_reply(call, reply);
	}
	return r;
}

int control_new(sd_event *event, struct manager *manager, struct control **ret)
{
	static const struct manager_observer observer = { on_job_changed, on_port_changed };
	_cleanup_(control_freep) struct control *control = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return -ENOMEM;
	*control = (struct control){ .manager = manager, .started = time_now() };
	r = follow_new(manager, &control->follow);
	if (r >= 0)
		r = server_new(event, interfaces, ARRAY_SIZE(interfaces), control,
			       &control->server);
	if (r < 0)
		return r;
	manager_observe(manager, &observer, control);
	*ret = TAKE_PTR(control);
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	manager_observe(control->manager, NULL, NULL);
	server_free(control->server);
	follow_free(control->follow);
	free(control);
}

int control_listen(struct control *control, const char *path)
{
	return server_listen(control->server, path);
}

int control_adopt(struct control *control, int fd)
{
	return server_adopt(control->server, fd);
}
