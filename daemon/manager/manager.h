/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The daemon without its socket: ports arrive, the scheduler pairs them with jobs, workers read,
 * backups are published. Everything happens in the event loop; nothing here blocks on a port.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/config/config.h"
#include "daemon/manager/bench.h"
#include "daemon/policy/slots.h"
#include "daemon/store/store.h"
#include "protocol/base/cleanup.h"

struct agents;
struct job_files;
struct manager;
struct problem;
struct pruner;

struct manager_options {
	const char *state_directory;
	const char *worker;       /* path of mtkrbd-worker */
	const char *hook;         /* path of mtkrbd-hook */
	const char *hooks_socket; /* of mtkrbd-hooks.socket, which need not be there */
	bool udev;                /* watch udev for ports */
};

struct manager_observer {
	void (*job_changed)(const struct job *job, void *userdata);
	/* gone: it is not on the bench any more. */
	void (*port_changed)(const struct port *port, bool gone, void *userdata);
};

/*
 * Opens state directory and store and brings them in line with each other, takes config
 * over. On failure *ret_error is a line for the user that the caller frees.
 */
_must_check_ int manager_new(sd_event *event, const struct manager_options *options,
			     struct config *config, struct manager **ret, char **ret_error);
void manager_free(struct manager *manager);
DEFINE_CLEANUP(struct manager *, manager_free);

/* One observer; it and userdata must outlive the manager. */
void manager_observe(struct manager *manager, const struct manager_observer *observer,
		     void *userdata);

/* Begins to watch for ports and to run jobs. */
_must_check_ int manager_start(struct manager *manager);

/* Takes no more work and stops the workers; the event loop ends when the last has ended. */
void manager_stop(struct manager *manager);

/* Uses another configuration from now on; takes it over. */
void manager_reconfigure(struct manager *manager, struct config *config);

/* ---- jobs; errors: -ENOENT no such job, -EINVAL its state does not allow it, -EPERM not yours ---- */

/*
 * request.count ids into ret_ids; what is staged in manager_job_files goes with them, or is
 * forgotten on failure. -EDQUOT too many, or the store's error.
 */
_must_check_ int manager_submit(struct manager *manager, const struct job_request *request,
				uid_t owner, int64_t *ret_ids);
_must_check_ int manager_cancel(struct manager *manager, int64_t id, uid_t uid);
_must_check_ int manager_retry(struct manager *manager, int64_t id, uid_t uid);

/* All unfinished jobs, by id; borrowed until the next change of any. */
const struct job *const *manager_unfinished(const struct manager *manager, size_t *ret_n);

/* With live progress; the caller clears it. */
_must_check_ int manager_get_job(struct manager *manager, int64_t id, struct job *ret);

/* ---- ports ---- */

const struct bench *manager_bench(const struct manager *manager);

/*
 * A port that udev cannot recognise. mode and slot may be NULL. -ENOENT no such device, -ENOTTY
 * not a terminal device, -EEXIST it, by this name or another, or its slot is on the bench already.
 * *ret is borrowed.
 */
_must_check_ int manager_attach(struct manager *manager, const char *device, const char *mode,
				const char *slot, const struct port **ret);

/* By any name of the device. -ENOENT; a job on it goes waiting. -EPERM for a port that udev found. */
_must_check_ int manager_detach(struct manager *manager, const char *device);

/* ---- slots ---- */

/* All in bench order, those that are empty too; the caller clears them. -ENOMEM. */
_must_check_ int manager_list_slots(const struct manager *manager, struct slots *ret);

/* The port that is in a slot now, NULL: none. Borrowed. */
const struct port *manager_port_in(const struct manager *manager, const struct slot *slot);

bool manager_slot_is_excluded(const struct manager *manager, const char *name);

/*
 * Changes what is stored of a slot: its name, the device in it, or an ID_PATH. Ports in it follow at
 * once. *ret is its name then, which the caller frees. -ENOENT no such slot, -EBADMSG with *problem,
 * else the store's error.
 */
_must_check_ int manager_set_slot(struct manager *manager, const char *slot,
				  const struct slot_change *change, uid_t uid, char **ret,
				  struct problem *problem);

/* Forgets all that is stored of a slot. The same errors. */
_must_check_ int manager_forget_slot(struct manager *manager, const char *slot, uid_t uid,
				     struct problem *problem);

/* ---- rules ---- */

/* Borrowed until the configuration is read again. */
const struct rules *manager_rules(const struct manager *manager);

/* What is known of the watch on a port, for the rules. Borrowed from the port and its slot. */
struct rule_subject manager_subject(const struct manager *manager, const struct bench_port *port);

/* ---- backups ---- */

enum verdict {
	VERDICT_WHOLE,
	VERDICT_DAMAGED, /* failure says what is wrong */
	VERDICT_GONE,    /* it was removed meanwhile */
	VERDICT_NONE,    /* the check itself failed, or could not be noted: failure says why */
};

typedef void (*manager_verified)(const char *id, enum verdict verdict,
				 const struct failure *failure, void *userdata);

/*
 * Reads a backup again against its digests and notes in the catalogue what came out; verified is
 * called later. -ENOENT, -EDQUOT when LIMIT_VERIFICATIONS are under way.
 */
_must_check_ int manager_verify(struct manager *manager, const char *id, manager_verified verified,
				void *userdata);

/* -ENOENT, -EPERM. */
_must_check_ int manager_remove_backup(struct manager *manager, const char *id, uid_t uid);

/* ---- the audit ---- */

/*
 * Notes a deed that is no change of the store (a port, a file, the configuration), after it was
 * done; that it could not be noted is only logged.
 */
void manager_audit(struct manager *manager, uid_t uid, enum audit_action action, const char *object,
		   const char *detail);

/* For reading the lists. */
struct store *manager_store(const struct manager *manager);

/* What removes backups by the rules of the configuration; borrowed. */
struct pruner *manager_pruner(const struct manager *manager);

/* The download agents it keeps, and what comes along with jobs; borrowed. */
struct agents *manager_agents(const struct manager *manager);
struct job_files *manager_job_files(const struct manager *manager);

/* Bytes free for backups. */
_must_check_ int manager_free_space(const struct manager *manager, uint64_t *ret);
