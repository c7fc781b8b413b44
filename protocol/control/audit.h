/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line of who did what: type AuditEntry of the interface. */

#include <stdint.h>
#include <sys/types.h>

#include "protocol/base/cleanup.h"

struct json_object;
struct problem;

/* What somebody did. The object is the job's number, the backup's id, a device, a slot, a name. */
enum audit_action {
	AUDIT_SUBMIT,
	AUDIT_CANCEL,
	AUDIT_RETRY,
	AUDIT_REMOVE, /* a backup, by hand */
	AUDIT_PRUNE,  /* a backup, by the rules of [retention] */
	AUDIT_ATTACH,
	AUDIT_DETACH,
	AUDIT_SLOT,
	AUDIT_AGENT,
	AUDIT_RELOAD,
	_AUDIT_ACTION_MAX,
};

const char *audit_action_to_string(enum audit_action action);
_must_check_ int audit_action_from_string(const char *s, enum audit_action *ret);

struct audit_entry {
	int64_t id;    /* ascends with each entry, never used twice */
	uint64_t time; /* real time, microseconds */
	uid_t uid;     /* who did it; the daemon's own user for what it did by itself */
	enum audit_action action;
	char *object; /* NULL: none */
	char *detail; /* NULL: none */
};

void audit_entry_clear(struct audit_entry *entry);
_must_check_ int audit_entry_to_json(const struct audit_entry *entry, struct json_object **ret);
_must_check_ int audit_entry_from_json(struct json_object *object, struct audit_entry *ret,
				       struct problem *problem);
