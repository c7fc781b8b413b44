/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The errors that a call can end with: their names and the parameters that belong to them. */

#include <stdint.h>

#include "protocol/base/cleanup.h"

struct json_object;
struct problem;

#define CONTROL_INTERFACE "io.mtkrbd.Control"
#define SERVICE_INTERFACE "org.varlink.service"

#define ERROR_NO_SUCH_JOB     CONTROL_INTERFACE ".NoSuchJob"
#define ERROR_NO_SUCH_BACKUP  CONTROL_INTERFACE ".NoSuchBackup"
#define ERROR_NO_SUCH_PORT    CONTROL_INTERFACE ".NoSuchPort"
#define ERROR_NO_SUCH_AGENT   CONTROL_INTERFACE ".NoSuchAgent"
#define ERROR_NO_SUCH_SLOT    CONTROL_INTERFACE ".NoSuchSlot"
#define ERROR_INVALID_REQUEST CONTROL_INTERFACE ".InvalidRequest"
#define ERROR_WRONG_STATE     CONTROL_INTERFACE ".WrongState"
#define ERROR_LIMIT_REACHED   CONTROL_INTERFACE ".LimitReached"
#define ERROR_FAILED          CONTROL_INTERFACE ".Failed"

#define ERROR_INTERFACE_NOT_FOUND    SERVICE_INTERFACE ".InterfaceNotFound"
#define ERROR_METHOD_NOT_FOUND       SERVICE_INTERFACE ".MethodNotFound"
#define ERROR_METHOD_NOT_IMPLEMENTED SERVICE_INTERFACE ".MethodNotImplemented"
#define ERROR_INVALID_PARAMETER      SERVICE_INTERFACE ".InvalidParameter"
#define ERROR_PERMISSION_DENIED      SERVICE_INTERFACE ".PermissionDenied"
#define ERROR_EXPECTED_MORE          SERVICE_INTERFACE ".ExpectedMore"

/* Parameters; -ENOMEM. */
_must_check_ int error_no_such_job(int64_t id, struct json_object **ret);
_must_check_ int error_no_such_backup(const char *id, struct json_object **ret);
_must_check_ int error_no_such_port(const char *device, struct json_object **ret);
_must_check_ int error_no_such_agent(const char *name, struct json_object **ret);
_must_check_ int error_no_such_slot(const char *slot, struct json_object **ret);
_must_check_ int error_invalid_request(const struct problem *problem, struct json_object **ret);
_must_check_ int error_wrong_state(int64_t id, const char *state, struct json_object **ret);
_must_check_ int error_limit_reached(const char *limit, int64_t value, struct json_object **ret);
_must_check_ int error_failed(const char *message, struct json_object **ret);
_must_check_ int error_invalid_parameter(const char *parameter, struct json_object **ret);

/* The interface's description, as io.mtkrbd.Control.varlink holds it. */
extern const char control_interface_description[];
