/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/complaint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "protocol/control/message.h"

#define HINT_VERSIONS \
	"'mtkrbctl --version' and 'mtkrbctl status' tell whether client and daemon match"

void complaint_clear(struct complaint *complaint)
{
	free(complaint->message);
	free(complaint->hint);
	*complaint = (struct complaint){ 0 };
}

int complaint_set(struct complaint *complaint, enum exit_status status, const char *hint,
		  const char *format, ...)
{
	va_list ap;
	char *message;

	va_start(ap, format);
	if (vasprintf(&message, format, ap) < 0)
		message = NULL;
	va_end(ap);
	complaint_clear(complaint);
	complaint->status = status;
	complaint->message = message;
	complaint->hint = hint ? strdup(hint) : NULL;
	return -ECANCELED;
}

void complaint_hint(struct complaint *complaint, const char *format, ...)
{
	va_list ap;
	char *hint;

	va_start(ap, format);
	if (vasprintf(&hint, format, ap) >= 0) {
		free(complaint->hint);
		complaint->hint = hint;
	}
	va_end(ap);
}

/* Borrowed text of a parameter, "?" where the daemon left it out. */
static const char *parameter_text(struct json_object *parameters, const char *name)
{
	const char *s = message_string(message_member(parameters, name));

	return s ? s : "?";
}

static int64_t parameter_int(struct json_object *parameters, const char *name)
{
	int64_t value = 0;

	if (message_int(message_member(parameters, name), &value) < 0)
		return 0;
	return value;
}

static int no_such_job(struct complaint *complaint, const char *method _unused_,
		       struct json_object *parameters)
{
	return complaint_set(complaint, STATUS_NOT_FOUND, "'mtkrbctl jobs --all' lists all jobs",
			     "no such job: %" PRId64, parameter_int(parameters, "id"));
}

static int no_such_backup(struct complaint *complaint, const char *method _unused_,
			  struct json_object *parameters)
{
	return complaint_set(complaint, STATUS_NOT_FOUND, "'mtkrbctl backups' lists all backups",
			     "no such backup: %s", parameter_text(parameters, "id"));
}

static int no_such_port(struct complaint *complaint, const char *method,
			struct json_object *parameters)
{
	if (streq(method, "Attach"))
		return complaint_set(complaint, STATUS_NOT_FOUND,
				     "is it plugged in? 'mtkrbctl doctor' looks for the cause",
				     "no such device: %s", parameter_text(parameters, "device"));
	return complaint_set(complaint, STATUS_NOT_FOUND,
			     "'mtkrbctl ports' lists the ports the daemon knows",
			     "no such port: %s", parameter_text(parameters, "device"));
}

static int no_such_agent(struct complaint *complaint, const char *method _unused_,
			 struct json_object *parameters)
{
	return complaint_set(complaint, STATUS_NOT_FOUND,
			     "'mtkrbctl da' lists the files the daemon keeps",
			     "no such download agent: %s", parameter_text(parameters, "name"));
}

static int no_such_slot(struct complaint *complaint, const char *method _unused_,
			struct json_object *parameters)
{
	return complaint_set(complaint, STATUS_NOT_FOUND, "'mtkrbctl slot' lists the slots",
			     "no such slot: %s", parameter_text(parameters, "slot"));
}

static int invalid_request(struct complaint *complaint, const char *method,
			   struct json_object *parameters)
{
	const char *hint =
		streq(method, "Attach")
			? "'mtkrbctl ports' shows the bench; 'mtkrbctl detach' takes a port off it"
			: NULL;

	return complaint_set(
		complaint, STATUS_REFUSED, hint, "the daemon refused the request: %s: %s",
		parameter_text(parameters, "field"), parameter_text(parameters, "message"));
}

static int wrong_state(struct complaint *complaint, const char *method,
		       struct json_object *parameters)
{
	int64_t id = parameter_int(parameters, "id");
	const char *state = parameter_text(parameters, "state");

	if (streq(method, "Cancel"))
		return complaint_set(complaint, STATUS_REFUSED,
				     "only a job that has not ended can be cancelled",
				     "cannot cancel job %" PRId64 ": it is %s", id, state);
	if (streq(method, "Retry"))
		return complaint_set(complaint, STATUS_REFUSED,
				     "only a failed or cancelled job can be tried again; "
				     "'mtkrbctl submit' makes a new one",
				     "cannot retry job %" PRId64 ": it is %s", id, state);
	return complaint_set(complaint, STATUS_REFUSED, NULL,
			     "job %" PRId64 " is %s: the daemon refused %s", id, state, method);
}

static int limit_reached(struct complaint *complaint, const char *method _unused_,
			 struct json_object *parameters)
{
	const char *limit = parameter_text(parameters, "limit");
	const char *hint =
		streq(limit, "connections")
			? "end some of your other clients of the daemon"
			: "wait until some of what is queued has ended, or cancel some of it";

	return complaint_set(complaint, STATUS_REFUSED, hint,
			     "the daemon refused the request: limit %s (%" PRId64 ") reached",
			     limit, parameter_int(parameters, "value"));
}

static int permission_denied(struct complaint *complaint, const char *method,
			     struct json_object *parameters _unused_)
{
	return complaint_set(complaint, STATUS_NOT_PERMITTED,
			     "only root and the owner may do this; 'mtkrbctl show ID' names a "
			     "job's owner",
			     "%s: the daemon does not permit it", method);
}

static int daemon_failed(struct complaint *complaint, const char *method,
			 struct json_object *parameters)
{
	return complaint_set(
		complaint, STATUS_REFUSED, "the daemon's log may tell more: journalctl -u mtkrbd",
		"the daemon could not do %s: %s", method, parameter_text(parameters, "message"));
}

static int unknown_method(struct complaint *complaint, const char *method,
			  struct json_object *parameters _unused_)
{
	return complaint_set(complaint, STATUS_REFUSED, HINT_VERSIONS,
			     "the daemon does not know the method %s", method);
}

static int invalid_parameter(struct complaint *complaint, const char *method,
			     struct json_object *parameters)
{
	return complaint_set(complaint, STATUS_REFUSED, HINT_VERSIONS,
			     "the daemon refused %s: it does not accept the parameter %s", method,
			     parameter_text(parameters, "parameter"));
}

static const struct {
	const char *error;
	int (*put)(struct complaint *complaint, const char *method, struct json_object *parameters);
} errors[] = {
	{ ERROR_NO_SUCH_JOB, no_such_job },
	{ ERROR_NO_SUCH_BACKUP, no_such_backup },
	{ ERROR_NO_SUCH_PORT, no_such_port },
	{ ERROR_NO_SUCH_AGENT, no_such_agent },
	{ ERROR_NO_SUCH_SLOT, no_such_slot },
	{ ERROR_INVALID_REQUEST, invalid_request },
	{ ERROR_WRONG_STATE, wrong_state },
	{ ERROR_LIMIT_REACHED, limit_reached },
	{ ERROR_FAILED, daemon_failed },
	{ ERROR_PERMISSION_DENIED, permission_denied },
	{ ERROR_INVALID_PARAMETER, invalid_parameter },
	{ ERROR_METHOD_NOT_FOUND, unknown_method },
	{ ERROR_METHOD_NOT_IMPLEMENTED, unknown_method },
	{ ERROR_INTERFACE_NOT_FOUND, unknown_method },
};

int complaint_from_error(struct complaint *complaint, const char *method, const char *error,
			 struct json_object *parameters)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (streq(error, errors[i].error))
			return errors[i].put(complaint, method, parameters);
	return complaint_set(complaint, STATUS_REFUSED, HINT_VERSIONS, "the daemon refused %s: %s",
			     method, error);
}
