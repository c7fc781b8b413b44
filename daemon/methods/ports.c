/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "daemon/manager/manager.h"
#include "daemon/methods/methods.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "protocol/control/limits.h"
#include "protocol/control/message.h"

int method_list_ports(struct call *call, struct json_object *parameters, void *userdata)
{
	struct control *control = userdata;
	const struct bench *bench = manager_bench(control->manager);
	_cleanup_message_ struct json_object *ports = NULL;
	struct json_object *port, *reply;
	struct problem problem;
	int r;

	if (message_read(parameters, NULL, 0, NULL, &problem) < 0)
		return call_invalid(call, &problem);
	r = message_new_array(&ports);
	for (size_t i = 0; i < bench->n && r >= 0; i++) {
		if (bench->ports[i]->gone)
			continue;
		r = port_to_json(&bench->ports[i]->port, &port);
		if (r >= 0)
			r = message_append(ports, port);
	}
	if (r >= 0)
		r = message_build(&reply, MEMBERS(M_OBJECT("ports", TAKE_PTR(ports))));
	return r < 0 ? r : call_reply(call, reply);
}

struct attach {
	char *device;
	char *mode;
	char *slot;
};

static void attach_clear(struct attach *attach)
{
	free(attach->device);
	free(attach->mode);
	free(attach->slot);
}

static int check_attach(const struct attach *attach, struct problem *problem)
{
	if (attach->device[0] != '/')
		return problem_set(problem, "device", "must be an absolute path");
	if (attach->mode && !streq(attach->mode, "auto") && !streq(attach->mode, "brom") &&
	    !streq(attach->mode, "preloader"))
		return problem_set(problem, "mode", "must be auto, brom or preloader");
	if (attach->slot && !is_plain_name(attach->slot, LIMIT_NAME_BYTES))
		return problem_set(problem, "slot", "must be a plain name of at most %u characters",
				   LIMIT_NAME_BYTES);
	return 0;
}

static int attach_failed(struct call *call, const struct attach *attach, int error)
{
	struct json_object *parameters;
	struct problem problem;
	int r;

	if (error == -ENOENT || error == -ENOTDIR) {
		r = error_no_such_port(attach->device, &parameters);
		return r < 0 ? r : call_error(call, ERROR_NO_SUCH_PORT, parameters);
	}
	if (error == -EEXIST)
		(void)problem_set(&problem, "device", "%s or its slot is on the bench already",
				  attach->device);
	else if (error == -ENOTTY)
		(void)problem_set(&problem, "device", "%s is not a serial device", attach->device);
	else
		return error;
	r = error_invalid_request(&problem, &parameters);
	return r < 0 ? r : call_error(call, ERROR_INVALID_REQUEST, parameters);
}

int method_attach(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = {
		{ .name = "device",
		  .type = FIELD_STRING,
		  .flags = FIELD_REQUIRED,
		  .min = 1,
		  .max = LIMIT_DEVICE_BYTES,
		  .offset = offsetof(struct attach, device) },
		{ .name = "mode",
		  .type = FIELD_STRING,
		  .max = LIMIT_NAME_BYTES,
		  .offset = offsetof(struct attach, mode) },
		{ .name = "slot",
		  .type = FIELD_STRING,
		  .min = 1,
		  .max = LIMIT_NAME_BYTES,
		  .offset = offsetof(struct attach, slot) },
	};
	struct control *control = userdata;
	_cleanup_(attach_clear) struct attach attach = { 0 };
	struct json_object *object, *reply;
	struct problem problem;
	const struct port *port;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &attach, &problem);
	if (r >= 0)
		r = check_attach(&attach, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = manager_attach(control->manager, attach.device, attach.mode, attach.slot,
				   &port);
	if (r < 0)
		return attach_failed(call, &attach, r);
	manager_audit(control->manager, call_uid(call), AUDIT_ATTACH, attach.device, port->slot);
	r = port_to_json(port, &object);
	if (r >= 0)
		r = message_build(&reply, MEMBERS(M_OBJECT("port", object)));
	return r < 0 ? r : call_reply(call, reply);
}

int method_detach(struct call *call, struct json_object *parameters, void *userdata)
{
	static const struct field fields[] = {
		{ .name = "device",
		  .type = FIELD_STRING,
		  .flags = FIELD_REQUIRED,
		  .min = 1,
		  .max = LIMIT_DEVICE_BYTES },
	};
	struct control *control = userdata;
	_cleanup_free_ char *device = NULL;
	struct json_object *error;
	struct problem problem;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &device, &problem);
	if (r == -EBADMSG)
		return call_invalid(call, &problem);
	if (r >= 0)
		r = manager_detach(control->manager, device);
	if (r == -ENOENT) {
		r = error_no_such_port(device, &error);
		return r < 0 ? r : call_error(call, ERROR_NO_SUCH_PORT, error);
	}
	if (r == -EPERM) {
		(void)problem_set(&problem, "device", "%s was found by udev: unplug it instead",
				  device);
		r = error_invalid_request(&problem, &error);
		return r < 0 ? r : call_error(call, ERROR_INVALID_REQUEST, error);
	}
	if (r < 0)
		return r;
	manager_audit(control->manager, call_uid(call), AUDIT_DETACH, device, NULL);
	return call_reply(call, NULL);
}
