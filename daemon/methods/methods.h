/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of io.mtkrbd.Control, one handler each; userdata is a struct control. */

#include <stdint.h>

#include "daemon/server/server.h"
#include "daemon/server/session.h"

struct follow;
struct json_object;
struct manager;

struct control {
	struct manager *manager;
	struct server *server;
	struct follow *follow;
	uint64_t started; /* monotonic */
};

/* Makes the answer of a list with at most limit rows; query is the method's own. */
typedef int (*list_maker)(struct manager *manager, void *query, size_t limit,
			  struct json_object **ret);

/* Answers with as many rows as an answer has room for, at most limit. */
int methods_reply_list(struct call *call, struct manager *manager, list_maker make, void *query,
		       size_t limit);

int method_get_status(struct call *call, struct json_object *parameters, void *userdata);

int method_list_ports(struct call *call, struct json_object *parameters, void *userdata);
int method_attach(struct call *call, struct json_object *parameters, void *userdata);
int method_detach(struct call *call, struct json_object *parameters, void *userdata);

int method_list_slots(struct call *call, struct json_object *parameters, void *userdata);
int method_set_slot(struct call *call, struct json_object *parameters, void *userdata);
int method_forget_slot(struct call *call, struct json_object *parameters, void *userdata);

int method_explain_rules(struct call *call, struct json_object *parameters, void *userdata);

int method_submit(struct call *call, struct json_object *parameters, void *userdata);
int method_list_jobs(struct call *call, struct json_object *parameters, void *userdata);
int method_list_batches(struct call *call, struct json_object *parameters, void *userdata);
int method_get_job(struct call *call, struct json_object *parameters, void *userdata);
int method_follow(struct call *call, struct json_object *parameters, void *userdata);
int method_cancel(struct call *call, struct json_object *parameters, void *userdata);
int method_retry(struct call *call, struct json_object *parameters, void *userdata);

int method_list_agents(struct call *call, struct json_object *parameters, void *userdata);
int method_add_agent(struct call *call, struct json_object *parameters, void *userdata);
int method_remove_agent(struct call *call, struct json_object *parameters, void *userdata);

int method_list_backups(struct call *call, struct json_object *parameters, void *userdata);
int method_get_backup(struct call *call, struct json_object *parameters, void *userdata);
int method_verify_backup(struct call *call, struct json_object *parameters, void *userdata);
int method_remove_backup(struct call *call, struct json_object *parameters, void *userdata);

int method_list_audit(struct call *call, struct json_object *parameters, void *userdata);
int method_prune(struct call *call, struct json_object *parameters, void *userdata);
