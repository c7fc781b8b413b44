/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a user asks for, and what has become of it: types JobRequest and Job of the interface. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/base/cleanup.h"
#include "protocol/control/failure.h"
#include "protocol/control/hook.h"
#include "protocol/control/label.h"
#include "protocol/control/port.h"

struct json_object;
struct problem;

enum job_state {
	JOB_QUEUED,
	JOB_RUNNING,
	JOB_WAITING,
	JOB_DONE,
	JOB_FAILED,
	JOB_CANCELLED,
	_JOB_STATE_MAX,
};

enum read_method { METHOD_AUTO, METHOD_BROM, METHOD_DA, _METHOD_MAX };
enum verify_mode { VERIFY_AUTO, VERIFY_NONE, VERIFY_SAMPLE, VERIFY_FULL, _VERIFY_MAX };
enum after_action { AFTER_RESET, AFTER_OFF, AFTER_STAY, _AFTER_MAX };
enum phase {
	PHASE_NONE,
	PHASE_HANDSHAKE,
	PHASE_IDENTIFY,
	PHASE_UPLOAD,
	PHASE_READ,
	PHASE_VERIFY,
	PHASE_REBUILD,
	PHASE_PUBLISH,
	_PHASE_MAX,
};

#define RANGE_AUTO UINT64_MAX /* as a length: up to the end of the flash, which is found out */

struct range {
	char *name;      /* file name in the backup; never NULL once checked: "ROM_0" by default */
	uint64_t start;  /* flash offset, bytes */
	uint64_t length; /* bytes, or RANGE_AUTO */
};

struct job_request {
	struct range *ranges; /* at least one once checked */
	size_t n_ranges;
	char *scatter;   /* NULL: none */
	char *da;        /* NULL: none */
	char *da_layout; /* where its parts lie (da-file.h), for one with no head; NULL: it has one */
	enum read_method method;
	enum verify_mode verify;
	bool rebuild;        /* default true */
	bool identify_flash; /* ask the flash itself for its id, through its controller */
	char *slot;          /* NULL: any */
	char *chip;          /* NULL: any */
	char *meid;          /* NULL: any; 32 lower-case hexadecimal digits */
	int64_t count;       /* default 1 */
	int64_t priority;    /* higher runs first, default 0, -1000 to 1000 */
	struct label *labels;
	size_t n_labels;
	double timeout; /* seconds from submission to the end, 0: none */
	enum after_action after;
};

struct progress {
	enum phase phase;
	uint64_t done;  /* bytes */
	uint64_t total; /* bytes, 0: not known yet */
	uint64_t rate;  /* bytes per second */
	double eta;     /* seconds, negative: not known */
};

struct job {
	int64_t id;
	enum job_state state;
	struct job_request request;
	uid_t owner;
	uint64_t created;         /* real time, microseconds */
	uint64_t asked;           /* submitted or last retried: its timeout counts from here */
	uint64_t started;         /* 0: not yet */
	uint64_t finished;        /* 0: not yet */
	struct port port;         /* the port of the last attempt; slot NULL: none yet */
	struct progress progress; /* phase PHASE_NONE: none */
	char *backup;             /* id of the backup it made, NULL: none */
	struct failure failure;
	int64_t attempts;
	struct hook_result *hooks; /* only where one job was asked for by its id */
	size_t n_hooks;
};

const char *job_state_to_string(enum job_state state);
_must_check_ int job_state_from_string(const char *s, enum job_state *ret);
const char *phase_to_string(enum phase phase);
const char *read_method_to_string(enum read_method method);
const char *verify_mode_to_string(enum verify_mode mode);
const char *after_action_to_string(enum after_action after);
_must_check_ int phase_from_string(const char *s, enum phase *ret);
_must_check_ int read_method_from_string(const char *s, enum read_method *ret);
_must_check_ int verify_mode_from_string(const char *s, enum verify_mode *ret);
_must_check_ int after_action_from_string(const char *s, enum after_action *ret);

/* True for done, failed and cancelled. */
bool job_state_is_final(enum job_state state);

/* The state machine of design: true when a job may go from one state to the other. */
bool job_state_may_become(enum job_state from, enum job_state to);

/* All defaults, one range ROM_0 from 0 with RANGE_AUTO. -ENOMEM. */
_must_check_ int job_request_init(struct job_request *ret);
void job_request_clear(struct job_request *request);
_must_check_ int job_request_copy(const struct job_request *from, struct job_request *ret);
/* -EINVAL for a key or value that label.h does not allow, -EEXIST, -E2BIG over LIMIT_LABELS. */
_must_check_ int job_request_add_label(struct job_request *request, const char *key,
				       const char *value);

/*
 * Reads and checks a whole JobRequest: every field's type, range and sense (names fit for files and
 * unique, lengths that cannot wrap, counts within limits.h). Absent fields get their defaults.
 * -EBADMSG with the field and the reason in *problem; -ENOMEM.
 */
_must_check_ int job_request_from_json(struct json_object *object, struct job_request *ret,
				       struct problem *problem);
/*
 * A request as a reply shows it. The same checks, but members that it does not know are passed over:
 * a newer daemon may have more of them.
 */
_must_check_ int job_request_from_reply(struct json_object *object, struct job_request *ret,
					struct problem *problem);
_must_check_ int job_request_to_json(const struct job_request *request, struct json_object **ret);

/* The same as JSON text, for the store. */
_must_check_ int job_request_from_text(const char *text, struct job_request *ret);
_must_check_ int job_request_to_text(const struct job_request *request, char **ret);

void job_clear(struct job *job);
_must_check_ int job_to_json(const struct job *job, struct json_object **ret);
_must_check_ int job_from_json(struct json_object *object, struct job *ret,
			       struct problem *problem);

_must_check_ int progress_to_json(const struct progress *progress, struct json_object **ret);
_must_check_ int progress_from_json(struct json_object *object, struct progress *ret,
				    struct problem *problem);
