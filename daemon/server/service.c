/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/server/service.h"

#include <errno.h>

#include "daemon/server/session.h"
#include "protocol/base/strings.h"
#include "protocol/control/error.h"
#include "protocol/control/message.h"

static int list_interfaces(const struct service *service, struct json_object **ret)
{
	_cleanup_message_ struct json_object *names = NULL;
	int r;

	r = message_new_array(&names);
	if (r == 0)
		r = message_append_string(names, SERVICE_INTERFACE);
	for (size_t i = 0; r == 0 && i < service->n; i++)
		r = message_append_string(names, service->interfaces[i].name);
	if (r == 0)
		*ret = TAKE_PTR(names);
	return r;
}

static int get_info(struct call *call, struct json_object *parameters, void *userdata)
{
	struct json_object *names = NULL, *reply;
	struct problem problem;
	int r;

	r = message_read(parameters, NULL, 0, NULL, &problem);
	if (r < 0)
		return call_invalid(call, &problem);
	r = list_interfaces(userdata, &names);
	if (r < 0)
		return r;
	r = message_build(&reply,
			  MEMBERS(M_STRING("vendor", "mtkrbd"), M_STRING("product", "mtkrbd"),
				  M_STRING("version", MTKRB_VERSION), M_STRING("url", ""),
				  M_OBJECT("interfaces", names)));
	return r < 0 ? r : call_reply(call, reply);
}

const struct interface *service_find(const struct service *service, const char *name)
{
	if (streq(name, SERVICE_INTERFACE))
		return &service_interface;
	for (size_t i = 0; i < service->n; i++)
		if (streq(name, service->interfaces[i].name))
			return &service->interfaces[i];
	return NULL;
}

static int get_interface_description(struct call *call, struct json_object *parameters,
				     void *userdata)
{
	static const struct field fields[] = {
		{ .name = "interface", .type = FIELD_STRING, .flags = FIELD_REQUIRED },
	};
	_cleanup_free_ char *name = NULL;
	const struct interface *interface;
	struct json_object *answer;
	struct problem problem;
	int r;

	r = message_read(parameters, fields, ARRAY_SIZE(fields), &name, &problem);
	if (r < 0)
		return r == -EBADMSG ? call_invalid(call, &problem) : r;
	interface = service_find(userdata, name);
	if (!interface) {
		r = message_build(&answer, MEMBERS(M_STRING("interface", name)));
		return r < 0 ? r : call_error(call, ERROR_INTERFACE_NOT_FOUND, answer);
	}
	r = message_build(&answer, MEMBERS(M_STRING("description", interface->description)));
	return r < 0 ? r : call_reply(call, answer);
}

static const char description[] =
	"# What every varlink service answers.\n"
	"interface org.varlink.service\n"
	"\n"
	"# Who the service is and which interfaces it has.\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"# The text of one interface.\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n"
	"error PermissionDenied ()\n"
	"error ExpectedMore ()\n";

static const struct method methods[] = {
	{ "GetInfo", get_info, 0 },
	{ "GetInterfaceDescription", get_interface_description, 0 },
};

const struct interface service_interface = {
	.name = SERVICE_INTERFACE,
	.description = description,
	.methods = methods,
	.n_methods = ARRAY_SIZE(methods),
};
