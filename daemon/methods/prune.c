/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/auth.h"
#include "daemon/manager/manager.h"
#include "daemon/manager/prune.h"
#include "daemon/methods/methods.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

/* A call whose answer is gathered watch by watch. */
struct pruning {
	struct call *call;
	struct json_object *backups;
	bool more;
};

static void pruning_free(struct pruning *pruning)
{
	call_unref(pruning->call);
	message_unref(pruning->backups);
	free(pruning);
}

static void on_decided(const struct backup *backup, const struct retention_decision *decision,
		       void *userdata)
{
	struct pruning *pruning = userdata;
	struct json_object *object;
	int r;

	if (message_length(pruning->backups) == LIMIT_LIST) {
		pruning->more = true;
		return;
	}
	r = message_build(
		&object, MEMBERS(M_STRING("backup", backup->id),
				 M_BOOL("goes", decision->verdict == RETENTION_BEYOND_LAST),
				 M_BOOL("spare", decision->verdict == RETENTION_SPARE),
				 M_STRING("reason", retention_verdict_to_string(decision->verdict)),
				 M_STRING_OPT("successor",
					      decision->successor ? decision->successor->id : NULL),
				 M_INT("size", backup->size)));
	if (r < 0 || message_append(pruning->backups, object) < 0)
		pruning->more = true;
}

static void on_ended(int error, void *userdata)
{
	struct pruning *pruning = userdata;
	struct json_object *reply;
	int r;

	if (error < 0) {
		r = error_failed("a backup cannot be removed; the daemon's log says why", &reply);
		if (r >= 0)
			(void)call_error(pruning->call, ERROR_FAILED, reply);
	} else {
		r = message_build(&reply,
				  MEMBERS(M_OBJECT("backups", message_ref(pruning->backups)),
					  pruning->more ? M_BOOL("more", true) : M_NONE));
		if (r >= 0)
			(void)call_reply(pruning->call, reply);
	}
	pruning_free(pruning);
}

static int reply_busy(struct call *call)
{
	struct json_object *error;
	int r = error_limit_reached("prunings", 1, &error);

	return r < 0 ? r : call_error(call, ERROR_LIMIT_REACHED, error);
}

int method_prune(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = { { .name = "dry_run", .type = FIELD_BOOL } };
	static const struct prune_handler handler = { on_decided, on_ended };
	struct control *control = userdata;
	struct pruning *pruning;
	struct problem problem;
	bool dry_run = false;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &dry_run, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r < 0)
		return r;
	if (!dry_run && !auth_may_control(call_uid(call), getuid()))
		return -EPERM;
	pruning = calloc(1, sizeof(*pruning));
	if (!pruning)
		return -ENOMEM;
	pruning->call = call_ref(call);
	r = message_new_array(&pruning->backups);
	if (r >= 0)
		r = pruner_run(manager_pruner(control->manager), call_uid(call), dry_run, &handler,
			       pruning);
	if (r < 0)
		pruning_free(pruning);
	return r == -EBUSY ? reply_busy(call) : r;
}
